from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Float, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import PERSONAL, Base, Identified, Tenanted, Versioned

STATES = ("scheduled", "claimed", "transmitting", "retry", "sent", "unknown", "refused", "failed", "dead", "cancelled")
WAITING = text("state in ('scheduled', 'retry')")
HELD = text("state in ('claimed', 'transmitting')")
UNSENT = text("state in ('scheduled', 'claimed', 'retry')")
ACTIVE = text("state = 'active'")


class Template(Versioned, Base):
    """A mail's text under a key; what it says stands in its revisions."""

    __tablename__ = "templates"
    __table_args__ = (UniqueConstraint("tenant_id", "key"),)
    key: Mapped[str]
    name: Mapped[str]
    revision: Mapped[int] = mapped_column(default=1, server_default="1")


class TemplateRevision(Identified, Base):
    """One wording of a template; it never changes."""

    __tablename__ = "template_revisions"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "template_id"], ["templates.tenant_id", "templates.id"]),
        UniqueConstraint("tenant_id", "template_id", "revision"),
        CheckConstraint("audience in ('candidate', 'internal', 'transactional')", name="audience"),
        CheckConstraint("format in ('mjml', 'html')", name="format"),
        CheckConstraint("on_unknown in ('hold', 'resend')", name="on_unknown"),
    )
    template_id: Mapped[UUID]
    revision: Mapped[int]
    audience: Mapped[str]
    language: Mapped[str]
    subject: Mapped[str]
    preheader: Mapped[str]
    format: Mapped[str]
    body: Mapped[str]
    text: Mapped[str | None]
    on_unknown: Mapped[str]


class Sequence(Versioned, Base):
    """A definition under a key; `revision` is live, `draft_revision` is being written."""

    __tablename__ = "sequences"
    __table_args__ = (
        UniqueConstraint("tenant_id", "key"),
        CheckConstraint("status in ('draft', 'active', 'paused', 'archived')", name="status"),
    )
    key: Mapped[str]
    name: Mapped[str]
    status: Mapped[str] = mapped_column(default="draft", server_default="draft")
    revision: Mapped[int | None]
    draft_revision: Mapped[int | None]


class SequenceRevision(Identified, Base):
    """One definition of a sequence; from its activation on it never changes, nor do the template revisions it names."""

    __tablename__ = "sequence_revisions"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "sequence_id"], ["sequences.tenant_id", "sequences.id"]),
        UniqueConstraint("tenant_id", "sequence_id", "revision"),
    )
    sequence_id: Mapped[UUID]
    revision: Mapped[int]
    definition: Mapped[dict[str, Any]]
    templates: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """Template id → revision, as it was live at the activation."""
    activated_at: Mapped[datetime | None]


