"""Due work: coalesced, never lost, and one bad key does not stop the others."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from app.kit import due, outbox
from app.kit.clock import now
from app.kit.db import Database, Session
from app.kit.ids import new_id
from app.kit.outbox import Wake
from tests.conftest import TenantFixture

KIND = "test.kind"


@pytest.fixture
def handled() -> Iterator[list[UUID]]:
    """What the handler of the test's kind was given; keys in `BAD` fail."""
    seen: list[UUID] = []

    async def handler(_: Session, keys: Sequence[UUID]) -> Mapping[UUID, datetime] | None:
        if BAD & set(keys):
            raise ValueError
        seen.extend(keys)
        return {key: now() + timedelta(hours=1) for key in keys if key in LATER}

    due.drain(KIND)(handler)
    yield seen
    due._drains.pop(KIND)
    BAD.clear()
    LATER.clear()


BAD: set[UUID] = set()
LATER: set[UUID] = set()


async def _schedule(database: Database, tenant: TenantFixture, *wakes: Wake) -> None:
    async with database.transaction(tenant.caller) as session:
        await outbox.schedule(session, *wakes)


async def _left(database: Database, tenant: TenantFixture) -> dict[UUID, tuple[int, str | None]]:
    async with database.transaction(tenant.caller) as session:
        rows = await session.rows("select key, attempts, last_error_code from due where kind = :kind", kind=KIND)
    return {row.key: (row.attempts, row.last_error_code) for row in rows}


async def test_many_wakes_of_one_key_are_one_visit(
    database: Database, tenant: TenantFixture, handled: list[UUID]
) -> None:
    key = new_id()
    for _ in range(3):
        await _schedule(database, tenant, Wake(KIND, key), Wake(KIND, key))
    await due.run_kind(database, KIND)
    assert (handled, await _left(database, tenant)) == ([key], {})


async def test_a_future_key_waits_and_an_earlier_moment_wins(
    database: Database, tenant: TenantFixture, handled: list[UUID]
) -> None:
    key = new_id()
    await _schedule(database, tenant, Wake(KIND, key, now() + timedelta(hours=1)))
    await due.run_kind(database, KIND)
    assert handled == []
    await _schedule(database, tenant, Wake(KIND, key))
    await _schedule(database, tenant, Wake(KIND, key, now() + timedelta(hours=2)))
    await due.run_kind(database, KIND)
    assert handled == [key]


async def test_who_asks_for_a_later_look_waits_for_nobody_and_no_worker_comes_between(
    database: Database, tenant: TenantFixture, handled: list[UUID]
) -> None:
    key = new_id()
    await _schedule(database, tenant, Wake(KIND, key))
    async with database.transaction(tenant.caller) as one, database.transaction(tenant.caller) as other:
        for session in (one, other):
            async with asyncio.timeout(5):
                await outbox.schedule(session, Wake(KIND, key, now() + timedelta(hours=1)))
        await due.run_kind(database, KIND)
        assert handled == []
    await due.run_kind(database, KIND)
    assert handled == [key]


async def test_a_key_that_asks_to_be_seen_again_stays(
    database: Database, tenant: TenantFixture, handled: list[UUID]
) -> None:
    key = new_id()
    LATER.add(key)
    await _schedule(database, tenant, Wake(KIND, key))
    await due.run_kind(database, KIND)
    assert (handled, list(await _left(database, tenant))) == ([key], [key])


@pytest.mark.parametrize("fails", [False, True])
async def test_who_asks_for_a_later_look_while_a_worker_looks_is_heard(
    database: Database, tenant: TenantFixture, handled: list[UUID], *, fails: bool
) -> None:
    key, later = new_id(), now() + timedelta(hours=1)
    seen = due._drains[KIND].handler

    async def meanwhile(session: Session, keys: Sequence[UUID]) -> Mapping[UUID, datetime] | None:
        if not handled:
            await _schedule(database, tenant, Wake(KIND, key, later + timedelta(hours=1)), Wake(KIND, key, later))
        found = await seen(session, keys)
        if fails and len(handled) == 1:
            raise ValueError
        return found

    due.drain(KIND)(meanwhile)
    await _schedule(database, tenant, Wake(KIND, key))
    await due.run_kind(database, KIND)
    async with database.transaction(tenant.caller) as session:
        assert await session.value("select due_at from due where key = :key", key=key) == later
        await session.run("update due set due_at = now() where key = :key", key=key)
    await due.run_kind(database, KIND)
    assert await _left(database, tenant) == {}


async def test_one_bad_key_does_not_stop_the_others(
    database: Database, tenant: TenantFixture, handled: list[UUID]
) -> None:
    bad, good = new_id(), new_id()
    BAD.add(bad)
    await _schedule(database, tenant, Wake(KIND, bad), Wake(KIND, good))
    await due.run_kind(database, KIND)
    assert handled == [good]
    assert await _left(database, tenant) == {bad: (1, "ValueError")}


async def test_two_workers_never_visit_a_key_at_once(
    database: Database,
    tenant: TenantFixture,
    handled: list[UUID],
    new_tenant: Callable[[], Awaitable[TenantFixture]],
) -> None:
    other = await new_tenant()
    keys = [new_id() for _ in range(50)]
    await _schedule(database, tenant, *(Wake(KIND, key) for key in keys))
    await _schedule(database, other, *(Wake(KIND, key) for key in keys))
    await asyncio.gather(*(due.run_kind(database, KIND) for _ in range(4)))
    assert sorted(handled) == sorted(keys + keys)


async def test_a_round_says_whether_there_may_be_more(
    database: Database, tenant: TenantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def handler(_: Session, keys: Sequence[UUID]) -> None:
        assert len(keys) <= 2

    monkeypatch.setattr(due, "_drains", {})
    due.drain("test.round", batch=2)(handler)
    await _schedule(database, tenant, *(Wake("test.round", new_id()) for _ in range(3)))
    rounds = [await due.run_round(database) for _ in range(3)]
    assert rounds == [due.Round(2, is_short=True), due.Round(1, is_short=False), due.Round(0, is_short=False)]
