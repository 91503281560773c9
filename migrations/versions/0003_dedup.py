"""Who is who: keys of records, decisions, pairs, policy."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.kit.protect import protect

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = ("record_keys", "key_stats", "link_decisions", "candidate_pairs", "dedup_policies")


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '15min'")
    op.create_table(
        "dedup_policies",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("policy", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_dedup_policies")),
        sa.UniqueConstraint("tenant_id", name="uq_dedup_policies_tenant_id"),
    )
    op.create_table(
        "key_stats",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("key_hash", postgresql.BYTEA(), nullable=False),
        sa.Column("n", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("generic", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "key_hash", name=op.f("pk_key_stats")),
    )
    op.create_table(
        "candidate_pairs",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("left_id", sa.Uuid(), nullable=False),
        sa.Column("right_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), server_default="open", nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("probability", sa.Float(), nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "reason in ('possible', 'contradiction', 'several', 'generic', 'requested')",
            name=op.f("ck_candidate_pairs_reason"),
        ),
        sa.CheckConstraint("status in ('open', 'same', 'different')", name=op.f("ck_candidate_pairs_status")),
        sa.CheckConstraint("left_id < right_id", name=op.f("ck_candidate_pairs_ordered")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "left_id"], ["candidates.tenant_id", "candidates.id"], name="fk_candidate_pairs_left_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "right_id"], ["candidates.tenant_id", "candidates.id"], name="fk_candidate_pairs_right_id"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_candidate_pairs")),
        sa.UniqueConstraint("tenant_id", "left_id", "right_id", name="uq_candidate_pairs_sides"),
    )
    op.create_index("ix_candidate_pairs_right_id", "candidate_pairs", ["tenant_id", "right_id"], unique=False)
    op.create_index(
        "ix_candidate_pairs_status",
        "candidate_pairs",
        ["tenant_id", "status", sa.literal_column("id desc")],
        unique=False,
    )
    op.create_table(
        "link_decisions",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("a", sa.Uuid(), nullable=False),
        sa.Column("b", sa.Uuid(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("model_version", sa.Text(), nullable=True),
        sa.Column("weight", sa.Float(), nullable=True),
        sa.Column("evidence", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("revoked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("by in ('rule', 'model', 'person')", name=op.f("ck_link_decisions_by")),
        sa.CheckConstraint("verdict in ('same', 'different')", name=op.f("ck_link_decisions_verdict")),
        sa.CheckConstraint("a < b", name=op.f("ck_link_decisions_ordered")),
        sa.ForeignKeyConstraint(["tenant_id", "a"], ["records.tenant_id", "records.id"], name="fk_link_decisions_a"),
        sa.ForeignKeyConstraint(["tenant_id", "b"], ["records.tenant_id", "records.id"], name="fk_link_decisions_b"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_link_decisions")),
    )
    op.create_index("ix_link_decisions_b", "link_decisions", ["tenant_id", "b"], unique=False)
    op.create_index(
        "uq_link_decisions_live",
        "link_decisions",
        ["tenant_id", "a", "b"],
        unique=True,
        postgresql_where=sa.text("revoked_at is null"),
    )
    op.create_table(
        "record_keys",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("key_hash", postgresql.BYTEA(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "key_hash", "record_id", name=op.f("pk_record_keys")),
    )
    op.create_index("ix_record_keys_candidate_id", "record_keys", ["tenant_id", "candidate_id"], unique=False)
    op.create_index("ix_record_keys_record_id", "record_keys", ["tenant_id", "record_id"], unique=False)
    for table in TABLES:
        for statement in protect(table):
            op.execute(statement)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_index("ix_record_keys_record_id", table_name="record_keys")
    op.drop_index("ix_record_keys_candidate_id", table_name="record_keys")
    op.drop_table("record_keys")
    op.drop_index("uq_link_decisions_live", table_name="link_decisions", postgresql_where=sa.text("revoked_at is null"))
    op.drop_index("ix_link_decisions_b", table_name="link_decisions")
    op.drop_table("link_decisions")
    op.drop_index("ix_candidate_pairs_status", table_name="candidate_pairs")
    op.drop_index("ix_candidate_pairs_right_id", table_name="candidate_pairs")
    op.drop_table("candidate_pairs")
    op.drop_table("key_stats")
    op.drop_table("dedup_policies")
