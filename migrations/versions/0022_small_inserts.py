"""What small inserts need: one step for the usual touchpoint, and no index entry for a mail that nobody looks up."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

TABLES = ("touchpoints", "records", "identifiers", "external_ids", "import_rows")
MOMENTS = {"before": "force_custom_plan", "after": "auto"}
"""How plans are chosen when each of the two is needed: a transaction by keys has said by itself how it plans."""
TRIGGER = """
create trigger plan_checks_{moment} {moment} insert on {table} for each statement
{condition} execute function plan_checks_once()
"""
# A touchpoint of somebody who is known, with all that follows, as a transaction by itself; planned once a connection.
# Nothing is stored where nobody is: who was merged or is gone, or whose event is there, is looked at by the service.
TELL = """
create function tell_of_known(
  tenant uuid, who text, id uuid, candidate_id uuid, created_at timestamptz, occurred_at timestamptz, type text,
  source text, external_id text, message_id text, provider_flag text, actor text, actor_by text, agent_class text,
  address_class text, method_class text, topics text[], actor_reasons text[], data jsonb, actor_rule_version int,
  seconds_since_delivery float8, told jsonb, due_kinds text[], due_keys uuid[], due_times timestamptz[]
) returns boolean language plpgsql
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
#variable_conflict use_column
declare
  stored int;
begin
  perform set_config('app.tenant', tenant::text, true), set_config('app.actor', who, true);
  with cause as (
    insert into touchpoints (
      id, candidate_id, arrived_with, created_at, occurred_at, type, source, external_id, message_id, provider_flag,
      actor, actor_by, agent_class, address_class, method_class, topics, actor_reasons, data, actor_rule_version,
      seconds_since_delivery)
    select tell_of_known.id, c.id, c.id, tell_of_known.created_at, tell_of_known.occurred_at, tell_of_known.type,
      tell_of_known.source, tell_of_known.external_id, tell_of_known.message_id, tell_of_known.provider_flag,
      tell_of_known.actor, tell_of_known.actor_by, tell_of_known.agent_class, tell_of_known.address_class,
      tell_of_known.method_class, tell_of_known.topics, tell_of_known.actor_reasons, tell_of_known.data,
      tell_of_known.actor_rule_version, tell_of_known.seconds_since_delivery
    from candidates c
    where c.id = tell_of_known.candidate_id and c.hidden_at is null and c.erased_at is null and c.merged_into is null
    for key share
    on conflict (tenant_id, source, external_id) where external_id is not null do nothing
    returning touchpoints.id
  ), feed as (
    insert into changes (type, resource, resource_id, data)
    select 'touchpoint.created', 'touchpoint', cause.id, tell_of_known.told from cause
  ), woken as (
    insert into due (kind, key, due_at)
    select t.kind, t.key, t.due_at from cause, unnest(due_kinds, due_keys, due_times) as t(kind, key, due_at)
    on conflict (tenant_id, kind, key) do update set due_at = excluded.due_at where due.due_at > excluded.due_at
  )
  select count(*) into stored from cause;
  return stored = 1;
end $$
"""
# The product is not in use yet: nothing waits while an index is built the short way.
DROP = "-- squawk-ignore require-concurrent-index-deletion\ndrop index ix_touchpoints_message"
CREATE = """
-- squawk-ignore require-concurrent-index-creation
create index ix_touchpoints_message on touchpoints (tenant_id, message_id, candidate_id)
where message_id is not null{more}
"""


def _triggers(condition: str) -> None:
    for table in TABLES:
        for moment, mode in MOMENTS.items():
            op.execute(f"drop trigger plan_checks_{moment} on {table}")
            op.execute(TRIGGER.format(moment=moment, table=table, condition=condition.format(mode=mode)))


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '15min'")
    _triggers("when (current_setting('plan_cache_mode') = '{mode}')")
    op.execute(DROP)
    op.execute(CREATE.format(more=" and type in ('email_clicked', 'email_delivered')"))
    op.execute(TELL)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("drop function tell_of_known")
    _triggers("")
    op.execute(DROP)
    op.execute(CREATE.format(more=""))
