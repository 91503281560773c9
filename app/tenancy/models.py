from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.clock import now
from app.kit.ids import new_id
from app.kit.models import Base, Identified, Tenanted


class Tenant(Base):
    """The client company; its own id is the tenant that row-level security compares."""

    __tablename__ = "tenants"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    name: Mapped[str] = mapped_column(unique=True)
    timezone: Mapped[str] = mapped_column(default="Asia/Tokyo", server_default="Asia/Tokyo")
    country_code: Mapped[str] = mapped_column(default="JP", server_default="JP")
    language: Mapped[str] = mapped_column(default="ja", server_default="ja")
    sender: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    send_window: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    frequency_caps: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    fatigue_guard: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    rates: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    tracking: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    allowed_origins: Mapped[list[str]] = mapped_column(default=list, server_default="{}")
    require_if_match: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    created_at: Mapped[datetime] = mapped_column(default=now, server_default=text("now()"))
    updated_at: Mapped[datetime] = mapped_column(default=now, server_default=text("now()"))


class ApiKey(Identified, Base):
    """One secret of a key; a rotated key has two rows with the same `key_id` until the old one ends."""

    __tablename__ = "api_keys"
    __table_args__ = (UniqueConstraint("id_text"), Index("ix_api_keys_key_id", "tenant_id", "key_id"))
    key_id: Mapped[UUID]
    id_text: Mapped[str]
    sha256: Mapped[bytes]
    name: Mapped[str]
    scopes: Mapped[list[str]]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class AuditEntry(Tenanted, Base):
    """Who read or wrote what of which people, and to whom what of them was given."""

    __tablename__ = "audit"
    __table_args__ = (
        CheckConstraint("kind in ('read', 'write', 'disclosure')", name="kind"),
        Index("ix_audit_ids", "ids", postgresql_using="gin"),
    )
    n: Mapped[int] = mapped_column(BigInteger(), Identity(always=True), primary_key=True)
    kind: Mapped[str] = mapped_column(server_default="write")
    actor: Mapped[str]
    act_as: Mapped[str | None]
    action: Mapped[str]
    resource: Mapped[str]
    ids: Mapped[list[UUID]] = mapped_column(server_default="{}")
    recipient: Mapped[str | None]
    request_id: Mapped[str | None]
    at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    fields: Mapped[list[str]] = mapped_column(server_default="{}")
