"""Contents, templates, sequences, enrollments, messages, and which tenants have mail to send."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.kit.protect import protect, route

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = (
    "contents",
    "templates",
    "template_revisions",
    "sequences",
    "sequence_revisions",
    "enrollments",
    "messages",
    "send_buckets",
)
ROUTES = route(
    "sender_tenants",
    "most int",
    "setof uuid",
    """select tenant_id from (
         select distinct tenant_id from messages where state in ('scheduled', 'retry') and scheduled_at <= now()
         union
         select distinct tenant_id from messages where state in ('claimed', 'transmitting')
       ) as waiting order by random() limit most""",
    {"messages": "tenant_id, state, scheduled_at"},
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '15min'")
    op.create_table(
        "contents",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=True),
        sa.Column("topics", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind in ('article', 'interview', 'event', 'job')", name=op.f("ck_contents_kind")),
        sa.CheckConstraint("status in ('active', 'archived')", name=op.f("ck_contents_status")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_contents")),
        sa.UniqueConstraint("tenant_id", "key", name=op.f("uq_contents_tenant_id_key")),
    )
    op.create_index("ix_contents_kind", "contents", ["tenant_id", "kind", "status", "expires_at"], unique=False)
    op.create_table(
        "send_buckets",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("tokens", sa.Float(), nullable=False),
        sa.Column("refilled_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "domain", name=op.f("pk_send_buckets")),
    )
    op.create_table(
        "sequences",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="draft", nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=True),
        sa.Column("draft_revision", sa.BigInteger(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("status in ('draft', 'active', 'paused', 'archived')", name=op.f("ck_sequences_status")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_sequences")),
        sa.UniqueConstraint("tenant_id", "key", name=op.f("uq_sequences_tenant_id_key")),
    )
    op.create_table(
        "templates",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_templates")),
        sa.UniqueConstraint("tenant_id", "key", name=op.f("uq_templates_tenant_id_key")),
    )
    op.create_table(
        "enrollments",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("sequence_id", sa.Uuid(), nullable=False),
        sa.Column("sequence_revision", sa.BigInteger(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("arrived_with", sa.Uuid(), nullable=False),
        sa.Column("occurrence", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("state", sa.Text(), server_default="active", nullable=False),
        sa.Column("step", sa.Text(), nullable=True),
        sa.Column("next_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("exit", postgresql.JSONB(), nullable=True),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.Column("started_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("finished_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("state in ('active', 'completed', 'exited', 'stopped')", name=op.f("ck_enrollments_state")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "candidate_id"],
            ["candidates.tenant_id", "candidates.id"],
            name=op.f("fk_enrollments_tenant_id_candidate_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "sequence_id"],
            ["sequences.tenant_id", "sequences.id"],
            name=op.f("fk_enrollments_tenant_id_sequence_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_enrollments")),
    )
    op.create_index("ix_enrollments_candidate_id", "enrollments", ["tenant_id", "candidate_id"], unique=False)
    op.create_index("ix_enrollments_sequence_id", "enrollments", ["tenant_id", "sequence_id", "state"], unique=False)
    op.create_index(
        "uq_enrollments_active",
        "enrollments",
        ["tenant_id", "sequence_id", "candidate_id"],
        unique=True,
        postgresql_where=sa.text("state = 'active'"),
    )
    op.create_table(
        "sequence_revisions",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sequence_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("definition", postgresql.JSONB(), nullable=False),
        sa.Column("templates", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("activated_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "sequence_id"],
            ["sequences.tenant_id", "sequences.id"],
            name=op.f("fk_sequence_revisions_tenant_id_sequence_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_sequence_revisions")),
        sa.UniqueConstraint(
            "tenant_id", "sequence_id", "revision", name=op.f("uq_sequence_revisions_tenant_id_sequence_id_revision")
        ),
    )
    op.create_table(
        "template_revisions",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("preheader", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("on_unknown", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "audience in ('candidate', 'internal', 'transactional')", name=op.f("ck_template_revisions_audience")
        ),
        sa.CheckConstraint("format in ('mjml', 'html')", name=op.f("ck_template_revisions_format")),
        sa.CheckConstraint("on_unknown in ('hold', 'resend')", name=op.f("ck_template_revisions_on_unknown")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "template_id"],
            ["templates.tenant_id", "templates.id"],
            name=op.f("fk_template_revisions_tenant_id_template_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_template_revisions")),
        sa.UniqueConstraint(
            "tenant_id", "template_id", "revision", name=op.f("uq_template_revisions_tenant_id_template_id_revision")
        ),
    )
    op.create_table(
        "messages",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("enrollment_id", sa.Uuid(), nullable=False),
        sa.Column("sequence_id", sa.Uuid(), nullable=False),
        sa.Column("sequence_revision", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("occurrence", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), server_default="email", nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("template_revision", sa.BigInteger(), nullable=False),
        sa.Column("content_id", sa.Uuid(), nullable=True),
        sa.Column("content_reason", postgresql.JSONB(), nullable=True),
        sa.Column("state", sa.Text(), server_default="scheduled", nullable=False),
        sa.Column("reasons", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("attempt", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("resent", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("due_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("scheduled_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("lease_until", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("worker", sa.Uuid(), nullable=True),
        sa.Column("transmitting_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("sent_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("message_id_header", sa.Text(), nullable=True),
        sa.Column("to", sa.Text(), nullable=True),
        sa.Column("smtp", postgresql.JSONB(), nullable=True),
        sa.Column("decision_id", sa.Uuid(), nullable=True),
        sa.Column("consent_id", sa.Uuid(), nullable=True),
        sa.Column("delivery", sa.Text(), server_default="none", nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "delivery in ('none', 'delivered', 'bounced', 'complained')", name=op.f("ck_messages_delivery")
        ),
        sa.CheckConstraint(
            "state in ('scheduled', 'claimed', 'transmitting', 'retry', 'sent', 'unknown', 'refused', 'failed', 'dead',"
            " 'cancelled')",
            name=op.f("ck_messages_state"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "candidate_id"],
            ["candidates.tenant_id", "candidates.id"],
            name=op.f("fk_messages_tenant_id_candidate_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "enrollment_id"],
            ["enrollments.tenant_id", "enrollments.id"],
            name=op.f("fk_messages_tenant_id_enrollment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "sequence_id"],
            ["sequences.tenant_id", "sequences.id"],
            name=op.f("fk_messages_tenant_id_sequence_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "template_id"],
            ["templates.tenant_id", "templates.id"],
            name=op.f("fk_messages_tenant_id_template_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_messages")),
        sa.UniqueConstraint(
            "tenant_id",
            "enrollment_id",
            "step",
            "occurrence",
            name=op.f("uq_messages_tenant_id_enrollment_id_step_occurrence"),
        ),
    )
    op.create_index("ix_messages_candidate_id", "messages", ["tenant_id", "candidate_id"], unique=False)
    op.create_index(
        "ix_messages_held",
        "messages",
        ["tenant_id", "worker"],
        unique=False,
        postgresql_where=sa.text("state in ('claimed', 'transmitting')"),
    )
    op.create_index("ix_messages_sequence_id", "messages", ["tenant_id", "sequence_id", "step", "state"], unique=False)
    op.create_index("ix_messages_template_id", "messages", ["tenant_id", "template_id"], unique=False)
    op.create_index(
        "ix_messages_tenant_waiting",
        "messages",
        ["tenant_id", "scheduled_at", "id"],
        unique=False,
        postgresql_where=sa.text("state in ('scheduled', 'retry')"),
    )
    op.create_index(
        "ix_messages_waiting",
        "messages",
        ["scheduled_at", "tenant_id"],
        unique=False,
        postgresql_where=sa.text("state in ('scheduled', 'retry')"),
    )
    op.create_index("uq_messages_header", "messages", ["tenant_id", "message_id_header"], unique=True)
    op.create_index(
        "uq_messages_unsent",
        "messages",
        ["tenant_id", "sequence_id", "candidate_id", "step", "occurrence"],
        unique=True,
        postgresql_where=sa.text("state in ('scheduled', 'claimed', 'retry')"),
    )
    for table in TABLES:
        for statement in protect(table):
            op.execute(statement)
    for statement in ROUTES:
        op.execute(statement)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("drop function sender_tenants(int)")
    op.drop_index(
        "uq_messages_unsent",
        table_name="messages",
        postgresql_where=sa.text("state in ('scheduled', 'claimed', 'retry')"),
    )
    op.drop_index("uq_messages_header", table_name="messages")
    op.drop_index(
        "ix_messages_waiting", table_name="messages", postgresql_where=sa.text("state in ('scheduled', 'retry')")
    )
    op.drop_index(
        "ix_messages_tenant_waiting", table_name="messages", postgresql_where=sa.text("state in ('scheduled', 'retry')")
    )
    op.drop_index("ix_messages_template_id", table_name="messages")
    op.drop_index("ix_messages_sequence_id", table_name="messages")
    op.drop_index(
        "ix_messages_held", table_name="messages", postgresql_where=sa.text("state in ('claimed', 'transmitting')")
    )
    op.drop_index("ix_messages_candidate_id", table_name="messages")
    op.drop_table("messages")
    op.drop_table("template_revisions")
    op.drop_table("sequence_revisions")
    op.drop_index("uq_enrollments_active", table_name="enrollments", postgresql_where=sa.text("state = 'active'"))
    op.drop_index("ix_enrollments_sequence_id", table_name="enrollments")
    op.drop_index("ix_enrollments_candidate_id", table_name="enrollments")
    op.drop_table("enrollments")
    op.drop_table("templates")
    op.drop_table("sequences")
    op.drop_table("send_buckets")
    op.drop_index("ix_contents_kind", table_name="contents")
    op.drop_table("contents")
