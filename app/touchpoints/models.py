from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Float, ForeignKeyConstraint, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import PERSONAL, Base, Identified
from app.touchpoints.row import Name, shown

PLAIN = Text(collation="C")


class Touchpoint(Identified, Base):
    """What happened between the company and a person, at a time; `created_at` is when we received it."""

    __tablename__ = "touchpoints"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "candidate_id"], ["candidates.tenant_id", "candidates.id"]),
        CheckConstraint("identifier_kind in ('email', 'phone', 'external_id')", name="identifier_kind"),
        CheckConstraint("unmatched_reason in ('unknown', 'ambiguous')", name="unmatched_reason"),
        CheckConstraint("actor in ('human', 'machine', 'unknown')", name="actor"),
        CheckConstraint("actor_by in ('rule', 'given', 'person')", name="actor_by"),
        Index(
            "uq_touchpoints_event",
            "tenant_id",
            "source",
            "external_id",
            unique=True,
            postgresql_where=text("external_id is not null"),
        ),
        Index("ix_touchpoints_timeline", "tenant_id", "candidate_id", text("occurred_at desc"), "id"),
        Index("ix_touchpoints_unmatched", "tenant_id", "id", postgresql_where=text("candidate_id is null")),
        Index(
            "ix_touchpoints_identifier",
            "tenant_id",
            "identifier_kind",
            "identifier_hash",
            postgresql_where=text("candidate_id is null"),
        ),
        Index(
            "ix_touchpoints_message",
            "tenant_id",
            "message_id",
            "candidate_id",
            postgresql_where=text("message_id is not null and type in ('email_clicked', 'email_delivered')"),
        ),
        Index("ix_touchpoints_type", "tenant_id", "type", "occurred_at"),
    )
    candidate_id: Mapped[UUID | None]
    arrived_with: Mapped[UUID | None]
    """The candidate that it was first told of, so that a merge can be undone exactly."""
    identifier_kind: Mapped[str | None]
    identifier_source: Mapped[str | None]
    """Of an external id: whose."""
    identifier_value: Mapped[str | None] = mapped_column(info=PERSONAL)
    """As whom the person was named; null when that was by candidate id, and of erased people."""
    identifier_hash: Mapped[bytes | None] = mapped_column(info=PERSONAL)
    unmatched_reason: Mapped[str | None]
    type: Mapped[str] = mapped_column(PLAIN)
    occurred_at: Mapped[datetime]
    source: Mapped[str] = mapped_column(PLAIN)
    external_id: Mapped[str | None] = mapped_column(PLAIN)
    topics: Mapped[list[str]] = mapped_column(server_default="{}")
    data: Mapped[dict[str, Any]] = mapped_column(server_default="{}", info=PERSONAL)
    message_id: Mapped[str | None] = mapped_column(PLAIN)
    """`data.message_id` without its angle brackets."""
    actor: Mapped[str]
    actor_reasons: Mapped[list[str]] = mapped_column(server_default="{}")
    actor_rule_version: Mapped[int | None]
    actor_by: Mapped[str] = mapped_column(server_default="rule")
    provider_flag: Mapped[str | None]
    agent_class: Mapped[str] = mapped_column(server_default="none")
    address_class: Mapped[str] = mapped_column(server_default="none")
    method_class: Mapped[str] = mapped_column(server_default="none")
    seconds_since_delivery: Mapped[float | None] = mapped_column(Float())
    connection_id: Mapped[UUID | None]
    delivery_id: Mapped[UUID | None]

    @property
    def url(self) -> Any:  # noqa: ANN401 (a member of free data)
        return self.data.get("url")

    @property
    def received_at(self) -> datetime:
        return self.created_at

    @property
    def reason(self) -> str | None:
        return self.unmatched_reason

    @property
    def name(self) -> Name:
        return Name(None, self.identifier_kind, self.identifier_source, self.identifier_value, self.identifier_hash)

    @property
    def identifier(self) -> dict[str, str] | None:
        return shown(self.name)
