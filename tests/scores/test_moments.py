"""What happens by itself: a tier that changes at its moment, a person who comes later than their signals."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import httpx
import pytest

from app.kit.clock import now
from app.kit.db import Database
from tests.conftest import TenantFixture
from tests.scale import PROVING
from workers.main import Drains

NewPerson = Callable[..., Awaitable[str]]
Happen = Callable[..., Awaitable[str]]
Drain = Callable[[], Awaitable[int]]

pytestmark = pytest.mark.more
IN_TIME: Final = timedelta(seconds=2 if PROVING else 10)
"""The promise is two seconds; a machine that is busy with other tests is given more."""

HALF_LIFE_DAYS: Final = 0.0001
"""8.64 s: from 12 to 10 in 2.27 s."""

MODEL: Final[dict[str, Any]] = {
    "key": "default",
    "version": 2,
    "half_life_days": HALF_LIFE_DAYS,
    "interest_rules": [{"rule": "met", "types": ["meeting"], "points": 12}],
    "tiers": [{"key": "cold", "from": None}, {"key": "warm", "from": 10}],
}


async def serve(database: Database, tenant: TenantFixture) -> None:
    """Let the fast model serve at once: there is nobody to count yet."""
    definition = {name: value for name, value in MODEL.items() if name != "version"}
    async with database.transaction(tenant.caller) as session:
        await session.run(
            """insert into score_models (id, key, version, state, definition, published_at)
               values (uuidv7(), 'default', 2, 'published', cast(:definition as jsonb), now())""",
            definition=httpx.Response(200, json=definition).text,
        )


@asynccontextmanager
async def workers(database: Database, count: int) -> AsyncIterator[None]:
    """Let so many workers drain what is due."""
    running = [asyncio.create_task(Drains(database).run()) for _ in range(count)]
    yield
    for each in running:
        each.cancel()
        with suppress(asyncio.CancelledError):
            await each


async def changes(database: Database, tenant: TenantFixture, person: str) -> list[tuple[str, str, datetime]]:
    async with database.transaction(tenant.caller) as session:
        rows = await session.rows(
            """select data->>'from' as before, data->>'to' as after, at from changes
               where type = 'score.tier_changed' and resource_id = :id order by n""",
            id=UUID(person),
        )
    return [(row.before, row.after, row.at) for row in rows]


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 (what is waited for happens in the database)
            await asyncio.sleep(0.02)


async def test_a_tier_changes_once_at_its_moment_though_two_workers_wait_for_it(
    database: Database, tenant: TenantFixture, new_person: NewPerson, happen: Happen
) -> None:
    await serve(database, tenant)
    async with workers(database, 2):
        person, met = await new_person(), now() + timedelta(seconds=1)
        await happen(person, "meeting", met.isoformat())
        cools = met + timedelta(days=HALF_LIFE_DAYS * math.log2(12 / 10))

        async def has_cooled() -> bool:
            return len(await changes(database, tenant, person)) == 2

        await until(has_cooled)
        await asyncio.sleep(1.2)
    found = await changes(database, tenant, person)
    assert [each[:2] for each in found] == [("cold", "warm"), ("warm", "cold")]
    for (_, _, told), moment in zip(found, (met, cools), strict=True):
        assert moment <= told < moment + IN_TIME


async def test_a_worker_that_was_dead_at_the_moment_tells_it_when_it_is_back(
    database: Database, tenant: TenantFixture, new_person: NewPerson, happen: Happen, drain: Drain
) -> None:
    await serve(database, tenant)
    person = await new_person()
    await happen(person, "meeting", now().isoformat())
    await drain()
    assert [each[:2] for each in await changes(database, tenant, person)] == [("cold", "warm")]
    await asyncio.sleep(HALF_LIFE_DAYS * 86_400 * math.log2(12 / 10) + 0.1)
    assert len(await changes(database, tenant, person)) == 1
    back = now()
    async with workers(database, 2):

        async def is_told() -> bool:
            return len(await changes(database, tenant, person)) > 1

        await until(is_told)
        await asyncio.sleep(0.5)
    found = await changes(database, tenant, person)
    assert [each[:2] for each in found] == [("cold", "warm"), ("warm", "cold")]
    assert found[1][2] < back + IN_TIME


async def test_signals_count_soon_after_their_person_has_come(
    api: httpx.AsyncClient, database: Database, tenant: TenantFixture, new_person: NewPerson, drain: Drain
) -> None:
    told = {"email": "later@example.com", "type": "meeting", "occurred_at": now().isoformat(), "source": "s"}
    assert (await api.post("/v1/touchpoints", json=told)).json()["candidate_id"] is None
    await drain()
    async with workers(database, 1):
        person = await new_person(email_addresses=[{"value": "later@example.com"}])

        async def is_scored() -> bool:
            async with database.transaction(tenant.caller) as session:
                found = await session.value("select interest from scores where candidate_id = :id", id=UUID(person))
            return bool(found)

        await until(is_scored)
