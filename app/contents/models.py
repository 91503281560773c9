from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import Base, Versioned


class Content(Versioned, Base):
    """One item that a mail can point at."""

    __tablename__ = "contents"
    __table_args__ = (
        UniqueConstraint("tenant_id", "key"),
        CheckConstraint("kind in ('article', 'interview', 'event', 'job')", name="kind"),
        CheckConstraint("status in ('active', 'archived')", name="status"),
        Index("ix_contents_kind", "tenant_id", "kind", "status", "expires_at"),
    )
    key: Mapped[str]
    kind: Mapped[str]
    title: Mapped[str]
    url: Mapped[str]
    summary: Mapped[str | None]
    topics: Mapped[list[str]] = mapped_column(default=list, server_default="{}")
    language: Mapped[str | None]
    expires_at: Mapped[datetime | None]
    status: Mapped[str] = mapped_column(default="active", server_default="active")
