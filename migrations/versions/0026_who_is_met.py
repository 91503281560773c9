"""Whom a statement could be about is found by one look-up, which reads only who could weigh enough.

The index that leads to a candidate's records says by itself what is asked of them before they are read.
"""

from alembic import op

from app.kit.protect import APP, ROUTER

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

READ = {
    "dedup_policies": "tenant_id, policy",
    "match_state": "tenant_id, pool, counting",
    "match_models": "tenant_id, active, settings, version",
}
INDEX = "create index concurrently ix_match_features_asked on match_features (tenant_id, candidate_id)"
RENAME = """
-- squawk-ignore renaming-object
alter index ix_match_features_asked rename to ix_match_features_candidate_id
"""
ASKED = " include (birth_date, employer, family_kanji, given_kanji, family_kana, is_plain)"

PLANNED = "set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off"
PLANNED += " set enable_mergejoin = off"
DEFINER = "security definer set search_path = pg_catalog, public"

KNOWN = "match_known(tenant_lock integer, buckets integer[], counted bytea[], shared bytea[])"
KNOWN_ROW = "policy jsonb, pool bigint, counting bigint, settings jsonb, version text, held bigint[], generic bytea[]"
# Volatile, so that what is read is what there is once the locks are held.
KNOWN_BODY = """
  declare own uuid := current_setting('app.tenant');
begin
  perform pg_advisory_xact_lock(tenant_lock, bucket) from unnest(buckets) as b(bucket);
  return query
    select p.policy, s.pool, s.counting, m.settings, m.version,
      array(
        select f.n from unnest(counted) with ordinality as v(hash, place)
        left join term_frequencies f on f.tenant_id = own and f.value_hash = v.hash order by v.place
      ),
      array(
        select t.key_hash from unnest(shared) as k(hash)
        join key_stats t on t.tenant_id = own and t.key_hash = k.hash and t.generic
      )
    from (values (1)) as one
    left join dedup_policies p on p.tenant_id = own
    left join match_state s on s.tenant_id = own
    left join match_models m on m.tenant_id = own and m.active;
end
"""
MET = "match_met(hashes bytea[], asked integer[], employers text[], births text[], cap integer)"
SIDE = (
    *("name jsonb", "emails text[]", "mobiles text[]", "fixed_phones text[]", "urls text[]", "nobodys text[]"),
    *("generic text[]", "external_ids text[]", "name_kanji text", "name_key text", "employer text", "birth_date text"),
    "is_vouched boolean",
)
# What is asked goes by `app.dedup.pool.Asked`; who is led to by keys of a name and of an employer is read.
MET_BODY = """
  #variable_conflict use_column
  declare
    own uuid := current_setting('app.tenant');
    years text[] := array(select left(day, 4) from unnest(births) as b(day));
    days text[] := array(select right(day, 6) from unnest(births) as b(day));
begin return query
  with led as materialized (
    select k.hash, k.asked, found.candidate_id from unnest(hashes, asked) as k(hash, asked)
    cross join lateral (
      select r.candidate_id from record_keys r where r.tenant_id = own and r.key_hash = k.hash
      order by r.record_id limit cap
    ) as found
  ), met as (
    select candidate_id, array_agg(hash) as led_by, min(asked) as least, max(asked) as most
    from led group by candidate_id
  )
  select met.led_by, said.candidate_id, said.record_id, {columns}
  from met
  join candidates c on c.tenant_id = own and c.id = met.candidate_id
    and c.hidden_at is null and c.erased_at is null and c.merged_into is null
  cross join lateral (
    select f.* from match_features f where f.tenant_id = own and f.candidate_id = c.id order by f.record_id
  ) as said
  where met.least = 0 or met.least < met.most or exists (
    select from match_features f where f.tenant_id = own and f.candidate_id = met.candidate_id
      and (left(f.birth_date, 4) = any(years) or right(f.birth_date, 6) = any(days)
        or case met.least when 1 then f.employer = any(employers) when 4 then false
          else met.least <> case when f.family_kanji <> '' and f.given_kanji <> '' then 2
            when f.is_plain and f.family_kana is null then 3 else 0 end end)
  )
  union all
  select array_agg(hash), null, null, {nulls} from (
    select hash from led group by hash having count(*) >= cap
  ) as capped having count(*) > 0;
end
"""
OLD = {
    "match_keys(hashes bytea[], counted bytea[], cap integer)": (
        "table (hash bytea, candidate_id uuid, generic boolean, n bigint)",
        """
  #variable_conflict use_column
  declare own uuid := current_setting('app.tenant');
begin return query
  select k.hash, found.candidate_id, coalesce(s.generic, false), cast(null as bigint)
  from unnest(hashes) as k(hash)
  cross join lateral (
    select r.candidate_id from record_keys r where r.key_hash = k.hash and r.tenant_id = own
    order by r.record_id limit cap
  ) as found
  left join lateral (select t.generic from key_stats t where t.key_hash = k.hash and t.tenant_id = own) as s on true
  union all
  select v.hash, null, false, f.n from unnest(counted) as v(hash)
  join term_frequencies f on f.value_hash = v.hash and f.tenant_id = own;
end
""",
    ),
    "match_near(ids uuid[], named uuid[], employers text[], births text[])": (
        "setof match_features",
        """
  declare own uuid := current_setting('app.tenant');
begin return query
  select m.* from match_sides(ids || array(
    select distinct f.candidate_id from unnest(named) as n(id)
    cross join lateral (
      select * from match_features r where r.candidate_id = n.id and r.tenant_id = own order by r.record_id
    ) as f
    where f.employer = any(employers) or exists (
      select from unnest(births) as b(day) where left(b.day, 4) = left(f.birth_date, 4)
        or right(b.day, 6) = right(f.birth_date, 6)
    )
  )) as m;
end
""",
    ),
}


