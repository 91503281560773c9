from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import Base, Identified


class Erasure(Identified, Base):
    """That somebody was forgotten, under which ids they had been known, and how much that was; nothing about them."""

    __tablename__ = "erasures"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "candidate_id"], ["candidates.tenant_id", "candidates.id"]),
        Index("ix_erasures_candidate_id", "tenant_id", "candidate_id"),
    )
    candidate_id: Mapped[UUID]
    alias_ids: Mapped[list[UUID]]
    by: Mapped[str]
    reason: Mapped[str | None]
    counts: Mapped[dict[str, Any]]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None]
    lift: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """What kind of evidence lifted it, and its keyed hash: who has the document can show that it is the one."""


class ErasureAck(Identified, Base):
    """Another system's word that it has forgotten the person, too."""

    __tablename__ = "erasure_acks"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "erasure_id"], ["erasures.tenant_id", "erasures.id"]),
        UniqueConstraint("tenant_id", "erasure_id", "system"),
    )
    erasure_id: Mapped[UUID]
    system: Mapped[str]
    evidence: Mapped[str | None]
    actor: Mapped[str]
