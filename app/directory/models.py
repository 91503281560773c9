from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import PERSONAL, SAFE_TEXT, Base, Tenanted, Versioned


class FacetCount(Tenanted, Base):
    """How many of all people have a value: what a facet without criteria answers, and the words in use."""

    __tablename__ = "facet_counts"
    __table_args__ = (Index("ix_facet_counts_people", "tenant_id", "field", text("people desc"), "value"),)
    field: Mapped[str] = mapped_column(SAFE_TEXT, primary_key=True)
    value: Mapped[str] = mapped_column(SAFE_TEXT, primary_key=True)
    people: Mapped[int]


class Counted(Tenanted, Base):
    """With which values a person stands in the counts: `[[field, value], …]`.

    An index of candidates like `terms`, and without a foreign key for the same reason.
    """

    __tablename__ = "counted"
    candidate_id: Mapped[UUID] = mapped_column(primary_key=True)
    held: Mapped[list[Any]] = mapped_column(JSONB, info=PERSONAL)


class SavedSearch(Versioned, Base):
    """A search that somebody wants to ask again; what it finds is not kept."""

    __tablename__ = "saved_searches"
    __table_args__ = (Index("uq_saved_searches_key", "tenant_id", "key", unique=True),)
    key: Mapped[str]
    name: Mapped[str]
    criteria: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    q: Mapped[str | None]
    sort: Mapped[str | None]
    facets: Mapped[list[str]] = mapped_column(server_default="{}")
    owner: Mapped[str | None]