def _define(face: str, returns: str, kind: str, body: str) -> None:
    op.execute(f"create function {face} returns {returns} language plpgsql {kind} {PLANNED} {DEFINER} as $${body}$$")
    op.execute(f"alter function {face} owner to {ROUTER}")
    op.execute(f"revoke execute on function {face} from public")
    op.execute(f"grant execute on function {face} to {APP}, {ROUTER}")


def define_known(row: str, body: str) -> None:
    _define(KNOWN, f"table ({row})", "volatile rows 1", body)


def define_met(body: str) -> None:
    columns = ", ".join(f"said.{each.split()[0]}" for each in SIDE)
    returns = f"table (led_by bytea[], candidate_id uuid, record_id uuid, {', '.join(SIDE)})"
    _define(MET, returns, "stable rows 20", body.format(columns=columns, nulls=", ".join("null" for _ in SIDE)))


def _index(rest: str) -> None:
    """Build it beside the one in use, so that no writer waits; an attempt that was cut off is begun again."""
    with op.get_context().autocommit_block():
        op.execute("drop index concurrently if exists ix_match_features_asked")
        op.execute(INDEX + rest)
        op.execute("drop index concurrently if exists ix_match_features_candidate_id")
    op.execute(RENAME)


def upgrade() -> None:
    _index(ASKED)
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '15min'")
    for table, columns in READ.items():
        op.execute(f"grant select ({columns}) on {table} to {ROUTER}")
    define_known(KNOWN_ROW, KNOWN_BODY)
    define_met(MET_BODY)
    for face in OLD:
        op.execute(f"-- squawk-ignore ban-drop-function\ndrop function {face}")


def downgrade() -> None:
    _index("")
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '15min'")
    for face, (returns, body) in OLD.items():
        _define(face, returns, "stable rows 50", body)
    op.execute(f"drop function {MET}")
    op.execute(f"drop function {KNOWN}")
    for table, columns in READ.items():
        op.execute(f"revoke select ({columns}) on {table} from {ROUTER}")
