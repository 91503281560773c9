from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.clock import now
from app.kit.models import PERSONAL, Base, Identified, Tenanted

CHANNEL = "channel in ('email', 'phone', 'sms', 'sns', 'post')"


def of_candidate() -> ForeignKeyConstraint:
    """Whom a row belongs to now; `arrived_with` is the candidate it came to, so that an undone merge is exact."""
    return ForeignKeyConstraint(["tenant_id", "candidate_id"], ["candidates.tenant_id", "candidates.id"])


class Consent(Identified, Base):
    """One statement; `created_at` is when it was recorded. The service may neither change nor delete it (see 0004)."""

    __tablename__ = "consents"
    __table_args__ = (
        of_candidate(),
        CheckConstraint(CHANNEL, name="channel"),
        CheckConstraint("status in ('granted', 'withdrawn')", name="status"),
        CheckConstraint(
            "basis in ('consent', 'existing_dealings', 'written_notice', 'published_address', 'legitimate_interest')",
            name="basis",
        ),
        CheckConstraint("status = 'withdrawn' or basis is not null", name="grant_has_basis"),
        Index("ix_consents_candidate_id", "tenant_id", "candidate_id", "purpose", "channel", text("obtained_at desc")),
    )
    candidate_id: Mapped[UUID]
    arrived_with: Mapped[UUID]
    purpose: Mapped[str]
    channel: Mapped[str]
    status: Mapped[str]
    basis: Mapped[str | None]
    policy_version: Mapped[str | None]
    wording: Mapped[str | None]
    wording_hash: Mapped[bytes | None]
    """SHA-256 of the wording that the person saw."""
    evidence: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True), info=PERSONAL)
    lift_suppression: Mapped[bool] = mapped_column(server_default=text("false"))
    actor: Mapped[str]
    obtained_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]


class Suppression(Identified, Base):
    """An address that must not be used on a channel; the address itself is not kept."""

    __tablename__ = "suppressions"
    __table_args__ = (
        CheckConstraint("channel in ('email', 'phone', 'sms', 'sns', 'post', 'any')", name="channel"),
        CheckConstraint("kind in ('email', 'phone', 'url', 'text', 'external_id')", name="kind"),
        CheckConstraint("reason in ('manual', 'unsubscribed', 'hard_bounce', 'complaint', 'erased')", name="reason"),
        UniqueConstraint("tenant_id", "channel", "kind", "value_hmac", "reason"),
        Index("ix_suppressions_value_hmac", "tenant_id", "value_hmac"),
    )
    channel: Mapped[str]
    kind: Mapped[str]
    value_hmac: Mapped[bytes]
    reason: Mapped[str]
    source: Mapped[str]
    hint: Mapped[str]
    note: Mapped[str | None] = mapped_column(info=PERSONAL)
    since: Mapped[datetime] = mapped_column(default=now, server_default=text("now()"))
    """When it was last asked for: a grant that lifts an unsubscription must be newer."""


class ContactDecision(Identified, Base):
    """What was asked, and what the gate answered; kept for what was sent and for explicit questions.

    `consent_id` has no foreign key: statements cannot be deleted, so it cannot dangle.
    """

    __tablename__ = "contact_decisions"
    __table_args__ = (
        of_candidate(),
        CheckConstraint(CHANNEL, name="channel"),
        CheckConstraint("decision in ('allow', 'deny', 'not_before')", name="decision"),
        Index("ix_contact_decisions_candidate_id", "tenant_id", "candidate_id", text("at desc")),
    )
    candidate_id: Mapped[UUID]
    arrived_with: Mapped[UUID]
    channel: Mapped[str]
    purpose: Mapped[str]
    at: Mapped[datetime]
    decision: Mapped[str]
    not_before: Mapped[datetime | None]
    reasons: Mapped[list[str]]
    """Codes; their sentences belong to the rule version."""
    rule_version: Mapped[int]
    consent_id: Mapped[UUID | None]
    expires_at: Mapped[datetime]
    actor: Mapped[str]


class ContactUse(Tenanted, Base):
    """One contact that counts: for the frequency cap, and for the guard against fatigue."""

    __tablename__ = "contact_uses"
    __table_args__ = (
        of_candidate(),
        Index("ix_contact_uses_candidate_id", "tenant_id", "candidate_id", "channel", text("counted_at desc")),
    )
    message_id: Mapped[UUID] = mapped_column(primary_key=True)
    candidate_id: Mapped[UUID]
    arrived_with: Mapped[UUID]
    channel: Mapped[str]
    counted_at: Mapped[datetime]
    human_sign_at: Mapped[datetime | None]
    """When the person answered this contact in any human way."""


class Lease(Tenanted, Base):
    """One recruiter's claim on a person until `expires_at`."""

    __tablename__ = "leases"
    __table_args__ = (of_candidate(),)
    candidate_id: Mapped[UUID] = mapped_column(primary_key=True)
    pool_id: Mapped[UUID | None]
    holder: Mapped[str]
    expires_at: Mapped[datetime]
