"""The checks of all foreign keys are planned once, by keys, and for nobody's tenant in particular.

A check that is planned for its own values looks them up in the statistics, which know nothing of a new tenant: it then
reads all that this tenant has, for every row. And of a statement that writes several tables the first to be done ended
the plain planning of the others' checks.
"""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

FIVE = ("touchpoints", "records", "identifiers", "external_ids", "import_rows")
TABLES = (
    *FIVE,
    *("aliases", "candidate_pairs", "consents", "contact_decisions", "contact_uses", "deliveries"),
    *("delivery_counts", "enrollments", "entry_marks", "erasure_acks", "erasures", "import_files"),
    *("leases", "link_decisions", "merges", "message_links", "messages", "page_tokens"),
    *("pool_members", "pool_overrides", "refusals", "scores", "sequence_revisions", "template_revisions"),
)
MOMENTS = ("before", "after")
# Checks fire after the whole statement: whoever is the last of its tables puts back what the first has set.
COUNTED = """
create or replace function plan_checks_once() returns trigger language plpgsql as $$
declare
  writing int := coalesce(nullif(current_setting('app.writing', true), ''), '0')::int
    + case when tg_when = 'BEFORE' then 1 else -1 end;
begin
  perform set_config('app.writing', writing::text, true),
    set_config('plan_cache_mode', case when writing > 0 then 'force_generic_plan' else 'force_custom_plan' end, true),
    set_config('enable_seqscan', case when writing > 0 then 'off' else 'on' end, true);
  return null;
end $$"""
BY_MODE = """
create or replace function plan_checks_once() returns trigger language plpgsql as $$
begin
  if tg_when = 'BEFORE' then
    set local plan_cache_mode = auto;
  else
    set local plan_cache_mode = force_custom_plan;
  end if;
  return null;
end $$"""
TRIGGER = """
create trigger plan_checks_{moment} {moment} insert on {table} for each statement
when ({condition}) execute function plan_checks_once()
"""
OUTSIDE_KEYS = "current_setting('enable_hashjoin') = 'on'"
"""A transaction by keys has said by itself how it plans."""
MODES = {"before": "force_custom_plan", "after": "auto"}


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '15min'")
    op.execute(COUNTED)
    for table in TABLES:
        for moment in MOMENTS:
            if table in FIVE:
                op.execute(f"drop trigger plan_checks_{moment} on {table}")
            op.execute(TRIGGER.format(moment=moment, table=table, condition=OUTSIDE_KEYS))


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '15min'")
    for table in TABLES:
        for moment in MOMENTS:
            op.execute(f"drop trigger plan_checks_{moment} on {table}")
            if table in FIVE:
                condition = f"current_setting('plan_cache_mode') = '{MODES[moment]}'"
                op.execute(TRIGGER.format(moment=moment, table=table, condition=condition))
    op.execute(BY_MODE)
