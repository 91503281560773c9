"""What the checks of foreign keys cost: by keys, also for a tenant of which the statistics know nothing."""

from collections.abc import Awaitable, Callable

from sqlalchemy import text

from app.kit.db import Database, Session
from tests.conftest import TenantFixture

PEOPLE = 2_000
FEW = 100
CROWD = f"""
insert into candidates (id, full_name) select uuidv7(), 'Name ' || n from generate_series(1, {PEOPLE}) n
"""  # noqa: S608 (a constant)
SAID = """
with asked as (
  select id from candidates order by id desc limit 10
), said as (
  insert into records (id, candidate_id, first_candidate_id, source, door, payload, normaliser_version, by)
  select id, id, id, 's', 'api', '{}', 1, 'test' from asked
)
insert into touchpoints (id, candidate_id, type, occurred_at, source, actor, actor_rule_version)
select uuidv7(), id, 'meeting', now(), 's', 'human', 1 from asked
"""
FETCHED = "select sum(idx_tup_fetch + seq_tup_read)::int from pg_stat_xact_user_tables where relname = 'candidates'"
UNPLANNED = """
select distinct c.conrelid::regclass::text as name from pg_constraint c
where c.contype = 'f' and c.connamespace = 'public'::regnamespace and 2 != (
  select count(*) from pg_trigger t where t.tgrelid = c.conrelid and t.tgname like 'plan_checks_%')
"""
MODES = "select current_setting('plan_cache_mode') as plans, current_setting('enable_seqscan') as seqscan"


async def test_the_checks_of_every_table_are_planned_by_keys(database: Database, tenant: TenantFixture) -> None:
    async with database.transaction(tenant.caller) as session:
        assert [row.name for row in await session.rows(UNPLANNED)] == []


async def fetched(session: Session) -> int:
    return int(await session.value(FETCHED) or 0)


async def test_checks_for_a_tenant_that_nobody_has_counted_read_few_rows(
    database_url: str, tenant: TenantFixture, new_tenant: Callable[[], Awaitable[TenantFixture]]
) -> None:
    young = await new_tenant()
    one, owner = Database(database_url, pool_size=1), Database(database_url, pool_size=1, role="talentpool_owner")
    async with one.transaction(tenant.caller) as session:
        await session.run(CROWD)
    async with owner.outside() as connection:
        await connection.execute(text("analyze candidates"))
    await owner.close()
    async with one.transaction(young.caller) as session:
        await session.run(CROWD)
    async with one.transaction(young.caller) as session:
        before = await fetched(session)
        await session.run(SAID)
        assert await fetched(session) - before <= FEW
        [modes] = await session.rows(MODES)
        assert (modes.plans, modes.seqscan) == ("force_custom_plan", "on")
    await one.close()
