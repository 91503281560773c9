from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Float, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.clock import now
from app.kit.models import PERSONAL, SAFE_TEXT, Base, Identified, Tenanted, Versioned

LIVE = text("hidden_at is null and erased_at is null and merged_into is null")
GONE = text("hidden_at is not null or erased_at is not null or merged_into is not null")


def personal(**options: Any) -> Mapped[Any]:  # noqa: ANN401 (a column's options)
    """A column that can identify a person."""
    return mapped_column(info=PERSONAL, **options)


class Candidate(Versioned, Base):
    """One real person of one tenant; the profile columns are computed from the records."""

    __tablename__ = "candidates"
    __table_args__ = (
        CheckConstraint("address_state in ('ok', 'bounced', 'suppressed')", name="address_state"),
        Index("ix_candidates_created_at", "tenant_id", text("created_at desc"), "id", postgresql_where=LIVE),
        Index("ix_candidates_updated_at", "tenant_id", "updated_at", "id", postgresql_where=LIVE),
        Index("ix_candidates_full_name", "tenant_id", "full_name", "id", postgresql_where=LIVE),
        Index("ix_candidates_family_name_kana", "tenant_id", "family_name_kana", "id", postgresql_where=LIVE),
        Index("ix_candidates_birth_date", "tenant_id", "birth_date", "id", postgresql_where=LIVE),
        Index("ix_candidates_last_interaction_at", "tenant_id", "last_interaction_at", "id", postgresql_where=LIVE),
        Index("ix_candidates_years_of_experience", "tenant_id", "years_of_experience", "id", postgresql_where=LIVE),
        Index("ix_candidates_retention_expires_on", "tenant_id", "retention_expires_on"),
        Index("ix_candidates_hidden_at", "tenant_id", "hidden_at", postgresql_where=text("hidden_at is not null")),
        Index("ix_candidates_gone", "tenant_id", "id", postgresql_where=GONE),
        Index(
            "ix_candidates_merged_into", "tenant_id", "merged_into", postgresql_where=text("merged_into is not null")
        ),
    )
    full_name: Mapped[str | None] = personal(type_=SAFE_TEXT)
    full_name_kana: Mapped[str | None] = personal()
    other_names: Mapped[list[Any]] = personal(server_default="[]", default=list)
    family_name: Mapped[str | None] = personal()
    given_name: Mapped[str | None] = personal()
    family_name_kana: Mapped[str | None] = personal(type_=SAFE_TEXT)
    given_name_kana: Mapped[str | None] = personal()
    family_name_romaji: Mapped[str | None] = personal()
    given_name_romaji: Mapped[str | None] = personal()
    birth_date: Mapped[date | None] = personal()
    language: Mapped[str | None]
    timezone: Mapped[str | None]
    email_addresses: Mapped[list[Any]] = personal(server_default="[]", default=list)
    """`{value, raw, type, is_primary}` as read, the primary first; delivery states are in `identifiers`."""
    phone_numbers: Mapped[list[Any]] = personal(server_default="[]", default=list)
    external_ids: Mapped[list[Any]] = personal(server_default="[]", default=list)
    links: Mapped[list[Any]] = personal(server_default="[]", default=list)
    headline: Mapped[str | None] = personal()
    current_company: Mapped[str | None] = personal()
    department: Mapped[str | None] = personal()
    location: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True), info=PERSONAL)
    skills: Mapped[list[Any]] = personal(server_default="[]", default=list)
    years_of_experience: Mapped[float | None] = mapped_column(Float())
    interests: Mapped[list[Any]] = personal(server_default="[]", default=list)
    tags: Mapped[list[Any]] = personal(server_default="[]", default=list)
    sources: Mapped[list[Any]] = personal(server_default="[]", default=list)
    custom_fields: Mapped[dict[str, Any]] = personal(server_default="{}", default=dict)
    provenance: Mapped[dict[str, Any]] = mapped_column(server_default="{}", default=dict)
    """Profile field → the record that it was taken from."""
    warnings: Mapped[list[Any]] = mapped_column(server_default="[]", default=list)
    address_state: Mapped[str] = mapped_column(server_default="ok", default="ok")
    hidden_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]
    merged_into: Mapped[UUID | None]
    last_interaction_at: Mapped[datetime | None]
    live_selection_at: Mapped[datetime | None]
    """Since when a selection of this person is going on; the gate does not write to them meanwhile."""
    rejected_at: Mapped[datetime | None]
    retention_expires_on: Mapped[date | None]
    retention_basis: Mapped[str | None]


