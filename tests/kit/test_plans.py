"""A plan that is kept serves every tenant: that of whoever came first, who may have nothing, reads few rows of many."""

from collections.abc import Awaitable, Callable

from sqlalchemy import text

from app.candidates import repository
from app.kit.db import Database, Session
from tests.conftest import TenantFixture

PEOPLE = 20_000
FEW = 100
TABLES = ["candidates", "records"]
CROWD = f"""
with people as (
  insert into candidates (id, full_name) select uuidv7(), 'Name ' || n from generate_series(1, {PEOPLE}) n returning id
)
insert into records (id, candidate_id, first_candidate_id, source, door, payload, features, normaliser_version, by)
select uuidv7(), id, id, 'ats', 'api', '{{}}', '{{}}', 1, 'test' from people
"""  # noqa: S608 (a constant)
FETCHED = """
select coalesce(sum(idx_tup_fetch + seq_tup_read), 0)::int from pg_stat_xact_user_tables where relname = any(:tables)
"""


async def look_up(session: Session) -> tuple[int, int]:
    """Ask for what is said of five people; return how many rows that is, and how many were read for it."""
    ids = [row.id for row in await session.rows("select id from candidates order by id desc limit 5")]
    before = await session.value(FETCHED, tables=TABLES)
    said = await repository.features(session, ids)
    profiles = await repository.profiles(session, ids)
    await repository.hold(session, ids)
    return len(said) + len(profiles), await session.value(FETCHED, tables=TABLES) - before


async def test_a_plan_made_for_nobody_reads_few_rows_of_a_crowd(
    database_url: str, tenant: TenantFixture, new_tenant: Callable[[], Awaitable[TenantFixture]]
) -> None:
    nobody = await new_tenant()
    one = Database(database_url, pool_size=1)
    async with one.transaction(tenant.caller) as session:
        await session.run(CROWD)
    owner = Database(database_url, pool_size=1, role="talentpool_owner")
    async with owner.outside() as connection:
        await connection.execute(text("analyze candidates, records"))
    await owner.close()
    async with one.transaction(nobody.caller, by_keys=True) as session:
        assert (await look_up(session))[0] == 0
    async with one.transaction(tenant.caller, by_keys=True) as session:
        found, read = await look_up(session)
    await one.close()
    assert found == 10
    assert read <= FEW
