"""Positions, pools that are rebuilt beside their members, origins of front ends, who saw whom."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.kit.protect import ROUTER, protect, route

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TABLES = ("positions", "pool_successors")
ROUTES = (
    *route(
        "origin_route",
        "given text",
        "uuid",
        "select id from tenants where given = any(allowed_origins) limit 1",
        {"tenants": "id, allowed_origins"},
    ),
    *route(
        "audit_route",
        "person uuid",
        "setof bigint",
        "select n from audit where ids @> array[person] and tenant_id = (current_setting('app.tenant'))::uuid",
        {"audit": "tenant_id, n, ids"},
    ),
)
"""The second stays in its tenant: no index of arrays is used under the policy, because their operators may leak."""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '15min'")
    op.create_table(
        "pool_successors",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("pool_id", sa.Uuid(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("by", sa.Text(), nullable=True),
        sa.Column("change", sa.Text(), nullable=True),
        sa.CheckConstraint("by in ('criteria', 'hand')", name=op.f("ck_pool_successors_by")),
        sa.CheckConstraint("change in ('added', 'removed')", name=op.f("ck_pool_successors_change")),
        sa.PrimaryKeyConstraint("tenant_id", "pool_id", "candidate_id", name=op.f("pk_pool_successors")),
    )
    op.create_table(
        "positions",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("criteria", postgresql.JSONB(), nullable=False),
        sa.Column("wishes", postgresql.JSONB(), nullable=False),
        sa.Column("score_model", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_positions")),
    )
    op.add_column("pools", sa.Column("rebuild_job_id", sa.Uuid(), nullable=True))
    op.add_column(
        "tenants", sa.Column("allowed_origins", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False)
    )
    op.execute(
        """alter table audit add column kind text default 'write' not null
           constraint ck_audit_kind check (kind in ('read', 'write', 'disclosure'))"""
    )
    op.add_column("audit", sa.Column("recipient", sa.Text(), nullable=True))
    op.execute("-- squawk-ignore require-concurrent-index-creation\ncreate index ix_audit_ids on audit using gin (ids)")
    for table in TABLES:
        for statement in protect(table):
            op.execute(statement)
    for statement in ROUTES:
        op.execute(statement)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for function in ("audit_route(uuid)", "origin_route(text)"):
        op.execute(f"drop function {function}")
    op.execute(f"revoke select (tenant_id, n, ids) on audit from {ROUTER}")
    op.execute(f"revoke select (allowed_origins) on tenants from {ROUTER}")
    op.execute("drop index ix_audit_ids")
    op.drop_column("audit", "recipient")
    op.drop_column("audit", "kind")
    op.drop_column("tenants", "allowed_origins")
    op.drop_column("pools", "rebuild_job_id")
    op.drop_table("positions")
    op.drop_table("pool_successors")