class Record(Identified, Base):
    """One incoming statement about a person, kept as it came; a later one of the same external id is a version."""

    __tablename__ = "records"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "candidate_id"], ["candidates.tenant_id", "candidates.id"]),
        Index(
            "uq_records_version",
            "tenant_id",
            "source",
            "external_id",
            "record_version",
            unique=True,
            postgresql_where=text("external_id is not null"),
        ),
        Index("ix_records_candidate_id", "tenant_id", "candidate_id"),
        Index(
            "uq_records_current",
            "tenant_id",
            "source",
            "external_id",
            unique=True,
            postgresql_where=text("is_current and external_id is not null"),
        ),
    )
    candidate_id: Mapped[UUID]
    first_candidate_id: Mapped[UUID]
    source: Mapped[str | None]
    external_id: Mapped[str | None] = personal()
    record_version: Mapped[int] = mapped_column(default=1, server_default="1")
    door: Mapped[str]
    """Through which door it came: api, import, manual, self, form, connector."""
    payload: Mapped[dict[str, Any]] = personal()
    features: Mapped[dict[str, Any]] = personal(server_default="{}", default=dict)
    normaliser_version: Mapped[int]
    by: Mapped[str]
    received_at: Mapped[datetime] = mapped_column(default=now, server_default=text("now()"))
    is_current: Mapped[bool] = mapped_column(default=True, server_default=text("true"))


class Identifier(Identified, Base):
    """A value that points at a person, as one record states it."""

    __tablename__ = "identifiers"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "candidate_id"], ["candidates.tenant_id", "candidates.id"]),
        ForeignKeyConstraint(["tenant_id", "record_id"], ["records.tenant_id", "records.id"]),
        CheckConstraint("kind in ('email', 'phone', 'url')", name="kind"),
        CheckConstraint("state in ('ok', 'bounced')", name="state"),
        UniqueConstraint("tenant_id", "record_id", "kind", "value_hash"),
        Index("ix_identifiers_value_hash", "tenant_id", "kind", "value_hash"),
        Index("ix_identifiers_candidate_id", "tenant_id", "candidate_id"),
    )
    candidate_id: Mapped[UUID]
    record_id: Mapped[UUID]
    kind: Mapped[str]
    value: Mapped[str | None] = personal()
    """The match key (see app.normalise): null when the raw value is not valid, and then never a key."""
    raw: Mapped[str] = personal()
    value_hash: Mapped[bytes]
    """Keyed hash of the match key (of the raw value, when there is no key)."""
    type: Mapped[str | None]
    is_primary: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    state: Mapped[str] = mapped_column(default="ok", server_default="ok")


class ExternalId(Tenanted, Base):
    """One (system, id) is one candidate, also against two calls at once."""

    __tablename__ = "external_ids"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "candidate_id"], ["candidates.tenant_id", "candidates.id"]),
        Index("ix_external_ids_candidate_id", "tenant_id", "candidate_id"),
    )
    source: Mapped[str] = mapped_column(primary_key=True)
    external_id: Mapped[str] = mapped_column(primary_key=True, info=PERSONAL)
    candidate_id: Mapped[UUID]
    record_id: Mapped[UUID]


class Alias(Tenanted, Base):
    """An id that a person once had; it always points at the last survivor."""

    __tablename__ = "aliases"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "candidate_id"], ["candidates.tenant_id", "candidates.id"]),
        Index("ix_aliases_candidate_id", "tenant_id", "candidate_id"),
    )
    old_id: Mapped[UUID] = mapped_column(primary_key=True)
    candidate_id: Mapped[UUID]


class Term(Tenanted, Base):
    """What a candidate is found by (see app.normalise.search); text equality stays under the policy.

    An index of candidates, so without a foreign key: checking it row by row costs four times the rows themselves.
    """

    __tablename__ = "terms"
    __table_args__ = (Index("ix_terms_candidate_id", "tenant_id", "candidate_id", "term"),)
    term: Mapped[str] = mapped_column(SAFE_TEXT, primary_key=True, info=PERSONAL)
    candidate_id: Mapped[UUID] = mapped_column(primary_key=True)


class CustomField(Versioned, Base):
    """What a custom field is called, what it may hold, and why a sensitive one is kept at all."""

    __tablename__ = "custom_fields"
    __table_args__ = (
        UniqueConstraint("tenant_id", "key"),
        CheckConstraint("type in ('text', 'number', 'boolean', 'date', 'choice', 'choices')", name="type"),
        CheckConstraint("sensitivity in ('ordinary', 'special_care', 'restricted')", name="sensitivity"),
    )
    key: Mapped[str]
    name: Mapped[str]
    description: Mapped[str | None]
    type: Mapped[str]
    options: Mapped[list[str]] = mapped_column(server_default="{}")
    sensitivity: Mapped[str]
    reason: Mapped[str | None]
