from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import PERSONAL, Base, Identified


class Merge(Identified, Base):
    """One merge: who became part of whom, by whose word, what was foreseen, and what its undoing needs."""

    __tablename__ = "merges"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "survivor_id"], ["candidates.tenant_id", "candidates.id"], name="fk_merges_survivor_id"
        ),
        ForeignKeyConstraint(
            ["tenant_id", "loser_id"], ["candidates.tenant_id", "candidates.id"], name="fk_merges_loser_id"
        ),
        CheckConstraint("by in ('person', 'model', 'rule')", name="by"),
        CheckConstraint("state in ('done', 'undone')", name="state"),
        Index("ix_merges_survivor_id", "tenant_id", "survivor_id", text("id desc")),
        Index("ix_merges_loser_id", "tenant_id", "loser_id"),
        Index("uq_merges_done", "tenant_id", "loser_id", unique=True, postgresql_where=text("state = 'done'")),
    )
    survivor_id: Mapped[UUID]
    loser_id: Mapped[UUID]
    by: Mapped[str]
    state: Mapped[str] = mapped_column(default="done", server_default="done")
    actor: Mapped[str]
    plan: Mapped[dict[str, Any]] = mapped_column(info=PERSONAL)
    kept: Mapped[dict[str, Any]] = mapped_column(info=PERSONAL)
    """The survivor as they were, and what gave way; see `kept.py`."""
    undone_at: Mapped[datetime | None]
