"""A plan that is kept serves every tenant: that of whoever came first, who may have nothing, reads few rows of many."""

from collections.abc import Awaitable, Callable, Sequence

from app.candidates import repository
from app.kit.db import Session
from tests.conftest import TenantFixture
from tests.plans import FEW, after_nobody, read

PEOPLE = 20_000
TABLES = ("candidates", "records", "external_ids")
CROWD = f"""
with people as (
  insert into candidates (id, full_name) select uuidv7(), 'Name ' || n from generate_series(1, {PEOPLE}) n returning id
), said as (
  insert into records (id, candidate_id, first_candidate_id, source, external_id, door, payload, features,
    normaliser_version, by)
  select uuidv7(), id, id, 'ats', id, 'api', '{{}}', '{{}}', 1, 'test' from people returning id, candidate_id
)
insert into external_ids (source, external_id, candidate_id, record_id) select 'ats', candidate_id, candidate_id, id
from said
"""  # noqa: S608 (a constant)


async def look_up(session: Session, tables: Sequence[str]) -> tuple[int, int]:
    """Ask for what is said of five people, and for whom five external ids mean."""
    ids = [row.id for row in await session.rows("select id from candidates order by id desc limit 5")]
    before = await read(session, tables)
    found = await repository.features(session, ids)
    found += await repository.profiles(session, ids)
    found += await repository.external_holders(session, ["ats"] * len(ids), [str(each) for each in ids])
    found += await repository.known_externals(session, ["ats"] * len(ids), [str(each) for each in ids])
    await repository.hold(session, ids)
    found += [await repository.find(session, each, lock=False) for each in ids]
    return len(found), await read(session, tables) - before


async def test_a_plan_made_for_nobody_reads_few_rows_of_a_crowd(
    database_url: str, tenant: TenantFixture, new_tenant: Callable[[], Awaitable[TenantFixture]]
) -> None:
    found, fetched = await after_nobody(database_url, await new_tenant(), tenant, CROWD, TABLES, look_up, by_keys=True)
    assert found == 25
    assert fetched <= FEW
