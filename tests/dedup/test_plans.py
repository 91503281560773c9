"""The plans that matching keeps: what a tenant of nobody leaves on a connection serves one of many."""

from collections.abc import Awaitable, Callable, Sequence

from app.dedup import repository
from app.dedup.pool import Asked
from app.kit.db import Session
from tests.conftest import TenantFixture
from tests.plans import FEW, after_nobody, read

PEOPLE = 20_000
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


async def look_up(session: Session, tables: Sequence[str]) -> tuple[int, int]:
    """Ask for ten people by their keys."""
    ids = [row.id for row in await session.rows("select id from candidates order by id desc limit 10")]
    before = await read(session, tables)
    keys = [each.bytes for each in ids]
    await repository.known(session, (0, []), keys, keys)
    found = await repository.sides(session, ids[:5])
    for asked in (Asked.NOTHING, Asked.BIRTH_OR_EMPLOYER):
        found += await repository.met(session, dict.fromkeys(keys, asked), ["employer"], [], 50)
    return len(found), await read(session, tables) - before


async def test_a_plan_made_for_nobody_reads_few_rows_of_a_crowd(
    database_url: str, tenant: TenantFixture, new_tenant: Callable[[], Awaitable[TenantFixture]]
) -> None:
    found, fetched = await after_nobody(database_url, await new_tenant(), tenant, CROWD, TABLES, look_up, by_keys=False)
    assert found == 25
    assert fetched <= FEW
