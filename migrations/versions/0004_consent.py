"""Consent: statements, suppressions, contact decisions, contacts that count, leases."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.kit.protect import protect

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = ("suppressions", "contact_decisions", "contact_uses", "leases")

# The ledger is append-only: a merge moves a statement to the survivor, an erasure empties its evidence, nothing else.
KEPT = """
create function consents_keep_evidence() returns trigger language plpgsql as $$
begin
  if new.evidence is not null and new.evidence is distinct from old.evidence then
    raise exception 'the evidence of a consent can only be emptied';
  end if;
  return new;
end $$"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '15min'")
    op.create_table(
        "suppressions",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value_hmac", postgresql.BYTEA(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("since", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "channel in ('email', 'phone', 'sms', 'sns', 'post', 'any')", name=op.f("ck_suppressions_channel")
        ),
        sa.CheckConstraint(
            "kind in ('email', 'phone', 'url', 'text', 'external_id')", name=op.f("ck_suppressions_kind")
        ),
        sa.CheckConstraint(
            "reason in ('manual', 'unsubscribed', 'hard_bounce', 'complaint', 'erased')",
            name=op.f("ck_suppressions_reason"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_suppressions")),
        sa.UniqueConstraint(
            "tenant_id",
            "channel",
            "kind",
            "value_hmac",
            "reason",
            name=op.f("uq_suppressions_tenant_id_channel_kind_value_hmac_reason"),
        ),
    )
    op.create_index("ix_suppressions_value_hmac", "suppressions", ["tenant_id", "value_hmac"], unique=False)
    op.create_table(
        "consents",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("arrived_with", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=True),
        sa.Column("policy_version", sa.Text(), nullable=True),
        sa.Column("wording", sa.Text(), nullable=True),
        sa.Column("wording_hash", postgresql.BYTEA(), nullable=True),
        sa.Column("evidence", postgresql.JSONB(), nullable=True),
        sa.Column("lift_suppression", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("obtained_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "basis in ('consent', 'existing_dealings', 'written_notice', 'published_address', 'legitimate_interest')",
            name=op.f("ck_consents_basis"),
        ),
        sa.CheckConstraint("channel in ('email', 'phone', 'sms', 'sns', 'post')", name=op.f("ck_consents_channel")),
        sa.CheckConstraint("status = 'withdrawn' or basis is not null", name=op.f("ck_consents_grant_has_basis")),
        sa.CheckConstraint("status in ('granted', 'withdrawn')", name=op.f("ck_consents_status")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "candidate_id"],
            ["candidates.tenant_id", "candidates.id"],
            name=op.f("fk_consents_tenant_id_candidate_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_consents")),
    )
    op.create_index(
        "ix_consents_candidate_id",
        "consents",
        ["tenant_id", "candidate_id", "purpose", "channel", sa.literal_column("obtained_at desc")],
        unique=False,
    )
    op.create_table(
        "contact_decisions",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("arrived_with", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("not_before", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("reasons", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("rule_version", sa.BigInteger(), nullable=False),
        sa.Column("consent_id", sa.Uuid(), nullable=True),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "channel in ('email', 'phone', 'sms', 'sns', 'post')", name=op.f("ck_contact_decisions_channel")
        ),
        sa.CheckConstraint("decision in ('allow', 'deny', 'not_before')", name=op.f("ck_contact_decisions_decision")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "candidate_id"],
            ["candidates.tenant_id", "candidates.id"],
            name=op.f("fk_contact_decisions_tenant_id_candidate_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_contact_decisions")),
    )
    op.create_index(
        "ix_contact_decisions_candidate_id",
        "contact_decisions",
        ["tenant_id", "candidate_id", sa.literal_column("at desc")],
        unique=False,
    )
    op.create_table(
        "contact_uses",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("arrived_with", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("counted_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("human_sign_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "candidate_id"],
            ["candidates.tenant_id", "candidates.id"],
            name=op.f("fk_contact_uses_tenant_id_candidate_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "message_id", name=op.f("pk_contact_uses")),
    )
    op.create_index(
        "ix_contact_uses_candidate_id",
        "contact_uses",
        ["tenant_id", "candidate_id", "channel", sa.literal_column("counted_at desc")],
        unique=False,
    )
    op.create_table(
        "leases",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("pool_id", sa.Uuid(), nullable=True),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "candidate_id"],
            ["candidates.tenant_id", "candidates.id"],
            name=op.f("fk_leases_tenant_id_candidate_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "candidate_id", name=op.f("pk_leases")),
    )
    for statement in protect("consents", grants="select, insert, update (candidate_id, evidence)"):
        op.execute(statement)
    op.execute(KEPT)
    op.execute(
        "create trigger consents_keep_evidence before update on consents"
        " for each row execute function consents_keep_evidence()"
    )
    for table in TABLES:
        for statement in protect(table):
            op.execute(statement)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("leases")
    op.drop_index("ix_contact_uses_candidate_id", table_name="contact_uses")
    op.drop_table("contact_uses")
    op.drop_index("ix_contact_decisions_candidate_id", table_name="contact_decisions")
    op.drop_table("contact_decisions")
    op.drop_index("ix_consents_candidate_id", table_name="consents")
    op.drop_table("consents")
    op.execute("drop function consents_keep_evidence()")
    op.drop_index("ix_suppressions_value_hmac", table_name="suppressions")
    op.drop_table("suppressions")
