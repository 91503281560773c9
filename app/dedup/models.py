from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Float, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.clock import now
from app.kit.models import ACTOR_DEFAULT, PERSONAL, Base, Identified, Tenanted, Versioned


class RecordKey(Tenanted, Base):
    """One value under which a record is found: a keyed hash of eight bytes.

    An index of records, so without foreign keys: checking them row by row costs seven times the rows themselves. The
    primary key's index includes the candidate, so that who holds a key is read from it alone.
    """

    __tablename__ = "record_keys"
    __table_args__ = (Index("ix_record_keys_record_id", "tenant_id", "record_id"),)
    key_hash: Mapped[bytes] = mapped_column(primary_key=True)
    record_id: Mapped[UUID] = mapped_column(primary_key=True)
    candidate_id: Mapped[UUID]
    kind: Mapped[str]


class MatchFeature(Tenanted, Base):
    """One record as matching sees it: the flat columns that Python, PostgreSQL and the bulk engines compare.

    An index of records, so without foreign keys, as `record_keys`; what is asked before a record is read stands in the
    index that leads to it. `nobodys` are role mailboxes and dummy numbers,
    `generic` values that too many people share; both are in their lists too and weigh nothing.
    """

    __tablename__ = "match_features"
    __table_args__ = (
        Index(
            "ix_match_features_candidate_id",
            "tenant_id",
            "candidate_id",
            postgresql_include=["birth_date", "employer", "family_kanji", "given_kanji", "family_kana", "is_plain"],
        ),
    )
    record_id: Mapped[UUID] = mapped_column(primary_key=True)
    candidate_id: Mapped[UUID]
    name: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True), info=PERSONAL)
    name_kanji: Mapped[str | None] = mapped_column(info=PERSONAL)
    name_key: Mapped[str | None] = mapped_column(info=PERSONAL)
    emails: Mapped[list[str]] = mapped_column(server_default="{}", info=PERSONAL)
    mobiles: Mapped[list[str]] = mapped_column(server_default="{}", info=PERSONAL)
    fixed_phones: Mapped[list[str]] = mapped_column(server_default="{}", info=PERSONAL)
    urls: Mapped[list[str]] = mapped_column(server_default="{}", info=PERSONAL)
    nobodys: Mapped[list[str]] = mapped_column(server_default="{}", info=PERSONAL)
    generic: Mapped[list[str]] = mapped_column(server_default="{}", info=PERSONAL)
    external_ids: Mapped[list[str]] = mapped_column(server_default="{}", info=PERSONAL)
    birth_date: Mapped[str | None] = mapped_column(info=PERSONAL)
    """ISO 8601, as bulk engines compare it."""
    employer: Mapped[str | None] = mapped_column(info=PERSONAL)
    is_plain: Mapped[bool] = mapped_column(server_default=text("false"))
    family_kanji: Mapped[str | None] = mapped_column(info=PERSONAL)
    given_kanji: Mapped[str | None] = mapped_column(info=PERSONAL)
    family_kana: Mapped[str | None] = mapped_column(info=PERSONAL)
    given_kana: Mapped[str | None] = mapped_column(info=PERSONAL)
    family_latin: Mapped[str | None] = mapped_column(info=PERSONAL)
    given_latin: Mapped[str | None] = mapped_column(info=PERSONAL)
    family_key: Mapped[str | None] = mapped_column(info=PERSONAL)
    given_key: Mapped[str | None] = mapped_column(info=PERSONAL)
    is_vouched: Mapped[bool] = mapped_column(server_default=text("false"))
    """A person has linked this record to its candidate: its name contradicts nobody any more."""


class KeyStat(Tenanted, Base):
    """What is known of one key: whether too many different people share it, and since when links rest on it no more."""

    __tablename__ = "key_stats"
    __table_args__ = (
        Index("ix_key_stats_unjudged", "tenant_id", "key_hash", postgresql_where=text("generic and judged_at is null")),
    )
    key_hash: Mapped[bytes] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(server_default="0")
    generic: Mapped[bool] = mapped_column(server_default=text("false"))
    judged_at: Mapped[datetime | None]
    """When the links that used it were judged again; null where that is still to be done."""


class TermFrequency(Tenanted, Base):
    """How many candidates hold a value of a counted column: kept by the doors, counted anew by each sweep."""

    __tablename__ = "term_frequencies"
    value_hash: Mapped[bytes] = mapped_column(primary_key=True)
    n: Mapped[int]


