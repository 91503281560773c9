from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Float, ForeignKeyConstraint, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import Base, Identified, Tenanted

PLAIN = Text(collation="C")


class ScoreModel(Identified, Base):
    """One version of a model; a draft has no number, a publishing one serves once everybody is counted by it."""

    __tablename__ = "score_models"
    __table_args__ = (
        CheckConstraint("state in ('draft', 'publishing', 'published', 'retired')", name="state"),
        CheckConstraint("(version is null) = (state = 'draft')", name="version"),
        UniqueConstraint("tenant_id", "key", "version"),
        *(
            Index(
                f"uq_score_models_{state}", "tenant_id", "key", unique=True, postgresql_where=text(f"state = '{state}'")
            )
            for state in ("draft", "publishing", "published")
        ),
    )
    key: Mapped[str] = mapped_column(PLAIN)
    version: Mapped[int | None]
    state: Mapped[str]
    definition: Mapped[dict[str, Any]]
    published_at: Mapped[datetime | None]


class Score(Tenanted, Base):
    """One person by one version of a model: the curve fit + interest · 2^(-(t - since) / half life), and what is next.

    The parts of a score are no rows: they are counted from the touchpoints whenever somebody asks.
    """

    __tablename__ = "scores"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "candidate_id"], ["candidates.tenant_id", "candidates.id"]),
        Index(
            "ix_scores_rank", "tenant_id", "model_key", "model_version", "fit", text("rank_key desc"), "candidate_id"
        ),
        {"postgresql_with": {"fillfactor": "80"}},
    )
    candidate_id: Mapped[UUID] = mapped_column(primary_key=True)
    model_key: Mapped[str] = mapped_column(PLAIN, primary_key=True)
    model_version: Mapped[int] = mapped_column(primary_key=True)
    fit: Mapped[float] = mapped_column(Float())
    interest: Mapped[float] = mapped_column(Float())
    """At `since`, in points."""
    since: Mapped[datetime]
    half_life_days: Mapped[float] = mapped_column(Float())
    rank_key: Mapped[float] = mapped_column(Float())
    """Orders people of one fit by value, the same at every time."""
    tier: Mapped[str]
    tier_changes_at: Mapped[datetime | None]
    next_event_at: Mapped[datetime | None]
    """When the value next crosses a bound of a tier or a threshold, or a touchpoint of the future begins to count."""
    computed_at: Mapped[datetime]


class ScoreThreshold(Tenanted, Base):
    """A constant that somebody compares scores with: whoever crosses it is looked at in that moment."""

    __tablename__ = "score_thresholds"
    model_key: Mapped[str] = mapped_column(PLAIN, primary_key=True)
    value: Mapped[float] = mapped_column(Float(), primary_key=True)
    used_by: Mapped[str] = mapped_column(primary_key=True)
