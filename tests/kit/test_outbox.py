"""The feed under a race: nothing is missed, nothing appears behind a place already passed."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from uuid import UUID

import httpx
import pytest

from app.kit import outbox
from app.kit.db import Database
from app.kit.ids import new_id
from app.kit.outbox import Event
from tests.conftest import TenantFixture

WRITERS, WRITES = 8, 25


async def _write(database: Database, tenant: TenantFixture, resource: UUID) -> None:
    for version in range(1, WRITES + 1):
        async with database.transaction(tenant.caller) as session:
            await outbox.record(session, Event("candidate.updated", "candidate", resource, version))
            await asyncio.sleep(0.001 * (version % 3))


async def test_a_reader_that_races_eight_writers_misses_nothing(
    api: httpx.AsyncClient,
    tenant: TenantFixture,
    database: Database,
    new_tenant: Callable[[], Awaitable[TenantFixture]],
) -> None:
    resources = [new_id() for _ in range(WRITERS)]
    other = await new_tenant()
    read: list[dict[str, object]] = []
    async with database.transaction(other.caller) as open_elsewhere:
        await outbox.record(open_elsewhere, Event("candidate.created", "candidate", new_id(), 1))
        writers = asyncio.gather(*(_write(database, tenant, resource) for resource in resources))
        cursor = None
        while len(read) < WRITERS * WRITES:
            page = (await api.get("/v1/changes", params={"limit": 20} | ({"since": cursor} if cursor else {}))).json()
            read += page["data"]
            cursor = page["next_cursor"]
            if not page["data"]:
                await asyncio.sleep(0.005)
        await writers
    numbers = [int(str(entry["seq"])) for entry in read]
    assert numbers == sorted(set(numbers))
    versions = defaultdict(list)
    for entry in read:
        versions[entry["id"]].append(entry["version"])
    assert versions == {str(resource): list(range(1, WRITES + 1)) for resource in resources}
    assert (await api.get("/v1/changes", params={"since": cursor})).json()["data"] == []


async def test_a_rolled_back_change_is_never_told(
    api: httpx.AsyncClient, tenant: TenantFixture, database: Database
) -> None:
    class Failure(Exception):
        pass

    async def fail() -> None:
        async with database.transaction(tenant.caller) as session:
            await outbox.record(session, Event("candidate.created", "candidate", new_id(), 1))
            raise Failure

    with pytest.raises(Failure):
        await fail()
    assert (await api.get("/v1/changes")).json()["data"] == []


async def test_the_stream_goes_on_after_the_last_event_id(
    api: httpx.AsyncClient, tenant: TenantFixture, database: Database
) -> None:
    ids = [new_id(), new_id()]
    async with database.transaction(tenant.caller) as session:
        await outbox.record(session, *(Event("candidate.created", "candidate", one, 1) for one in ids))
    page = (await api.get("/v1/changes", params={"limit": 1})).json()
    rest = (await api.get("/v1/changes", params={"since": page["next_cursor"]})).json()
    assert [entry["id"] for entry in page["data"] + rest["data"]] == [str(one) for one in ids]
