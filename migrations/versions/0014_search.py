"""What search needs: counts of facets, saved searches, definitions of custom fields, terms found from the person."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.kit.protect import protect

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TABLES = ("facet_counts", "counted", "saved_searches", "custom_fields")


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '15min'")
    op.create_table(
        "counted",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("held", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "candidate_id", name=op.f("pk_counted")),
    )
    op.create_table(
        "custom_fields",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("options", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("sensitivity", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "sensitivity in ('ordinary', 'special_care', 'restricted')", name=op.f("ck_custom_fields_sensitivity")
        ),
        sa.CheckConstraint(
            "type in ('text', 'number', 'boolean', 'date', 'choice', 'choices')", name=op.f("ck_custom_fields_type")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_custom_fields")),
        sa.UniqueConstraint("tenant_id", "key", name=op.f("uq_custom_fields_tenant_id_key")),
    )
    op.create_table(
        "facet_counts",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("field", sa.Text(collation="C"), nullable=False),
        sa.Column("value", sa.Text(collation="C"), nullable=False),
        sa.Column("people", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "field", "value", name=op.f("pk_facet_counts")),
    )
    op.create_index(
        "ix_facet_counts_people",
        "facet_counts",
        ["tenant_id", "field", sa.literal_column("people desc"), "value"],
        unique=False,
    )
    op.create_table(
        "saved_searches",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("criteria", postgresql.JSONB(), nullable=True),
        sa.Column("q", sa.Text(), nullable=True),
        sa.Column("sort", sa.Text(), nullable=True),
        sa.Column("facets", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_saved_searches")),
    )
    op.create_index("uq_saved_searches_key", "saved_searches", ["tenant_id", "key"], unique=True)
    for table in TABLES:
        for statement in protect(table):
            op.execute(statement)
    _index_terms("tenant_id", "candidate_id", "term")
    op.execute("alter table terms alter column term set statistics 1000")


def _index_terms(*columns: str) -> None:
    op.execute("-- squawk-ignore require-concurrent-index-deletion\ndrop index ix_terms_candidate_id")
    listed = ", ".join(columns)
    op.execute(
        f"-- squawk-ignore require-concurrent-index-creation\ncreate index ix_terms_candidate_id on terms ({listed})"
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    _index_terms("tenant_id", "candidate_id")
    op.execute("alter table terms alter column term set statistics -1")
    op.drop_index("uq_saved_searches_key", table_name="saved_searches")
    op.drop_table("saved_searches")
    op.drop_index("ix_facet_counts_people", table_name="facet_counts")
    op.drop_table("facet_counts")
    op.drop_table("custom_fields")
    op.drop_table("counted")
