"""Connectors: connections, what came through them, what was refused, and how many of each."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.kit.protect import protect, route

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLES = ("connections", "deliveries", "delivery_counts", "refusals")
HOOK_ROUTE = route(
    "hook_route",
    "given uuid",
    "uuid",
    "select tenant_id from connections where id = given and removed_at is null",
    {"connections": "tenant_id, id, removed_at"},
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '15min'")
    op.create_table(
        "connections",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("settings", postgresql.JSONB(), nullable=False),
        sa.Column("secrets_enc", postgresql.BYTEA(), nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("removed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_connections")),
    )
    op.create_index("ix_connections_id", "connections", ["id"], unique=False)
    op.create_table(
        "deliveries",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("dedupe_key", postgresql.BYTEA(), nullable=True),
        sa.Column("raw", postgresql.BYTEA(), nullable=True),
        sa.Column("headers", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("signals", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("unreadable", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("touchpoint_ids", postgresql.ARRAY(sa.Uuid()), server_default="{}", nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("received_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("status in ('stored', 'parsed', 'duplicate', 'dead')", name=op.f("ck_deliveries_status")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "connection_id"],
            ["connections.tenant_id", "connections.id"],
            name=op.f("fk_deliveries_tenant_id_connection_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint(
            "tenant_id", "connection_id", "dedupe_key", name=op.f("uq_deliveries_tenant_id_connection_id_dedupe_key")
        ),
    )
    op.create_index(
        "ix_deliveries_raw",
        "deliveries",
        ["tenant_id", "connection_id", "received_at"],
        unique=False,
        postgresql_where=sa.text("raw is not null"),
    )
    op.create_index("ix_deliveries_status", "deliveries", ["tenant_id", "connection_id", "status", "id"], unique=False)
    op.create_table(
        "delivery_counts",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("share", sa.BigInteger(), nullable=False),
        sa.Column("stored", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("duplicate", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("refused", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("dead", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "connection_id"],
            ["connections.tenant_id", "connections.id"],
            name=op.f("fk_delivery_counts_tenant_id_connection_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "connection_id", "share", name=op.f("pk_delivery_counts")),
    )
    op.create_table(
        "refusals",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("share", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("received_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "connection_id"],
            ["connections.tenant_id", "connections.id"],
            name=op.f("fk_refusals_tenant_id_connection_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "connection_id", "share", "slot", name=op.f("pk_refusals")),
    )
    for table in TABLES:
        for statement in protect(table):
            op.execute(statement)
    for statement in HOOK_ROUTE:
        op.execute(statement)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("drop function hook_route(uuid)")
    op.drop_table("refusals")
    op.drop_table("delivery_counts")
    op.drop_index("ix_deliveries_status", table_name="deliveries")
    op.drop_index("ix_deliveries_raw", table_name="deliveries", postgresql_where=sa.text("raw is not null"))
    op.drop_table("deliveries")
    op.drop_index("ix_connections_id", table_name="connections")
    op.drop_table("connections")
