"""What a sweep finds does not depend on the engine, and hardly on the order in which people came."""

from collections.abc import Awaitable, Callable, Sequence
from itertools import combinations
from random import Random
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.candidates import service as candidates
from app.kit import due, jobs
from app.kit.caller import Caller
from app.kit.chunks import chunks
from app.kit.db import Database
from app.sweeps import service
from app.sweeps.engines import Engine
from app.training.statements import Record, records
from tests.conftest import TenantFixture
from tests.scale import scaled

MANY = scaled(300, 5_000)
NewTenant = Callable[[], Awaitable[TenantFixture]]
ClientOf = Callable[[str], httpx.AsyncClient]


async def load(api: httpx.AsyncClient, said: Sequence[Record], order: Sequence[int], on_match: str) -> dict[int, str]:
    """Say everything in this order; return record → the candidate that it was filed under."""
    owner: dict[int, str] = {}
    for chunk in chunks(order, 250):
        items = [{**said[each].payload, "on_match": on_match} for each in chunk]
        answer = (await api.post("/v1/candidates/batch-upsert", json={"items": items})).json()
        owner |= dict(zip(chunk, (item["id"] for item in answer["items"]), strict=True))
    return {each: found for each, found in owner.items() if found}


async def swept(database: Database, caller: Caller, engine: Engine) -> None:
    async with database.transaction(caller) as session:
        await service.start(session, engine)
    await jobs.run_jobs(database)
    await due.run_until_quiet(database)


async def linked(database: Database, caller: Caller, owner: dict[int, str]) -> set[frozenset[int]]:
    """Return the pairs of records that are one candidate's now."""
    async with database.transaction(caller) as session:
        live = await candidates.resolve_many(session, sorted({UUID(each) for each in owner.values()}))
    together: dict[UUID, list[int]] = {}
    for record, each in owner.items():
        together.setdefault(live[UUID(each)], []).append(record)
    return {frozenset(pair) for found in together.values() for pair in combinations(found, 2)}


def jaccard(left: set[Any], right: set[Any]) -> float:
    return len(left & right) / len(left | right)


@pytest.mark.more
@pytest.mark.timeout(600)
async def test_engines_and_orders_link_the_same(new_tenant: NewTenant, client_of: ClientOf, database: Database) -> None:
    pytest.importorskip("splink")
    said = list(records(MANY, 3))
    orders = [list(range(MANY)), Random(1).sample(range(MANY), MANY)]
    ways: Sequence[tuple[Engine, list[int], str]] = (
        ("postgres", orders[0], "create"),
        ("duckdb", orders[0], "create"),
        ("postgres", orders[0], "policy"),
        ("postgres", orders[1], "policy"),
    )
    found = []
    for engine, order, on_match in ways:
        tenant = await new_tenant()
        api = client_of(tenant.key)
        owner = await load(api, said, order, on_match)
        await swept(database, tenant.caller, engine)
        found.append(await linked(database, tenant.caller, owner))
    assert found[0] == found[1], "the engines differ"
    assert len(found[0]) > MANY / 20
    assert jaccard(found[0], found[2]) >= 0.97, "the door differs from the sweep"
    assert jaccard(found[2], found[3]) >= 0.97, "the order counts"
