"""Imports: files, their rows with a verdict each, and what each row did."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.kit.protect import protect

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLES = ("imports", "import_files", "import_rows")


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '15min'")
    op.create_table(
        "imports",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("file_sha256", postgresql.BYTEA(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("encoding", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_type", sa.Text(), nullable=True),
        sa.Column("basis", sa.Text(), nullable=True),
        sa.Column("commit", sa.Text(), nullable=False),
        sa.Column("mapping", postgresql.JSONB(), nullable=False),
        sa.Column("columns", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("warnings", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("counts", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("conflicts", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("error", postgresql.JSONB(), nullable=True),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("commit in ('manual', 'auto')", name=op.f("ck_imports_commit")),
        sa.CheckConstraint("format in ('csv', 'tsv', 'xlsx', 'ndjson')", name=op.f("ck_imports_format")),
        sa.CheckConstraint(
            "state in ('staging', 'staged', 'committing', 'committed', 'undoing', 'undone', 'failed', 'cancelled')",
            name=op.f("ck_imports_state"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_imports")),
    )
    op.create_table(
        "import_files",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("part", sa.BigInteger(), nullable=False),
        sa.Column("content", postgresql.BYTEA(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "import_id"],
            ["imports.tenant_id", "imports.id"],
            name=op.f("fk_import_files_tenant_id_import_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "import_id", "part", name=op.f("pk_import_files")),
    )
    op.create_table(
        "import_rows",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("row", sa.BigInteger(), nullable=False),
        sa.Column("cells", postgresql.JSONB(), nullable=False),
        sa.Column("flaws", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("candidate_id", sa.Uuid(), nullable=True),
        sa.Column("record_id", sa.Uuid(), nullable=True),
        sa.Column("created", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("pair_ids", postgresql.ARRAY(sa.Uuid()), server_default="{}", nullable=False),
        sa.Column("errors", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("warnings", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("applied_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "verdict in ('create', 'update', 'unchanged', 'possible_duplicate', 'blocked_erased', 'no_consent_basis',"
            " 'invalid')",
            name=op.f("ck_import_rows_verdict"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "import_id"],
            ["imports.tenant_id", "imports.id"],
            name=op.f("fk_import_rows_tenant_id_import_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "import_id", "row", name=op.f("pk_import_rows")),
    )
    op.create_index("ix_import_rows_candidate_id", "import_rows", ["tenant_id", "candidate_id"], unique=False)
    op.create_index("ix_import_rows_verdict", "import_rows", ["tenant_id", "import_id", "verdict", "row"], unique=False)
    for table in TABLES:
        for statement in protect(table):
            op.execute(statement)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_index("ix_import_rows_verdict", table_name="import_rows")
    op.drop_index("ix_import_rows_candidate_id", table_name="import_rows")
    op.drop_table("import_rows")
    op.drop_table("import_files")
    op.drop_table("imports")
