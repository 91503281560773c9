"""The plans that matching keeps: what a tenant of nobody leaves on a connection serves one of many."""

from collections.abc import Awaitable, Callable

from sqlalchemy import text

from app.dedup import repository
from app.dedup.pool import Asked
from app.kit.db import Database, Session
from tests.conftest import TenantFixture

PEOPLE = 20_000
FEW = 100
CROWD = f"""
with people as (
  insert into candidates (id, full_name) select uuidv7(), 'Name ' || n from generate_series(1, {PEOPLE}) n returning id
), features as (
  insert into match_features (record_id, candidate_id, employer) select uuidv7(), id, 'employer' from people
)
insert into record_keys (key_hash, record_id, candidate_id, kind)
select uuid_send(id), uuidv7(), id, 'email' from people
"""  # noqa: S608 (a constant)
TABLES = ("candidates", "match_features", "record_keys")
FETCHED = """
select coalesce(sum(idx_tup_fetch + seq_tup_read), 0)::int from pg_stat_xact_user_tables where relname = any(:tables)
"""


async def look_up(session: Session) -> tuple[int, int]:
    """Ask for ten people by their keys; return how many were found, and how many rows were read for it."""
    ids = [row.id for row in await session.rows("select id from candidates order by id desc limit 10")]
    before = await session.value(FETCHED, tables=list(TABLES))
    keys = [each.bytes for each in ids]
    await repository.known(session, (0, []), keys, keys)
    found = await repository.sides(session, ids[:5])
    for asked in (Asked.NOTHING, Asked.BIRTH_OR_EMPLOYER):
        found += await repository.met(session, dict.fromkeys(keys, asked), ["employer"], [], 50)
    return len(found), await session.value(FETCHED, tables=list(TABLES)) - before


async def test_a_plan_made_for_nobody_reads_few_rows_of_a_crowd(
    database_url: str, tenant: TenantFixture, new_tenant: Callable[[], Awaitable[TenantFixture]]
) -> None:
    nobody = await new_tenant()
    one = Database(database_url, pool_size=1)
    async with one.transaction(tenant.caller) as session:
        await session.run(CROWD)
    owner = Database(database_url, pool_size=1, role="talentpool_owner")
    async with owner.outside() as connection:
        await connection.execute(text(f"analyze {', '.join(TABLES)}"))
    await owner.close()
    async with one.transaction(nobody.caller) as session:
        assert (await look_up(session))[0] == 0
    async with one.transaction(tenant.caller) as session:
        found, read = await look_up(session)
    await one.close()
    assert found == 25
    assert read <= FEW
