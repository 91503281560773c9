"""The timeline: what happened between company and person, once per source and event."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.kit.protect import protect

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = ("touchpoints",)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '15min'")
    op.create_table(
        "touchpoints",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=True),
        sa.Column("arrived_with", sa.Uuid(), nullable=True),
        sa.Column("identifier_kind", sa.Text(), nullable=True),
        sa.Column("identifier_source", sa.Text(), nullable=True),
        sa.Column("identifier_value", sa.Text(), nullable=True),
        sa.Column("identifier_hash", postgresql.BYTEA(), nullable=True),
        sa.Column("unmatched_reason", sa.Text(), nullable=True),
        sa.Column("type", sa.Text(collation="C"), nullable=False),
        sa.Column("occurred_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("source", sa.Text(collation="C"), nullable=False),
        sa.Column("external_id", sa.Text(collation="C"), nullable=True),
        sa.Column("topics", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("data", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("message_id", sa.Text(collation="C"), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("actor_reasons", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("actor_rule_version", sa.BigInteger(), nullable=True),
        sa.Column("actor_by", sa.Text(), server_default="rule", nullable=False),
        sa.Column("provider_flag", sa.Text(), nullable=True),
        sa.Column("agent_class", sa.Text(), server_default="none", nullable=False),
        sa.Column("address_class", sa.Text(), server_default="none", nullable=False),
        sa.Column("method_class", sa.Text(), server_default="none", nullable=False),
        sa.Column("seconds_since_delivery", sa.Float(), nullable=True),
        sa.Column("connection_id", sa.Uuid(), nullable=True),
        sa.Column("delivery_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("actor in ('human', 'machine', 'unknown')", name=op.f("ck_touchpoints_actor")),
        sa.CheckConstraint("actor_by in ('rule', 'given', 'person')", name=op.f("ck_touchpoints_actor_by")),
        sa.CheckConstraint(
            "identifier_kind in ('email', 'phone', 'external_id')", name=op.f("ck_touchpoints_identifier_kind")
        ),
        sa.CheckConstraint(
            "unmatched_reason in ('unknown', 'ambiguous')", name=op.f("ck_touchpoints_unmatched_reason")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "candidate_id"],
            ["candidates.tenant_id", "candidates.id"],
            name=op.f("fk_touchpoints_tenant_id_candidate_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_touchpoints")),
    )
    op.create_index(
        "ix_touchpoints_identifier",
        "touchpoints",
        ["tenant_id", "identifier_kind", "identifier_hash"],
        unique=False,
        postgresql_where=sa.text("candidate_id is null"),
    )
    op.create_index(
        "ix_touchpoints_message",
        "touchpoints",
        ["tenant_id", "message_id", "candidate_id"],
        unique=False,
        postgresql_where=sa.text("message_id is not null"),
    )
    op.create_index(
        "ix_touchpoints_timeline",
        "touchpoints",
        ["tenant_id", "candidate_id", sa.literal_column("occurred_at desc"), "id"],
        unique=False,
    )
    op.create_index("ix_touchpoints_type", "touchpoints", ["tenant_id", "type", "occurred_at"], unique=False)
    op.create_index(
        "ix_touchpoints_unmatched",
        "touchpoints",
        ["tenant_id", "id"],
        unique=False,
        postgresql_where=sa.text("candidate_id is null"),
    )
    op.create_index(
        "uq_touchpoints_event",
        "touchpoints",
        ["tenant_id", "source", "external_id"],
        unique=True,
        postgresql_where=sa.text("external_id is not null"),
    )
    for table in TABLES:
        for statement in protect(table):
            op.execute(statement)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_index("uq_touchpoints_event", table_name="touchpoints", postgresql_where=sa.text("external_id is not null"))
    op.drop_index(
        "ix_touchpoints_unmatched", table_name="touchpoints", postgresql_where=sa.text("candidate_id is null")
    )
    op.drop_index("ix_touchpoints_type", table_name="touchpoints")
    op.drop_index("ix_touchpoints_timeline", table_name="touchpoints")
    op.drop_index(
        "ix_touchpoints_message", table_name="touchpoints", postgresql_where=sa.text("message_id is not null")
    )
    op.drop_index(
        "ix_touchpoints_identifier", table_name="touchpoints", postgresql_where=sa.text("candidate_id is null")
    )
    op.drop_table("touchpoints")
