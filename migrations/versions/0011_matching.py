"""Flat features of records, frequencies of values, models and the state of matching."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.kit.protect import protect

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLES = ("match_features", "term_frequencies", "match_state", "match_models")


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '15min'")
    op.create_table(
        "match_features",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("name", postgresql.JSONB(), nullable=True),
        sa.Column("name_kanji", sa.Text(), nullable=True),
        sa.Column("name_key", sa.Text(), nullable=True),
        sa.Column("emails", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("mobiles", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("fixed_phones", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("urls", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("nobodys", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("generic", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("external_ids", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("birth_date", sa.Text(), nullable=True),
        sa.Column("employer", sa.Text(), nullable=True),
        sa.Column("is_plain", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("family_kanji", sa.Text(), nullable=True),
        sa.Column("given_kanji", sa.Text(), nullable=True),
        sa.Column("family_kana", sa.Text(), nullable=True),
        sa.Column("given_kana", sa.Text(), nullable=True),
        sa.Column("family_latin", sa.Text(), nullable=True),
        sa.Column("given_latin", sa.Text(), nullable=True),
        sa.Column("family_key", sa.Text(), nullable=True),
        sa.Column("given_key", sa.Text(), nullable=True),
        sa.Column("is_vouched", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "record_id", name=op.f("pk_match_features")),
    )
    op.create_index("ix_match_features_candidate_id", "match_features", ["tenant_id", "candidate_id"], unique=False)
    op.create_table(
        "match_models",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("settings", postgresql.JSONB(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_match_models")),
        sa.UniqueConstraint("tenant_id", "version", name="uq_match_models_version"),
    )
    op.create_index(
        "uq_match_models_active", "match_models", ["tenant_id"], unique=True, postgresql_where=sa.text("active")
    )
    op.create_table(
        "match_state",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("pool", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("counting", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("counted_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_match_state")),
    )
    op.create_table(
        "term_frequencies",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("value_hash", postgresql.BYTEA(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "value_hash", name=op.f("pk_term_frequencies")),
    )
    op.add_column("link_decisions", sa.Column("actor", sa.Text(), nullable=True))
    op.add_column("key_stats", sa.Column("judged_at", postgresql.TIMESTAMP(timezone=True), nullable=True))
    op.create_index(
        "ix_key_stats_unjudged",
        "key_stats",
        ["tenant_id", "key_hash"],
        unique=False,
        postgresql_where=sa.text("generic and judged_at is null"),
    )
    for table in TABLES:
        for statement in protect(table):
            op.execute(statement)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_index("ix_key_stats_unjudged", table_name="key_stats")
    op.drop_column("key_stats", "judged_at")
    op.drop_column("link_decisions", "actor")
    op.drop_table("term_frequencies")
    op.drop_table("match_state")
    op.drop_index("uq_match_models_active", table_name="match_models", postgresql_where=sa.text("active"))
    op.drop_table("match_models")
    op.drop_index("ix_match_features_candidate_id", table_name="match_features")
    op.drop_table("match_features")
