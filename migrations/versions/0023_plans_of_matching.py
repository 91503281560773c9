"""Matching is planned without looking at whose tenant it is: the plan that a small one leaves serves the largest.

A policy's tenant is a value that the planner looks up in its statistics, and a generic plan keeps what it found: made
for a tenant of nobody it reads through whole tenants. A variable it does not look up. So these three read as the
router, past the policies, and name the tenant themselves.
"""

from alembic import op

from app.kit.protect import APP, ROUTER

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

READ = {
    "record_keys": "tenant_id, key_hash, record_id, candidate_id",
    "key_stats": "tenant_id, key_hash, generic",
    "term_frequencies": "tenant_id, value_hash, n",
    "candidates": "tenant_id, id, hidden_at, erased_at, merged_into",
}
PLANNED = """stable rows 50
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
"""
OWN = "own uuid := current_setting('app.tenant');"
KEYS = """
  #variable_conflict use_column
  {declared}
begin return query
  select k.hash, found.candidate_id, coalesce(s.generic, false), cast(null as bigint)
  from unnest(hashes) as k(hash)
  cross join lateral (
    select r.candidate_id from record_keys r where r.key_hash = k.hash {r} order by r.record_id limit cap
  ) as found
  left join lateral (select t.generic from key_stats t where t.key_hash = k.hash {t}) as s on true
  union all
  select v.hash, null, false, f.n from unnest(counted) as v(hash)
  join term_frequencies f on f.value_hash = v.hash {f};
end
"""
SIDES = """
  {declared}
begin return query
  select m.* from unnest(ids) as asked(id)
  join candidates c on c.id = asked.id {c}
    and c.hidden_at is null and c.erased_at is null and c.merged_into is null
  cross join lateral (
    select * from match_features f where f.candidate_id = c.id {f} order by f.record_id
  ) as m;
end
"""
NEAR = """
  {declared}
begin return query
  select m.* from match_sides(ids || array(
    select distinct f.candidate_id from unnest(named) as n(id)
    cross join lateral (
      select * from match_features r where r.candidate_id = n.id {r} order by r.record_id
    ) as f
    where f.employer = any(employers) or exists (
      select from unnest(births) as b(day) where left(b.day, 4) = left(f.birth_date, 4)
        or right(b.day, 6) = right(f.birth_date, 6)
    )
  )) as m;
end
"""
FUNCTIONS = {
    "match_keys(hashes bytea[], counted bytea[], cap integer)": (
        "table (hash bytea, candidate_id uuid, generic boolean, n bigint)",
        KEYS,
    ),
    "match_sides(ids uuid[])": ("setof match_features", SIDES),
    "match_near(ids uuid[], named uuid[], employers text[], births text[])": ("setof match_features", NEAR),
}


def _define(*, security: str, owner: str, is_named: bool) -> None:
    """Define the functions anew; with `is_named` their statements name the tenant."""
    declared = f"declare {OWN}" if is_named else ""
    named = {table: f"and {table}.tenant_id = own" if is_named else "" for table in "rtfc"}
    for face, (returns, body) in FUNCTIONS.items():
        text = body.format(declared=declared, **named)
        op.execute(
            f"create or replace function {face} returns {returns} language plpgsql {PLANNED} {security} as $${text}$$"
        )
        op.execute(f"alter function {face} owner to {owner}")


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for table, columns in READ.items():
        op.execute(f"grant select ({columns}) on {table} to {ROUTER}")
    op.execute(f"grant select on match_features to {ROUTER}")
    _define(security="security definer set search_path = pg_catalog, public", owner=ROUTER, is_named=True)
    for face in FUNCTIONS:
        op.execute(f"revoke execute on function {face} from public")
        op.execute(f"grant execute on function {face} to {APP}, {ROUTER}")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for face in FUNCTIONS:
        op.execute(f"grant execute on function {face} to public")
    _define(security="security invoker", owner="talentpool_owner", is_named=False)
