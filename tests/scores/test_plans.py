"""How the planner answers what scores ask all the time: by an index, whatever waits beside it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.kit import due
from app.kit.clock import now
from app.kit.db import Database, Session
from app.scores import ranking, recount, repository, service
from app.scores.ranking import Place
from app.touchpoints import settlement
from tests.conftest import TenantFixture

PEOPLE = 4_000
CROWD = f"""
insert into candidates (id, full_name) select uuidv7(), 'Name ' || n from generate_series(1, {PEOPLE}) n
"""  # noqa: S608 (a constant)
HISTORY = """
insert into touchpoints (id, candidate_id, type, occurred_at, source, message_id, actor, actor_rule_version, data)
select uuidv7(), c.id, (array['email_delivered', 'email_clicked', 'meeting'])[n], now() - n * interval '9 days', 's',
  case when n < 3 then 'm' || right(c.full_name, 2) end, 'human', 1, '{"url": "u"}'
from candidates c, generate_series(1, 3) n
"""
SCORED = """
insert into scores (model_key, model_version, candidate_id, fit, interest, since, half_life_days, rank_key, tier,
  computed_at)
select 'default', 1, id, 0, 1, now(), 30, 1, 'cold', now() from candidates
"""
WAITING = "insert into due (kind, key, due_at) select 'score', id, now() + interval '9 days' from candidates"
TABLES = ("candidates", "touchpoints", "scores", "due")


@pytest.fixture
async def crowd(database: Database, database_url: str, tenant: TenantFixture) -> list[UUID]:
    """Fifty of enough people for plans to differ, with statistics of all."""
    async with database.transaction(tenant.caller) as session:
        for statement in (CROWD, HISTORY, SCORED, WAITING):
            await session.run(statement)
        rows = await session.rows("select id from candidates order by id limit 50")
    owner = Database(database_url, pool_size=1, role="talentpool_owner")
    async with owner.outside() as connection:
        await connection.execute(text(f"analyze {', '.join(TABLES)}"))
    await owner.close()
    return [row.id for row in rows]


@contextmanager
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """Keep the statements that sessions run."""
    seen: list[tuple[str, dict[str, Any]]] = []
    with monkeypatch.context() as patch:
        for name in ("rows", "run"):
            plain = getattr(Session, name)

            async def noted(self: Session, sql: str, /, *, _plain: Any = plain, **parameters: Any) -> Any:
                seen.append((sql, parameters))
                return await _plain(self, sql, **parameters)

            patch.setattr(Session, name, noted)
        yield seen


async def assert_by_index(session: Session, seen: list[tuple[str, dict[str, Any]]]) -> None:
    asked = [each for each in seen if any(f" {table}" in each[0] for table in TABLES)]
    assert asked
    for sql, parameters in asked:
        plan = "\n".join(row[0] for row in await session.rows(f"explain {sql}", **parameters))
        assert not [table for table in TABLES if f"Seq Scan on {table}" in plan], f"{sql}\n{plan}"


async def test_counting_reads_whom_it_counts(
    database: Database, tenant: TenantFixture, crowd: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database.transaction(tenant.caller) as session:
        with recorded(monkeypatch) as seen:
            await recount.recompute(session, crowd)
            await recount.prove(session, crowd)
            await settlement.settle(session, crowd)
            await service.scores_of(session, crowd)
        await assert_by_index(session, seen)


async def test_a_drain_reads_what_is_due(
    database: Database, tenant: TenantFixture, crowd: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database.transaction(tenant.caller) as session:
        await session.run("update due set due_at = now() where kind = 'score' and key = any(:ids)", ids=crowd)
    with recorded(monkeypatch) as seen:
        await due.run_kind(database, "score")
    async with database.transaction(tenant.caller) as session:
        await assert_by_index(session, seen)


@pytest.mark.parametrize("lowest_first", [False, True])
async def test_a_page_of_everybody_reads_a_page(
    database: Database,
    tenant: TenantFixture,
    crowd: list[UUID],
    monkeypatch: pytest.MonkeyPatch,
    lowest_first: bool,
) -> None:
    at, limit = now(), 51
    asked = {"key": "default", "version": 1, "at": at, "elapsed": ranking.elapsed(at, 30)}
    async with database.transaction(tenant.caller) as session:
        with recorded(monkeypatch) as seen:
            fits = await repository.fits(session, "default", 1)
            for after in (None, Place(1.0, 0.0, 1.0, crowd[-1]), Place(0.5, 9.0, 1.0, crowd[-1])):
                stretches = list(ranking.stretches(fits, [(-9.0, 9.0)], at, 30, after, lowest_first=lowest_first))
                await repository.ranked(session, asked, stretches, after, limit, lowest_first=lowest_first)
        await assert_by_index(session, seen)
        for sql, parameters in seen:
            plan = "\n".join(row[0] for row in await session.rows(f"explain analyze {sql}", **parameters))
            read = re.findall(r"actual .*?rows=(\d+)|Rows Removed by Filter: (\d+)", plan)
            assert max(int(one or other) for one, other in read) <= 2 * limit, plan
