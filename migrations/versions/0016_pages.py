"""Erasures, tokens of pages that people open, links of mails."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.kit.protect import ROUTER, protect, route

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

TABLES = ("erasures", "erasure_acks", "page_tokens", "message_links")
ROUTES = route(
    "page_route",
    "given bytea",
    "uuid",
    "select tenant_id from page_tokens where token_hash = given",
    {"page_tokens": "tenant_id, token_hash"},
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '15min'")
    op.create_table(
        "erasures",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("alias_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("counts", postgresql.JSONB(), nullable=False),
        sa.Column("lifted_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.Text(), nullable=True),
        sa.Column("lift", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "candidate_id"],
            ["candidates.tenant_id", "candidates.id"],
            name=op.f("fk_erasures_tenant_id_candidate_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_erasures")),
    )
    op.create_index("ix_erasures_candidate_id", "erasures", ["tenant_id", "candidate_id"], unique=False)
    op.create_table(
        "page_tokens",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", postgresql.BYTEA(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("uses", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("used_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("codes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("code_expires_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("tries", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind in ('profile', 'preferences', 'privacy')", name=op.f("ck_page_tokens_kind")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "candidate_id"],
            ["candidates.tenant_id", "candidates.id"],
            name=op.f("fk_page_tokens_tenant_id_candidate_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_page_tokens")),
        sa.UniqueConstraint("tenant_id", "token_hash", name=op.f("uq_page_tokens_tenant_id_token_hash")),
    )
    op.create_index("ix_page_tokens_candidate_id", "page_tokens", ["tenant_id", "candidate_id"], unique=False)
    op.create_index("ix_page_tokens_token_hash", "page_tokens", ["token_hash"], unique=False)
    op.create_table(
        "erasure_acks",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("erasure_id", sa.Uuid(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "erasure_id"],
            ["erasures.tenant_id", "erasures.id"],
            name=op.f("fk_erasure_acks_tenant_id_erasure_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_erasure_acks")),
        sa.UniqueConstraint(
            "tenant_id", "erasure_id", "system", name=op.f("uq_erasure_acks_tenant_id_erasure_id_system")
        ),
    )
    op.create_table(
        "message_links",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "message_id"],
            ["messages.tenant_id", "messages.id"],
            name=op.f("fk_message_links_tenant_id_message_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "message_id", "n", name=op.f("pk_message_links")),
    )
    for table in TABLES:
        for statement in protect(table):
            op.execute(statement)
    for statement in ROUTES:
        op.execute(statement)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("drop function page_route(bytea)")
    op.execute(f"revoke select (tenant_id, token_hash) on page_tokens from {ROUTER}")
    op.drop_table("message_links")
    op.drop_table("erasure_acks")
    op.drop_index("ix_page_tokens_token_hash", table_name="page_tokens")
    op.drop_index("ix_page_tokens_candidate_id", table_name="page_tokens")
    op.drop_table("page_tokens")
    op.drop_index("ix_erasures_candidate_id", table_name="erasures")
    op.drop_table("erasures")
