"""The ground: tenants, keys, audit; the feed, due work, jobs, idempotency; the routing functions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.kit.protect import protect, route

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = ("api_keys", "audit", "changes", "due", "feed_heads", "idempotency_keys", "jobs")
ROUTES = (
    *route(
        "auth_key",
        "given text",
        "uuid",
        "select tenant_id from api_keys where id_text = given",
        {"api_keys": "tenant_id, id_text"},
    ),
    *route(
        "tenant_named",
        "given text",
        "uuid",
        "select id from tenants where name = given",
        {"tenants": "id, name"},
    ),
    *route(
        "feed_tenants",
        "most int",
        "setof uuid",
        "select distinct tenant_id from changes where seq is null limit most",
        {"changes": "tenant_id, n, seq"},
    ),
    *route(
        "due_tenants",
        "wanted text, most int",
        "setof uuid",
        """select tenant_id from (
             select distinct tenant_id from due where kind = wanted and due_at <= now()
             union
             select distinct tenant_id from jobs where wanted = 'jobs' and state in ('queued', 'running')
               and (state = 'queued' or lease_until < now())
           ) as waiting order by random() limit most""",
        {"due": "tenant_id, kind, due_at", "jobs": "tenant_id, state, lease_until"},
    ),
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '15min'")
    op.create_table(
        "api_keys",
        sa.Column(
            "tenant_id",
            sa.Uuid(),
            server_default=sa.text("(current_setting('app.tenant'))::uuid"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("id_text", sa.Text(), nullable=False),
        sa.Column("sha256", postgresql.BYTEA(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("revoked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("last_used_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("id_text", name=op.f("uq_api_keys_id_text")),
    )
    op.create_index("ix_api_keys_key_id", "api_keys", ["tenant_id", "key_id"], unique=False)
    op.create_table(
        "audit",
        sa.Column(
            "tenant_id",
            sa.Uuid(),
            server_default=sa.text("(current_setting('app.tenant'))::uuid"),
            nullable=False,
        ),
        sa.Column("n", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("act_as", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("ids", postgresql.ARRAY(sa.Uuid()), server_default="{}", nullable=False),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("fields", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "n", name=op.f("pk_audit")),
    )
    op.create_table(
        "changes",
        sa.Column(
            "tenant_id",
            sa.Uuid(),
            server_default=sa.text("(current_setting('app.tenant'))::uuid"),
            nullable=False,
        ),
        sa.Column("n", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=True),
        sa.Column("changed_fields", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("actor", sa.Text(), server_default=sa.text("current_setting('app.actor')"), nullable=False),
        sa.Column(
            "at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("tenant_id", "n", name=op.f("pk_changes")),
        sa.UniqueConstraint("tenant_id", "seq", name=op.f("uq_changes_tenant_id_seq")),
    )
    op.create_index("ix_changes_unnumbered", "changes", ["n"], unique=False, postgresql_where=sa.text("seq is null"))
    op.create_table(
        "due",
        sa.Column(
            "tenant_id",
            sa.Uuid(),
            server_default=sa.text("(current_setting('app.tenant'))::uuid"),
            nullable=False,
        ),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("due_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_error_code", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "kind", "key", name=op.f("pk_due")),
    )
    op.create_index("ix_due_kind_due_at", "due", ["kind", "due_at"], unique=False)
    op.create_table(
        "feed_heads",
        sa.Column(
            "tenant_id",
            sa.Uuid(),
            server_default=sa.text("(current_setting('app.tenant'))::uuid"),
            nullable=False,
        ),
        sa.Column("last_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("oldest_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_feed_heads")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column(
            "tenant_id",
            sa.Uuid(),
            server_default=sa.text("(current_setting('app.tenant'))::uuid"),
            nullable=False,
        ),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", postgresql.BYTEA(), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=False),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("body", postgresql.BYTEA(), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "route", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index("ix_idempotency_keys_expires_at", "idempotency_keys", ["tenant_id", "expires_at"], unique=False)
    op.create_table(
        "jobs",
        sa.Column(
            "tenant_id",
            sa.Uuid(),
            server_default=sa.text("(current_setting('app.tenant'))::uuid"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("arguments", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("done", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=True),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("result", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("error", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("cursor", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("worker", sa.Uuid(), nullable=True),
        sa.Column("lease_until", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("started_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("finished_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_jobs")),
    )
    op.create_index(
        "ix_jobs_live",
        "jobs",
        ["tenant_id", "state", "lease_until"],
        unique=False,
        postgresql_where=sa.text("state in ('queued', 'running')"),
    )
    op.create_table(
        "tenants",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), server_default="Asia/Tokyo", nullable=False),
        sa.Column("country_code", sa.Text(), server_default="JP", nullable=False),
        sa.Column("language", sa.Text(), server_default="ja", nullable=False),
        sa.Column("sender", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("send_window", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("frequency_caps", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("fatigue_guard", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("rates", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("tracking", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("require_if_match", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenants")),
        sa.UniqueConstraint("name", name=op.f("uq_tenants_name")),
    )
    for table in TABLES:
        for statement in protect(table):
            op.execute(statement)
    for statement in protect("tenants", column="id"):
        op.execute(statement)
    for statement in ROUTES:
        op.execute(statement)
    op.execute("grant select on alembic_version to talentpool_app")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for function in ("auth_key(text)", "tenant_named(text)", "feed_tenants(int)", "due_tenants(text, int)"):
        op.execute(f"drop function {function}")
    op.drop_table("tenants")
    op.drop_index("ix_jobs_live", table_name="jobs", postgresql_where=sa.text("state in ('queued', 'running')"))
    op.drop_table("jobs")
    op.drop_index("ix_idempotency_keys_expires_at", table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_table("feed_heads")
    op.drop_index("ix_due_kind_due_at", table_name="due")
    op.drop_table("due")
    op.drop_index("ix_changes_unnumbered", table_name="changes", postgresql_where=sa.text("seq is null"))
    op.drop_table("changes")
    op.drop_table("audit")
    op.drop_index("ix_api_keys_key_id", table_name="api_keys")
    op.drop_table("api_keys")
