"""Whom a statement could be about is found in half the time, and the tenant's region with what is known.

The index of keys says by itself to whom each leads, and who is gone the short index of those. Who holds a key is read
into one array a key, so that a key that more hold than are looked at is told of on the way.
"""

from typing import Any, Final

from alembic import context, op

from app.kit.protect import ROUTER

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

INDEX: Final = "create unique index concurrently ix_record_keys_lead on record_keys (tenant_id, key_hash, record_id)"
EXCHANGE: Final = """
-- squawk-ignore ban-drop-constraint
alter table record_keys drop constraint pk_record_keys,
  add constraint pk_record_keys primary key using index ix_record_keys_lead
"""
# Volatile, so that what is read is what there is once the locks are held.
KNOWN_BODY: Final = """
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
        select k.hash from unnest(shared) as k(hash)
        join key_stats t on t.tenant_id = own and t.key_hash = k.hash and t.generic
      ),
      o.country_code
    from (values (1)) as one
    left join tenants o on o.id = own
    left join dedup_policies p on p.tenant_id = own
    left join match_state s on s.tenant_id = own
    left join match_models m on m.tenant_id = own and m.active;
end
"""
# What is asked goes by `app.dedup.pool.Asked`; who is led to by keys of a name and of an employer is read.
MET_BODY: Final = """
  #variable_conflict use_column
  declare
    own uuid := current_setting('app.tenant');
    years text[];
    days text[];
begin
  if cardinality(births) > 0 then
    years := array(select left(day, 4) from unnest(births) as b(day));
    days := array(select right(day, 6) from unnest(births) as b(day));
  end if;
  return query
  with led as materialized (
    select k.hash, k.asked, array(
      select r.candidate_id from record_keys r where r.tenant_id = own and r.key_hash = k.hash
      order by r.record_id limit cap
    ) as ids
    from unnest(hashes, asked) as k(hash, asked)
  ), met as (
    select found.id, array_agg(hash) as led_by, min(asked) as least, max(asked) as most
    from led cross join lateral unnest(ids) as found(id) group by found.id
  )
  select met.led_by, said.candidate_id, said.record_id, {columns}
  from met
  join match_features said on said.tenant_id = own and said.candidate_id = met.id
  where not exists (
    select from candidates c where c.tenant_id = own and c.id = met.id
      and (c.hidden_at is not null or c.erased_at is not null or c.merged_into is not null)
  ) and (met.least = 0 or met.least < met.most or exists (
    select from match_features f where f.tenant_id = own and f.candidate_id = met.id
      and (left(f.birth_date, 4) = any(years) or right(f.birth_date, 6) = any(days)
        or case met.least when 1 then f.employer = any(employers) when 4 then false
          else met.least <> case when f.family_kanji <> '' and f.given_kanji <> '' then 2
            when f.is_plain and f.family_kana is null then 3 else 0 end end)
  ))
  union all
  select array[hash], null, null, {nulls} from led where cardinality(ids) >= cap;
end
"""


def _before() -> Any:  # noqa: ANN401 (a module of no package)
    """Return the revision that made these functions as they were."""
    return context.script.get_revision("0026").module


def _lead(rest: str) -> None:
    """Build the index of keys beside the one in use, so that no writer waits, then let it take that one's place.

    An attempt that was cut off is begun again.
    """
    with op.get_context().autocommit_block():
        op.execute("drop index concurrently if exists ix_record_keys_lead")
        op.execute(INDEX + rest)
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '5s'")
    op.execute(EXCHANGE)


def _drop() -> None:
    before = _before()
    for face in (before.KNOWN, before.MET):
        op.execute(f"-- squawk-ignore ban-drop-function\ndrop function {face}")


def upgrade() -> None:
    _lead(" include (candidate_id)")
    _drop()
    before = _before()
    op.execute(f"grant select (country_code) on tenants to {ROUTER}")
    before.define_known(f"{before.KNOWN_ROW}, region text", KNOWN_BODY)
    before.define_met(MET_BODY)


def downgrade() -> None:
    _lead("")
    _drop()
    before = _before()
    before.define_known(before.KNOWN_ROW, before.KNOWN_BODY)
    before.define_met(before.MET_BODY)
    op.execute(f"revoke select (country_code) on tenants from {ROUTER}")