class MatchState(Tenanted, Base):
    """What matching in a tenant goes by: the size of its pool, and how often its values were counted anew."""

    __tablename__ = "match_state"
    pool: Mapped[int] = mapped_column(server_default="0")
    counting: Mapped[int] = mapped_column(server_default="0")
    counted_at: Mapped[datetime | None]


class MatchModel(Identified, Base):
    """Weights of a tenant's own, trained on purpose; without an active row those that ship hold."""

    __tablename__ = "match_models"
    __table_args__ = (
        UniqueConstraint("tenant_id", "version", name="uq_match_models_version"),
        Index("uq_match_models_active", "tenant_id", unique=True, postgresql_where=text("active")),
    )
    version: Mapped[str]
    settings: Mapped[dict[str, Any]]
    active: Mapped[bool] = mapped_column(server_default=text("false"), default=False)


class LinkDecision(Identified, Base):
    """One edge: two records are about the same person, or about different ones, and who says so and why."""

    __tablename__ = "link_decisions"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "a"], ["records.tenant_id", "records.id"], name="fk_link_decisions_a"),
        ForeignKeyConstraint(["tenant_id", "b"], ["records.tenant_id", "records.id"], name="fk_link_decisions_b"),
        CheckConstraint("a < b", name="ordered"),
        CheckConstraint("verdict in ('same', 'different')", name="verdict"),
        CheckConstraint("by in ('rule', 'model', 'person')", name="by"),
        Index(
            "uq_link_decisions_live", "tenant_id", "a", "b", unique=True, postgresql_where=text("revoked_at is null")
        ),
        Index("ix_link_decisions_b", "tenant_id", "b"),
        Index("ix_link_decisions_merge_id", "tenant_id", "merge_id", postgresql_where=text("merge_id is not null")),
        Index(
            "ix_link_decisions_revoked_by", "tenant_id", "revoked_by", postgresql_where=text("revoked_by is not null")
        ),
    )
    a: Mapped[UUID]
    b: Mapped[UUID]
    verdict: Mapped[str]
    by: Mapped[str]
    actor: Mapped[str | None] = mapped_column(server_default=ACTOR_DEFAULT)
    """Who decided, or in whose name."""
    model_version: Mapped[str | None]
    weight: Mapped[float | None] = mapped_column(Float())
    evidence: Mapped[list[Any]] = mapped_column(server_default="[]", default=list, info=PERSONAL)
    at: Mapped[datetime] = mapped_column(default=now, server_default=text("now()"))
    revoked_at: Mapped[datetime | None]
    merge_id: Mapped[UUID | None]
    """The merge that wrote this edge: it falls with it."""
    revoked_by: Mapped[UUID | None]
    """The merge that overruled this edge: it stands again without it."""


class CandidatePair(Identified, Base):
    """Two candidates that may be one person."""

    __tablename__ = "candidate_pairs"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "left_id"], ["candidates.tenant_id", "candidates.id"], name="fk_candidate_pairs_left_id"
        ),
        ForeignKeyConstraint(
            ["tenant_id", "right_id"], ["candidates.tenant_id", "candidates.id"], name="fk_candidate_pairs_right_id"
        ),
        CheckConstraint("left_id < right_id", name="ordered"),
        CheckConstraint("status in ('open', 'same', 'different')", name="status"),
        CheckConstraint("reason in ('possible', 'contradiction', 'several', 'generic', 'requested')", name="reason"),
        UniqueConstraint("tenant_id", "left_id", "right_id", name="uq_candidate_pairs_sides"),
        Index("ix_candidate_pairs_right_id", "tenant_id", "right_id"),
        Index("ix_candidate_pairs_status", "tenant_id", "status", text("id desc")),
    )
    left_id: Mapped[UUID]
    right_id: Mapped[UUID]
    status: Mapped[str] = mapped_column(server_default="open", default="open")
    reason: Mapped[str]
    probability: Mapped[float] = mapped_column(Float())
    weight: Mapped[float] = mapped_column(Float())
    evidence: Mapped[list[Any]] = mapped_column(server_default="[]", default=list, info=PERSONAL)
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    note: Mapped[str | None] = mapped_column(info=PERSONAL)
    """What the person who decided wrote about it."""
    merge_id: Mapped[UUID | None]
    """The merge that made the two one."""


class DedupPolicy(Versioned, Base):
    """A tenant's own words on matching; without a row the defaults hold."""

    __tablename__ = "dedup_policies"
    __table_args__ = (UniqueConstraint("tenant_id", name="uq_dedup_policies_tenant_id"),)
    policy: Mapped[dict[str, Any]]
