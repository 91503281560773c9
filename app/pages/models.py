from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import Base, Identified


class PageToken(Identified, Base):
    """One link to one person's page: only the hash of its token is kept.

    A mailed code is not kept at all: it is derived from the row's id and the number of codes that were asked for.
    """

    __tablename__ = "page_tokens"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "candidate_id"], ["candidates.tenant_id", "candidates.id"]),
        CheckConstraint("kind in ('profile', 'preferences', 'privacy')", name="kind"),
        UniqueConstraint("tenant_id", "token_hash"),
        Index("ix_page_tokens_token_hash", "token_hash"),
        Index("ix_page_tokens_candidate_id", "tenant_id", "candidate_id"),
    )
    token_hash: Mapped[bytes]
    kind: Mapped[str]
    candidate_id: Mapped[UUID]
    """As it was given; whom it means now is told by the aliases."""
    expires_at: Mapped[datetime]
    uses: Mapped[int] = mapped_column(default=0, server_default="0")
    used_at: Mapped[datetime | None]
    codes: Mapped[int] = mapped_column(default=0, server_default="0")
    code_expires_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0, server_default="0")
    """Wrong answers to the last code."""
