"""The base of every table, and the tables that belong to no slice.

Every table of a tenant has `tenant_id` first in its primary key; the database fills it from the transaction's tenant.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, MetaData, Text, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.kit.clock import now
from app.kit.ids import new_id

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
TENANT_DEFAULT = text("(current_setting('app.tenant'))::uuid")
ACTOR_DEFAULT = text("current_setting('app.actor')")
SAFE_TEXT = Text(collation="C")
"""Compared by code point: its equality is leakproof, so an index serves it under row-level security."""
PERSONAL = {"personal": True}
"""`mapped_column(info=PERSONAL)` marks a column that can identify a person: the erasure test walks this mark."""


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: TIMESTAMP(timezone=True),
        str: Text(),
        UUID: Uuid(),
        bytes: BYTEA(),
        int: BigInteger(),
        list[str]: ARRAY(Text()),
        list[UUID]: ARRAY(Uuid()),
        dict[str, Any]: JSONB(),
        list[Any]: JSONB(),
        list[dict[str, Any]]: JSONB(),
    }
    __mapper_args__ = {"eager_defaults": True}  # noqa: RUF012 (declared by SQLAlchemy)


class Tenanted:
    """A row of one tenant; `tenant_id` is first in the primary key."""

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True, server_default=TENANT_DEFAULT, sort_order=-3)


class Identified(Tenanted):
    """A row with an id of its own and the moment it was made."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id, sort_order=-2)
    created_at: Mapped[datetime] = mapped_column(default=now, server_default=text("now()"), sort_order=90)


class Versioned(Identified):
    """A resource that changes: `version` rises with every change of a stored field of its representation."""

    version: Mapped[int] = mapped_column(default=1, server_default="1", sort_order=-1)
    updated_at: Mapped[datetime] = mapped_column(default=now, server_default=text("now()"), sort_order=91)

    def change(self, values: Mapping[str, Any]) -> frozenset[str]:
        """Set these columns; return the names of those that were otherwise, for which the version rose once."""
        changed = {name: value for name, value in values.items() if getattr(self, name) != value}
        for name, value in changed.items():
            setattr(self, name, value)
        if changed:
            self.touch()
        return frozenset(changed)

    def touch(self) -> None:
        """Raise `version` and `updated_at`; to be called once by whoever changes the row."""
        self.version += 1
        self.updated_at = now()


class Change(Tenanted, Base):
    """One entry of the feed; `seq` is null until the numbering step has seen it committed."""

    __tablename__ = "changes"
    __table_args__ = (
        UniqueConstraint("tenant_id", "seq"),
        Index("ix_changes_unnumbered", "n", postgresql_where=text("seq is null")),
    )
    n: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    seq: Mapped[int | None]
    type: Mapped[str]
    resource: Mapped[str]
    resource_id: Mapped[UUID]
    version: Mapped[int | None]
    changed_fields: Mapped[list[str]] = mapped_column(server_default="{}")
    data: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    actor: Mapped[str] = mapped_column(server_default=ACTOR_DEFAULT)
    at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))


class FeedHead(Tenanted, Base):
    """How far a tenant's feed is numbered."""

    __tablename__ = "feed_heads"
    last_seq: Mapped[int] = mapped_column(server_default="0")
    oldest_seq: Mapped[int] = mapped_column(server_default="0")


class Due(Tenanted, Base):
    """One coalesced wake-up: something of `kind` about `key` is to be looked at from `due_at` on."""

    __tablename__ = "due"
    __table_args__ = (Index("ix_due_kind_due_at", "kind", "due_at"),)
    kind: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[UUID] = mapped_column(primary_key=True)
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(server_default="0")
    last_error_code: Mapped[str | None]
    again_at: Mapped[datetime | None]
    """Of what is in a worker's hand: for when it was asked for again meanwhile, infinity: it was not."""


class Job(Identified, Base):
    """Long work with its progress; a worker holds it by a lease and goes on where `cursor` says."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index(
            "ix_jobs_live",
            "tenant_id",
            "state",
            "lease_until",
            postgresql_where=text("state in ('queued', 'running')"),
        ),
    )
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="queued")
    scope: Mapped[str]
    actor: Mapped[str]
    arguments: Mapped[dict[str, Any]]
    done: Mapped[int] = mapped_column(server_default="0")
    total: Mapped[int | None]
    counts: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    error: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    cursor: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    cancel_requested: Mapped[bool] = mapped_column(server_default=text("false"))
    attempts: Mapped[int] = mapped_column(server_default="0")
    worker: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class IdempotencyKey(Tenanted, Base):
    """The stored answer of one keyed POST, written in the transaction of its effect."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("ix_idempotency_keys_expires_at", "tenant_id", "expires_at"),)
    route: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes]
    status: Mapped[int]
    headers: Mapped[dict[str, Any]]
    body: Mapped[bytes] = mapped_column(info=PERSONAL)
    expires_at: Mapped[datetime]
