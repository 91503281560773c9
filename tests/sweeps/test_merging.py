"""What a sweep merges: taken back one by one, gone on with after a crash, and never at somebody else's cost."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

import pytest

from app.dedup.merging import differ
from app.kit import due, jobs
from app.kit.db import Database, Session
from app.merges import service as merges
from app.merges.scene import Scene
from app.sweeps import merging, service
from tests.conftest import TenantFixture
from tests.merges.conftest import Desk, desk

__all__ = ["desk"]

VOLATILE = {"version", "updated_at", "last_interaction_at"}
Sweep = Callable[[], Awaitable[dict[str, int]]]


class Crash(BaseException):
    """Stands for kill -9: nothing catches it."""


@pytest.fixture
def sweep(database: Database, tenant: TenantFixture) -> Sweep:
    """Sweeps the pool, and returns what that counted."""

    async def run() -> dict[str, int]:
        async with database.transaction(tenant.caller) as session:
            job_id = await service.start(session, "postgres")
        await jobs.run_jobs(database)
        await due.run_until_quiet(database)
        return await counted(database, tenant, job_id)

    return run


async def counted(database: Database, tenant: TenantFixture, job_id: UUID) -> dict[str, int]:
    async with database.transaction(tenant.caller) as session:
        row = await session.row("select state, counts from jobs where id = :id", id=job_id)
    assert row.state == "succeeded"
    counts: dict[str, int] = row.counts
    return counts


async def couples(desk: Desk, many: int) -> list[tuple[str, str]]:
    """Make people of whom each is there twice."""
    found = []
    for number in range(many):
        said = {
            "full_name": f"山田 {chr(0x4E00 + 97 * number)}郎",
            "email_addresses": [{"value": f"p{number}@example.jp"}],
        }
        other = {**said, "headline": f"営業 {number}", "tags": [f"t{number}"], "skills": [{"name": "SQL"}]}
        found.append((await desk.person(**said), await desk.person(**other)))
    return found


async def profiles(desk: Desk, people: Iterable[Sequence[str]]) -> list[Any]:
    read = [await desk.read(each) for both in people for each in both]
    return [{name: value for name, value in each.items() if name not in VOLATILE} for each in read]


async def test_each_merge_of_a_sweep_is_undone_by_itself(desk: Desk, sweep: Sweep) -> None:
    people = await couples(desk, 6)
    for one, two in people[::2]:
        await desk.touch(candidate_id=two)
        await desk.consent(two, purpose="events")
        await desk.consent(one)
    await desk.drain()
    before = await profiles(desk, people)
    told = [len(await desk.rows(f"/v1/candidates/{each}/touchpoints")) for both in people for each in both]
    assert (await sweep())["merged"] == 6
    assert {each["id"] for each in await profiles(desk, people)} == {one for one, _ in people}
    for merge in sorted(await desk.rows("/v1/merges"), key=lambda each: str(each["survivor_id"])):
        assert (await desk.undo(merge))["conflicts"] == []
    await desk.drain()
    assert await profiles(desk, people) == before
    assert [len(await desk.rows(f"/v1/candidates/{each}/touchpoints")) for both in people for each in both] == told
    assert (await sweep())["merged"] == 0


async def test_a_sweep_that_is_killed_goes_on(
    desk: Desk, database: Database, tenant: TenantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "MERGED", 2)
    await couples(desk, 5)
    written, merge_seen = [], merges.merge_seen

    async def dying(session: Session, *seen: Any, by: str) -> Any:
        found = await merge_seen(session, *seen, by=by)
        written.append(found)
        if len(written) == 2:
            raise Crash
        return found

    monkeypatch.setattr(merges, "merge_seen", dying)
    async with database.transaction(tenant.caller) as session:
        job_id = await service.start(session, "postgres")
    with pytest.raises(Crash):
        await jobs.run_jobs(database)
    async with database.transaction(tenant.caller) as session:
        assert await session.value("select count(*) from merges") == 2
        await session.run("update jobs set lease_until = now() - interval '1 second' where id = :id", id=job_id)
    await jobs.run_jobs(database)
    assert (await counted(database, tenant, job_id))["merged"] == 3
    assert len(await desk.rows("/v1/merges")) == 5


async def test_a_batch_that_meets_somebody_is_done_in_halves(
    desk: Desk, sweep: Sweep, database: Database, tenant: TenantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = await couples(desk, 4)
    records = [
        [UUID(record["record_id"]) for record in await desk.rows(f"/v1/candidates/{each}/records")]
        for each in people[3]
    ]
    look, seen = merges.look, list[int]()

    async def overtaken(session: Session, ids: Iterable[UUID]) -> Scene:
        scene = await look(session, ids)
        if not seen:
            await desk.ask("PATCH", f"/v1/candidates/{people[1][0]}", {"headline": "by hand"})
            async with database.transaction(tenant.caller) as other:
                await differ(other, *records)
        seen.append(len(scene.seen))
        return scene

    monkeypatch.setattr(merges, "look", overtaken)
    assert (await sweep())["merged"] == 3
    assert seen == [8, 4, 4, 2, 2]
    assert (await desk.read(people[1][1]))["headline"] == "by hand"
    assert (await desk.read(people[3][1]))["id"] == people[3][1]


async def test_whoever_has_no_name_is_part_of_the_one_person_who_shares_their_contact(desk: Desk, sweep: Sweep) -> None:
    """A pool loaded without matching, and swept, is the one that the doors make."""
    mail = {"email_addresses": [{"value": "hana@example.jp"}]}
    mobile = {"phone_numbers": [{"value": "090-8234-5671"}]}
    other = {"email_addresses": [{"value": "nobody@example.jp"}]}
    one: list[dict[str, Any]] = [
        {"full_name": "髙橋 花", **mail},
        {"full_name": "高橋 花", **mail, **mobile},
        {**mail},
        {"external_ids": [{"source": "s", "id": "1"}], **mobile},
        {"external_ids": [{"source": "s", "id": "2"}], **mobile},
    ]
    several: list[dict[str, Any]] = [
        {"full_name": "Akira Ito", **other},
        {"full_name": "Beatrix Kiddo", **other},
        {**other},
    ]
    made = [(await desk.post("/v1/candidates", {**each, "on_match": "create"}, 201))["id"] for each in (*one, *several)]
    assert (await sweep())["merged"] == 4
    assert [(await desk.read(each))["id"] for each in made] == [made[0]] * 5 + made[5:]
    asked = await desk.rows("/v1/dedup/pairs")
    assert {frozenset((each["left_id"], each["right_id"])) for each in asked} == {
        frozenset(each) for each in ((made[5], made[6]), (made[5], made[7]), (made[6], made[7]))
    }
