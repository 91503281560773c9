"""Merges, what they keep for their undoing, and no row for somebody who was merged meanwhile."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.kit.protect import protect

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TABLES = ("merges",)
OWNED = (
    "records", "identifiers", "external_ids", "consents", "contact_decisions", "contact_uses", "leases", "touchpoints",
    "scores", "pool_members", "pool_overrides", "enrollments", "messages",
)  # fmt: skip
REFUSE = """
create function {name}() returns trigger language plpgsql as $$
begin
  if exists (
    select from added a join candidates c on c.tenant_id = a.tenant_id and {join} where c.merged_into is not null
  ) then
    -- The class of a serialisation failure: the transaction is run again, and then finds the survivor.
    raise exception 'somebody was merged meanwhile' using errcode = '40001';
  end if;
  return null;
end $$
"""
TRIGGER = """
create trigger no_row_of_the_merged after insert on {table}
referencing new table as added for each statement execute function {name}()
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '15min'")
    op.create_table(
        "merges",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("survivor_id", sa.Uuid(), nullable=False),
        sa.Column("loser_id", sa.Uuid(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="done", nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("plan", postgresql.JSONB(), nullable=False),
        sa.Column("kept", postgresql.JSONB(), nullable=False),
        sa.Column("undone_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("by in ('person', 'model', 'rule')", name=op.f("ck_merges_by")),
        sa.CheckConstraint("state in ('done', 'undone')", name=op.f("ck_merges_state")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "loser_id"], ["candidates.tenant_id", "candidates.id"], name="fk_merges_loser_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "survivor_id"], ["candidates.tenant_id", "candidates.id"], name="fk_merges_survivor_id"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_merges")),
    )
    op.create_index("ix_merges_loser_id", "merges", ["tenant_id", "loser_id"], unique=False)
    op.create_index(
        "ix_merges_survivor_id", "merges", ["tenant_id", "survivor_id", sa.literal_column("id desc")], unique=False
    )
    op.create_index(
        "uq_merges_done", "merges", ["tenant_id", "loser_id"], unique=True, postgresql_where=sa.text("state = 'done'")
    )
    for table in TABLES:
        for statement in protect(table):
            op.execute(statement)
    op.execute("alter table candidate_pairs add column note text, add column merge_id uuid")
    op.execute("alter table link_decisions add column merge_id uuid, add column revoked_by uuid")
    for column in ("merge_id", "revoked_by"):
        # The product is not in use yet: there is no write that an index built the short way could hold up.
        op.execute(
            "-- squawk-ignore require-concurrent-index-creation\n"
            f"create index ix_link_decisions_{column} on link_decisions (tenant_id, {column})"
            f" where {column} is not null"
        )
    op.execute(REFUSE.format(name="refuse_merged", join="c.id = a.candidate_id"))
    op.execute(REFUSE.format(name="refuse_merged_pair", join="c.id in (a.left_id, a.right_id)"))
    for table in OWNED:
        op.execute(TRIGGER.format(table=table, name="refuse_merged"))
    op.execute(TRIGGER.format(table="candidate_pairs", name="refuse_merged_pair"))


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for table in (*OWNED, "candidate_pairs"):
        op.execute(f"drop trigger no_row_of_the_merged on {table}")
    op.execute("drop function refuse_merged()")
    op.execute("drop function refuse_merged_pair()")
    op.drop_index("ix_link_decisions_revoked_by", table_name="link_decisions")
    op.drop_index("ix_link_decisions_merge_id", table_name="link_decisions")
    op.execute("alter table link_decisions drop column merge_id, drop column revoked_by")
    op.execute("alter table candidate_pairs drop column note, drop column merge_id")
    op.drop_index("uq_merges_done", table_name="merges", postgresql_where=sa.text("state = 'done'"))
    op.drop_index("ix_merges_survivor_id", table_name="merges")
    op.drop_index("ix_merges_loser_id", table_name="merges")
    op.drop_table("merges")
