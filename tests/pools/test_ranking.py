"""The first of a pool by score: found among the best of everybody, or by computing every value, they are the same."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import text

from app.kit import json
from app.kit.db import Database, Session
from app.kit.ids import new_id
from app.pools import ranking
from app.pools.models import Pool
from app.pools.ranking import Ranked, RankedRepository
from app.pools.repository import MemberRepository
from app.scores.curve import Curve
from tests.conftest import TenantFixture

AS_OF: Final = datetime.now(UTC)
PEOPLE: Final = 1_500
LOOKED_AT: Final = 200
PAGE: Final = 10
CROWD: Final = 8_000
"""Enough for plans to differ."""
_WRITE: Final = """
with given as (
  select * from jsonb_to_recordset(cast(:people as jsonb)) as t(id uuid, is_member bool, fit float8, interest float8,
    since timestamptz, rank_key float8)
), made as (
  insert into candidates (id, full_name, retention_basis) select id, 'Name', 'consent' from given
), scored as (
  insert into scores (model_key, model_version, candidate_id, fit, interest, since, half_life_days, rank_key, tier,
    computed_at)
  select 'default', 1, id, fit, interest, since, 30, rank_key, 'cold', now() from given where rank_key is not null
)
insert into pool_members (pool_id, candidate_id, by) select :pool, id, 'criteria' from given where is_member
"""


def people(seed: int, many: int) -> Iterator[dict[str, Any]]:
    """Make up people above and below their fit, some alike, some with nothing but it, some who are not counted yet."""
    draw = Random(seed)
    for _ in range(many):
        interest = draw.choice([0.0, 10.0, draw.uniform(0, 60), draw.uniform(0, 60), -draw.uniform(0, 20)])
        curve = Curve(draw.choice([0.0, 5.0, -3.0]), interest, AS_OF - timedelta(days=draw.randint(0, 90)), 30)
        is_counted = draw.random() > 0.05
        yield {
            "id": new_id(),
            "is_member": draw.random() < 0.3,
            "fit": curve.fit,
            "interest": curve.amount,
            "since": curve.since,
            "rank_key": curve.rank_key if is_counted else None,
            "value": curve.value(AS_OF) if is_counted else 0.0,
        }


async def crowd(session: Session, seed: int, many: int = PEOPLE) -> tuple[Pool, dict[UUID, float]]:
    """Fill a tenant; return the pool, and the values of its members by the formula."""
    pool = Pool(
        key="all", name="All", criteria={"all": []}, score_model="default", channel="email", purpose="recruiting"
    )
    pool.tenant_id = session.tenant_id
    session.add(pool)
    await session.flush()
    made = list(people(seed, many))
    await session.run(_WRITE, people=json.dumps(made), pool=pool.id)
    return pool, {each["id"]: each["value"] for each in made if each["is_member"]}


async def walk(session: Session, pool: Pool) -> list[Ranked]:
    found: list[Ranked] = []
    while page := await RankedRepository(session, pool, AS_OF).page(found[-1] if found else None, PAGE):
        found += page
    return found


@pytest.mark.parametrize("threshold", [None, 5.0, 20.0, -1.0])
@pytest.mark.parametrize("seed", range(3))
async def test_both_ways_find_the_same(
    database: Database, tenant: TenantFixture, monkeypatch: pytest.MonkeyPatch, seed: int, threshold: float | None
) -> None:
    among = list[bool]()
    ask = RankedRepository._among_the_best

    async def spied(self: RankedRepository, after: Ranked | None, limit: int) -> list[Ranked] | None:
        found = await ask(self, after, limit)
        among.append(found is not None)
        return found

    async with database.transaction(tenant.caller) as session:
        pool, values = await crowd(session, seed)
        pool.threshold = threshold
        computed = await walk(session, pool)
        monkeypatch.setattr(ranking, "LARGE", 10)
        monkeypatch.setattr(ranking, "LOOKED_AT", LOOKED_AT)
        monkeypatch.setattr(RankedRepository, "_among_the_best", spied)
        assert await walk(session, pool) == computed
    wanted = {person: value for person, value in values.items() if threshold is None or value >= threshold}
    assert {person: pytest.approx(value) for value, person in computed} == wanted
    assert computed == sorted(computed, key=lambda ranked: (-ranked[0], ranked[1]))
    assert sum(among) > 3
    assert (False in among) == (threshold is None or threshold < 0)


async def many(database: Database, database_url: str, tenant: TenantFixture) -> Pool:
    """Return a pool of so many people that plans differ, with statistics of them."""
    async with database.transaction(tenant.caller) as session:
        pool, _ = await crowd(session, 1, CROWD)
    owner = Database(database_url, pool_size=1, role="talentpool_owner")
    async with owner.outside() as connection:
        await connection.execute(text("analyze scores, pool_members"))
    await owner.close()
    return pool


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The plans of the statements that are run from now on."""
    plans: list[str] = []
    run = Session.rows

    async def explained(session: Session, sql: str, /, **parameters: Any) -> list[Any]:
        plans.append("\n".join(row[0] for row in await run(session, f"explain {sql}", **parameters)))
        return await run(session, sql, **parameters)

    monkeypatch.setattr(Session, "rows", explained)
    return plans


async def test_the_first_of_a_large_pool_are_found_by_the_index_of_scores(
    database: Database, database_url: str, tenant: TenantFixture, monkeypatch: pytest.MonkeyPatch, plans: list[str]
) -> None:
    pool = await many(database, database_url, tenant)
    monkeypatch.setattr(ranking, "LARGE", 10)
    plans.clear()
    async with database.transaction(tenant.caller) as session:
        assert len(await RankedRepository(session, pool, AS_OF).page(None, PAGE)) == PAGE
    fits, best = plans
    assert fits.count("using ix_scores_rank") == 2
    assert "ix_scores_rank" in best
    assert "Seq Scan on scores" not in fits + best
    assert "Seq Scan on pool_members" not in fits + best


@pytest.mark.parametrize("is_first", [True, False])
async def test_a_page_of_members_is_a_range_of_their_key(
    database: Database, database_url: str, tenant: TenantFixture, plans: list[str], *, is_first: bool
) -> None:
    pool = await many(database, database_url, tenant)
    plans.clear()
    async with database.transaction(tenant.caller) as session:
        assert len(await MemberRepository(session).page(pool.id, None if is_first else new_id(), PAGE)) == PAGE
    [plan] = plans
    assert "Index Scan Backward using pk_pool_members" in plan, plan
    assert "Sort" not in plan, plan
