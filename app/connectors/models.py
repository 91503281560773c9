from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.clock import now
from app.kit.ids import new_id
from app.kit.models import PERSONAL, Base, Tenanted, Versioned


def to_connection() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["tenant_id", "connection_id"], ["connections.tenant_id", "connections.id"])


class Connection(Versioned, Base):
    """One account at a provider; a removed one stays, because its deliveries say where touchpoints came from."""

    __tablename__ = "connections"
    __table_args__ = (Index("ix_connections_id", "id"),)
    provider: Mapped[str]
    name: Mapped[str]
    settings: Mapped[dict[str, Any]]
    secrets_enc: Mapped[bytes]
    """Sealed JSON: `[{"secret", "until"}]`, the newest first; null is without end."""
    enabled: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    removed_at: Mapped[datetime | None]


class Delivery(Tenanted, Base):
    """One authentic call of a hook; a repeat of the same bytes has neither key nor body."""

    __tablename__ = "deliveries"
    __table_args__ = (
        to_connection(),
        CheckConstraint("status in ('stored', 'parsed', 'duplicate', 'dead')", name="status"),
        UniqueConstraint("tenant_id", "connection_id", "dedupe_key"),
        Index("ix_deliveries_status", "tenant_id", "connection_id", "status", "id"),
        Index(
            "ix_deliveries_raw", "tenant_id", "connection_id", "received_at", postgresql_where=text("raw is not null")
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    connection_id: Mapped[UUID]
    dedupe_key: Mapped[bytes | None]
    raw: Mapped[bytes | None] = mapped_column(info=PERSONAL)
    headers: Mapped[dict[str, Any]] = mapped_column(server_default="{}", info=PERSONAL)
    status: Mapped[str]
    reason: Mapped[str | None]
    signals: Mapped[int] = mapped_column(server_default="0")
    unreadable: Mapped[int] = mapped_column(server_default="0")
    touchpoint_ids: Mapped[list[UUID]] = mapped_column(server_default="{}")
    attempts: Mapped[int] = mapped_column(server_default="1")
    received_at: Mapped[datetime] = mapped_column(default=now, server_default=text("now()"))


class DeliveryCount(Tenanted, Base):
    """A share of a connection's counts; the count is the sum, so that hooks at the same time seldom meet on one row."""

    __tablename__ = "delivery_counts"
    __table_args__ = (to_connection(),)
    connection_id: Mapped[UUID] = mapped_column(primary_key=True)
    share: Mapped[int] = mapped_column(primary_key=True)
    stored: Mapped[int] = mapped_column(server_default="0")
    duplicate: Mapped[int] = mapped_column(server_default="0")
    refused: Mapped[int] = mapped_column(server_default="0")
    dead: Mapped[int] = mapped_column(server_default="0")


class Refusal(Tenanted, Base):
    """One refused call without its body; each share of the counts keeps its last 1,000, in a ring of slots."""

    __tablename__ = "refusals"
    __table_args__ = (to_connection(),)
    connection_id: Mapped[UUID] = mapped_column(primary_key=True)
    share: Mapped[int] = mapped_column(primary_key=True)
    slot: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[UUID]
    reason: Mapped[str]
    received_at: Mapped[datetime]
