"""What sweeps ask for: many merges in one transaction, in a bounded number of statements."""

from collections.abc import Callable
from uuid import UUID

import pytest

from app.dedup.merging import Edge, differing
from app.kit.db import Database, Session, count_statements
from app.kit.ids import new_id
from app.merges import service
from app.merges.errors import MarkedDifferent
from app.merges.service import Wanted
from tests.conftest import TenantFixture
from tests.merges.conftest import Desk


async def crowd(desk: Desk, n: int) -> list[UUID]:
    items = [
        {"full_name": f"A{new_id().hex[-9:]} B{new_id().hex[-9:]}", "tags": [f"t{each}"], "on_match": "create"}
        for each in range(n)
    ]
    made = await desk.post("/v1/candidates/batch-upsert", {"items": items}, 207)
    return [UUID(each["id"]) for each in made["items"]]


def counting(database: Database, seen: list[str]) -> Callable[[], None]:
    return count_statements(database.engine, seen)


async def test_the_number_of_statements_does_not_rise_with_the_merges(
    desk: Desk, database: Database, tenant: TenantFixture
) -> None:
    people = await crowd(desk, 120)
    counts = []
    for part in (people[:6], people[6:]):
        wanted = [Wanted(survivor, loser) for survivor, loser in zip(part[::2], part[1::2], strict=True)]
        seen: list[str] = []
        stop = counting(database, seen)
        async with database.transaction(tenant.caller) as session:
            rows = await service.merge_many(session, wanted, by="model")
        stop()
        assert {row.by for row in rows} == {"model"}
        counts.append(len(seen))
    assert counts[1] <= counts[0], counts
    listed = await desk.rows("/v1/merges?include=total")
    assert len(listed) == 60


async def test_several_losers_of_one_survivor_are_undone_one_by_one(
    desk: Desk, database: Database, tenant: TenantFixture
) -> None:
    a, b, c = await crowd(desk, 3)
    before = [await desk.read(str(each)) for each in (a, b, c)]
    [record_a], [record_b] = [await desk.rows(f"/v1/candidates/{each}/records") for each in (a, b)]
    edge = Edge(UUID(record_a["record_id"]), UUID(record_b["record_id"]), 14.5, [{"feature": "name"}], "default-1")
    async with database.transaction(tenant.caller) as session:
        rows = await service.merge_many(session, [Wanted(a, b, edge=edge), Wanted(a, c)], by="rule")
    assert (await desk.read(str(c)))["tags"] == ["t0", "t1", "t2"]
    await desk.post(f"/v1/merges/{rows[0].id}/undo", {}, 409)
    for row in reversed(rows):
        assert (await desk.post(f"/v1/merges/{row.id}/undo", {"remember": row is rows[0]}, 200))["conflicts"] == []
    volatile = {"version", "updated_at"}
    for was, each in zip(before, (a, b, c), strict=True):
        now = await desk.read(str(each))
        assert {name: now[name] for name in now.keys() - volatile} == {
            name: was[name] for name in was.keys() - volatile
        }
    async with database.transaction(tenant.caller) as session:
        assert await differing(session, [(b, a), (c, a)]) == {(min(a, b), max(a, b))}


async def test_one_merge_that_must_not_be_lets_none_be(desk: Desk, database: Database, tenant: TenantFixture) -> None:
    a, b, c, d = await crowd(desk, 4)
    await desk.undo(await desk.merge(str(b), str(c)))

    async def merge(session: Session) -> None:
        await service.merge_many(session, [Wanted(d, a), Wanted(d, b), Wanted(d, c)], by="model")

    with pytest.raises(MarkedDifferent):
        async with database.transaction(tenant.caller) as session:
            await merge(session)
    assert len(await desk.rows("/v1/merges")) == 1


async def test_an_erased_person_is_in_no_merge(desk: Desk, database: Database, tenant: TenantFixture) -> None:
    a, b = [str(each) for each in await crowd(desk, 2)]
    merge = await desk.merge(a, b)
    assert merge["plan"]["fields"]
    async with database.transaction(tenant.caller) as session:
        assert await service.erase(session, [UUID(b)]) == 1
        kept = "select 1 from merges where cast(plan as text) || cast(kept as text) like '%t1%'"
        assert await session.rows(kept) == []
    assert (await desk.get(f"/v1/merges/{merge['id']}"))["plan"]["fields"] == {}