class Enrollment(Versioned, Base):
    """One candidate's way through one revision of a sequence."""

    __tablename__ = "enrollments"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "sequence_id"], ["sequences.tenant_id", "sequences.id"]),
        ForeignKeyConstraint(["tenant_id", "candidate_id"], ["candidates.tenant_id", "candidates.id"]),
        CheckConstraint("state in ('active', 'completed', 'exited', 'stopped')", name="state"),
        Index(
            "uq_enrollments_active", "tenant_id", "sequence_id", "candidate_id", unique=True, postgresql_where=ACTIVE
        ),
        Index("ix_enrollments_sequence_id", "tenant_id", "sequence_id", "state"),
        Index("ix_enrollments_candidate_id", "tenant_id", "candidate_id"),
        Index("ix_enrollments_condition", "tenant_id", "candidate_id", postgresql_where=text("limit_at is not null")),
    )
    sequence_id: Mapped[UUID]
    sequence_revision: Mapped[int]
    candidate_id: Mapped[UUID]
    arrived_with: Mapped[UUID]
    occurrence: Mapped[int] = mapped_column(default=1, server_default="1")
    """The how manieth time this person goes through the sequence: a step is sent once in each."""
    state: Mapped[str] = mapped_column(default="active", server_default="active")
    step: Mapped[str | None]
    next_at: Mapped[datetime | None]
    """When a waiting enrollment goes on; one that waits for a condition is only looked at again."""
    limit_at: Mapped[datetime | None]
    """When waiting for a condition ends, whatever it says; null for any other step."""
    exit: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    entered_by: Mapped[str]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class Message(Versioned, Base):
    """One mail of one step of one enrollment."""

    __tablename__ = "messages"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "enrollment_id"], ["enrollments.tenant_id", "enrollments.id"]),
        ForeignKeyConstraint(["tenant_id", "sequence_id"], ["sequences.tenant_id", "sequences.id"]),
        ForeignKeyConstraint(["tenant_id", "candidate_id"], ["candidates.tenant_id", "candidates.id"]),
        ForeignKeyConstraint(["tenant_id", "template_id"], ["templates.tenant_id", "templates.id"]),
        CheckConstraint(f"state in {STATES}", name="state"),
        CheckConstraint("delivery in ('none', 'delivered', 'bounced', 'complained')", name="delivery"),
        UniqueConstraint("tenant_id", "enrollment_id", "step", "occurrence"),
        Index(
            "uq_messages_unsent",
            "tenant_id",
            "sequence_id",
            "candidate_id",
            "step",
            "occurrence",
            unique=True,
            postgresql_where=UNSENT,
        ),
        Index("ix_messages_waiting", "scheduled_at", "tenant_id", postgresql_where=WAITING),
        Index("ix_messages_tenant_waiting", "tenant_id", "scheduled_at", "id", postgresql_where=WAITING),
        Index("ix_messages_held", "tenant_id", "worker", postgresql_where=HELD),
        Index("uq_messages_header", "tenant_id", "message_id_header", unique=True),
        Index("ix_messages_candidate_id", "tenant_id", "candidate_id"),
        Index("ix_messages_sequence_id", "tenant_id", "sequence_id", "step", "state"),
        Index("ix_messages_template_id", "tenant_id", "template_id"),
    )
    enrollment_id: Mapped[UUID]
    sequence_id: Mapped[UUID]
    sequence_revision: Mapped[int]
    step: Mapped[str]
    occurrence: Mapped[int] = mapped_column(default=1, server_default="1")
    candidate_id: Mapped[UUID]
    channel: Mapped[str] = mapped_column(default="email", server_default="email")
    purpose: Mapped[str]
    template_id: Mapped[UUID]
    template_revision: Mapped[int]
    variant: Mapped[str | None]
    """Which wording of its step it is, where there are several."""
    content_id: Mapped[UUID | None]
    content_reason: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    state: Mapped[str] = mapped_column(default="scheduled", server_default="scheduled")
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(default=list, server_default="[]")
    attempt: Mapped[int] = mapped_column(default=0, server_default="0")
    """Rises with every claim that passes the gate: the fence of what a worker may still write."""
    failures: Mapped[int] = mapped_column(default=0, server_default="0")
    """Refused or broken attempts since it was scheduled or resent: what the pauses grow with."""
    resent: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """Whether `attempt` was raised already, by a resend."""
    due_at: Mapped[datetime]
    scheduled_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    worker: Mapped[UUID | None]
    transmitting_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    message_id_header: Mapped[str | None] = mapped_column(info=PERSONAL)
    to: Mapped[str | None] = mapped_column(info=PERSONAL)
    smtp: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True), info=PERSONAL)
    decision_id: Mapped[UUID | None]
    consent_id: Mapped[UUID | None]
    rendered_hash: Mapped[str | None]
    """SHA-256 (hex) of the bytes that were handed to the mail server, so that what was kept can be compared."""
    delivery: Mapped[str] = mapped_column(default="none", server_default="none")


class EntryMark(Tenanted, Base):
    """A candidate who has been seen to be what an entry of a sequence asks for: becoming so again is another entry."""

    __tablename__ = "entry_marks"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "sequence_id"], ["sequences.tenant_id", "sequences.id"]),
        ForeignKeyConstraint(["tenant_id", "candidate_id"], ["candidates.tenant_id", "candidates.id"]),
        Index("ix_entry_marks_candidate_id", "tenant_id", "candidate_id"),
    )
    sequence_id: Mapped[UUID] = mapped_column(primary_key=True)
    entry: Mapped[str] = mapped_column(primary_key=True)
    candidate_id: Mapped[UUID] = mapped_column(primary_key=True)


class FeedCursor(Tenanted, Base):
    """How far the feed of changes was read for entries and for waits that end by a condition."""

    __tablename__ = "feed_cursors"
    seq: Mapped[int]


class MessageLink(Tenanted, Base):
    """Where one link of one mail leads, when the tenant has links tracked: its token names the row, never the URL."""

    __tablename__ = "message_links"
    __table_args__ = (ForeignKeyConstraint(["tenant_id", "message_id"], ["messages.tenant_id", "messages.id"]),)
    message_id: Mapped[UUID] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    url: Mapped[str] = mapped_column(info=PERSONAL)


class SendBucket(Tenanted, Base):
    """What is left of a shared rate: one row for the tenant, one for each receiving domain."""

    __tablename__ = "send_buckets"
    domain: Mapped[str] = mapped_column(primary_key=True)
    """Empty for the tenant's own rate."""
    tokens: Mapped[float] = mapped_column(Float())
    refilled_at: Mapped[datetime]
