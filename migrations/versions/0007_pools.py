"""Pools, their members, and what was decided by hand."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.kit.protect import protect

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = ("pools", "pool_members", "pool_overrides")


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '15min'")
    op.create_table(
        "pools",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("criteria", postgresql.JSONB(), nullable=False),
        sa.Column("required_fields", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("score_model", sa.Text(), nullable=False),
        sa.Column("threshold", sa.Float(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("archived_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_pools")),
    )
    op.create_index(
        "uq_pools_key", "pools", ["tenant_id", "key"], unique=True, postgresql_where=sa.text("archived_at is null")
    )
    op.create_table(
        "pool_members",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("pool_id", sa.Uuid(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("since", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("by in ('criteria', 'hand')", name=op.f("ck_pool_members_by")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "candidate_id"],
            ["candidates.tenant_id", "candidates.id"],
            name=op.f("fk_pool_members_tenant_id_candidate_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "pool_id"], ["pools.tenant_id", "pools.id"], name=op.f("fk_pool_members_tenant_id_pool_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "pool_id", "candidate_id", name=op.f("pk_pool_members")),
    )
    op.create_index("ix_pool_members_candidate_id", "pool_members", ["tenant_id", "candidate_id"], unique=False)
    op.create_table(
        "pool_overrides",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("pool_id", sa.Uuid(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("arrived_with", sa.Uuid(), nullable=False),
        sa.Column("membership", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("membership in ('include', 'exclude')", name=op.f("ck_pool_overrides_membership")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "candidate_id"],
            ["candidates.tenant_id", "candidates.id"],
            name=op.f("fk_pool_overrides_tenant_id_candidate_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "pool_id"], ["pools.tenant_id", "pools.id"], name=op.f("fk_pool_overrides_tenant_id_pool_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "pool_id", "candidate_id", name=op.f("pk_pool_overrides")),
    )
    op.create_index("ix_pool_overrides_candidate_id", "pool_overrides", ["tenant_id", "candidate_id"], unique=False)
    for table in TABLES:
        for statement in protect(table):
            op.execute(statement)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_index("ix_pool_overrides_candidate_id", table_name="pool_overrides")
    op.drop_table("pool_overrides")
    op.drop_index("ix_pool_members_candidate_id", table_name="pool_members")
    op.drop_table("pool_members")
    op.drop_index("uq_pools_key", table_name="pools", postgresql_where=sa.text("archived_at is null"))
    op.drop_table("pools")
