from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Float, ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.clock import now
from app.kit.models import PERSONAL, Base, Tenanted, Versioned


class Pool(Versioned, Base):
    """A named group with written requirements; `archived_at` is set until its last member has left."""

    __tablename__ = "pools"
    __table_args__ = (
        Index("uq_pools_key", "tenant_id", "key", unique=True, postgresql_where=text("archived_at is null")),
    )
    key: Mapped[str]
    name: Mapped[str]
    criteria: Mapped[dict[str, Any]]
    required_fields: Mapped[list[str]] = mapped_column(server_default="{}")
    score_model: Mapped[str]
    threshold: Mapped[float | None] = mapped_column(Float())
    channel: Mapped[str]
    purpose: Mapped[str]
    owner: Mapped[str | None]
    archived_at: Mapped[datetime | None]
    rebuild_job_id: Mapped[UUID | None]
    """The job that is finding out who the members are to be; until it is done, those before are served."""


class PoolMember(Tenanted, Base):
    """One candidate of one pool; the key is the order of the list, for the id of a person is their age."""

    __tablename__ = "pool_members"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "pool_id"], ["pools.tenant_id", "pools.id"]),
        ForeignKeyConstraint(["tenant_id", "candidate_id"], ["candidates.tenant_id", "candidates.id"]),
        CheckConstraint("by in ('criteria', 'hand')", name="by"),
        Index("ix_pool_members_candidate_id", "tenant_id", "candidate_id"),
    )
    pool_id: Mapped[UUID] = mapped_column(primary_key=True)
    candidate_id: Mapped[UUID] = mapped_column(primary_key=True)
    by: Mapped[str]
    since: Mapped[datetime] = mapped_column(default=now, server_default=text("now()"))


class PoolOverride(Tenanted, Base):
    """What a person has decided about one candidate of one pool; it beats the criteria."""

    __tablename__ = "pool_overrides"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "pool_id"], ["pools.tenant_id", "pools.id"]),
        ForeignKeyConstraint(["tenant_id", "candidate_id"], ["candidates.tenant_id", "candidates.id"]),
        CheckConstraint("membership in ('include', 'exclude')", name="membership"),
        Index("ix_pool_overrides_candidate_id", "tenant_id", "candidate_id"),
    )
    pool_id: Mapped[UUID] = mapped_column(primary_key=True)
    candidate_id: Mapped[UUID] = mapped_column(primary_key=True)
    arrived_with: Mapped[UUID]
    """Whom the decision was made about, so that an undone merge gives it back."""
    membership: Mapped[str]
    note: Mapped[str | None] = mapped_column(info=PERSONAL)
    by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now, server_default=text("now()"))


class PoolSuccessor(Tenanted, Base):
    """Who is to be a member (`by` is null: who is not) once a rebuild is done, and then what that changed.

    Without foreign keys: checking them row by row costs more than the rows themselves, and a row lives for minutes.
    """

    __tablename__ = "pool_successors"
    __table_args__ = (
        CheckConstraint("by in ('criteria', 'hand')", name="by"),
        CheckConstraint("change in ('added', 'removed')", name="change"),
    )
    pool_id: Mapped[UUID] = mapped_column(primary_key=True)
    candidate_id: Mapped[UUID] = mapped_column(primary_key=True)
    by: Mapped[str | None]
    change: Mapped[str | None]
