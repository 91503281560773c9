from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import PERSONAL, Base, Tenanted, Versioned


class Import(Versioned, Base):
    """One file on its way into the pool."""

    __tablename__ = "imports"
    __table_args__ = (
        CheckConstraint(
            "state in ('staging', 'staged', 'committing', 'committed', 'undoing', 'undone', 'failed', 'cancelled')",
            name="state",
        ),
        CheckConstraint("commit in ('manual', 'auto')", name="commit"),
        CheckConstraint("format in ('csv', 'tsv', 'xlsx', 'ndjson')", name="format"),
    )
    filename: Mapped[str] = mapped_column(info=PERSONAL)
    file_sha256: Mapped[bytes]
    format: Mapped[str]
    encoding: Mapped[str | None]
    source: Mapped[str]
    source_type: Mapped[str | None]
    basis: Mapped[str | None]
    commit: Mapped[str]
    mapping: Mapped[dict[str, Any]]
    connection_id: Mapped[UUID | None]
    """Of a list of people at an event: the connection to the tool that it comes from."""
    event: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    columns: Mapped[list[dict[str, Any]]] = mapped_column(default=list, server_default="[]")
    warnings: Mapped[list[dict[str, Any]]] = mapped_column(default=list, server_default="[]")
    state: Mapped[str]
    rows: Mapped[int] = mapped_column(default=0, server_default="0")
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    conflicts: Mapped[list[dict[str, Any]]] = mapped_column(default=list, server_default="[]")
    error: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    job_id: Mapped[UUID]

    @property
    def provider(self) -> str | None:
        """The tool that a list of people at an event comes from."""
        return None if self.connection_id is None else self.source.partition(":")[0]


class ImportFile(Tenanted, Base):
    """A part of the uploaded bytes; kept until the rows are read, so that any worker can read them."""

    __tablename__ = "import_files"
    __table_args__ = (ForeignKeyConstraint(["tenant_id", "import_id"], ["imports.tenant_id", "imports.id"]),)
    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    part: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[bytes] = mapped_column(info=PERSONAL)


class ImportRow(Tenanted, Base):
    """One row: what it says, what it would do, and what it did."""

    __tablename__ = "import_rows"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "import_id"], ["imports.tenant_id", "imports.id"]),
        CheckConstraint(
            "verdict in ('create', 'update', 'unchanged', 'possible_duplicate', 'blocked_erased', 'no_consent_basis',"
            " 'invalid')",
            name="verdict",
        ),
        Index("ix_import_rows_verdict", "tenant_id", "import_id", "verdict", "row"),
        Index("ix_import_rows_candidate_id", "tenant_id", "candidate_id"),
    )
    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True)
    cells: Mapped[list[Any]] = mapped_column(info=PERSONAL)
    """The text of each column, null where no field takes it."""
    flaws: Mapped[list[Any]] = mapped_column(server_default="[]")
    verdict: Mapped[str | None]
    candidate_id: Mapped[UUID | None]
    """As it was given; it may have been merged since."""
    record_id: Mapped[UUID | None]
    created: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """Whether the row made the candidate."""
    pair_ids: Mapped[list[UUID]] = mapped_column(server_default="{}")
    errors: Mapped[list[Any]] = mapped_column(server_default="[]")
    warnings: Mapped[list[Any]] = mapped_column(server_default="[]")
    applied_at: Mapped[datetime | None]
    """When it was written; null again once that is undone."""
