"""What a sweep asks says what `explain` says, and is asked once."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from app.kit import due, jobs
from app.kit.db import Database
from app.sweeps import service
from app.sweeps.engines import Engine
from app.training.statements import records
from tests.conftest import TenantFixture

MANY = 120


async def swept(database: Database, tenant: TenantFixture, engine: Engine) -> None:
    async with database.transaction(tenant.caller) as session:
        await service.start(session, engine)
    await jobs.run_jobs(database)
    await due.run_until_quiet(database)


async def asked(api: httpx.AsyncClient) -> list[dict[str, Any]]:
    answer = (await api.get("/v1/dedup/pairs?status=open&limit=200")).json()
    assert answer["next_cursor"] is None
    found: list[dict[str, Any]] = answer["data"]
    return found


async def test_what_is_asked_is_what_explain_says_and_is_asked_once(
    engine: Engine,
    new_tenant: Callable[[], Awaitable[TenantFixture]],
    client_of: Callable[[str], httpx.AsyncClient],
    database: Database,
) -> None:
    tenant = await new_tenant()
    api = client_of(tenant.key)
    await api.put("/v1/dedup/policy", json={"automatic": False})  # a merge would change how many hold a value
    items = [{**record.payload, "on_match": "create"} for record in records(MANY, 11)]
    await api.post("/v1/candidates/batch-upsert", json={"items": items})
    await swept(database, tenant, engine)
    pairs = await asked(api)
    assert len(pairs) > MANY / 20
    for pair in pairs:
        ids = {side: pair[side] for side in ("left_id", "right_id")}
        told = (await api.post("/v1/dedup/explain", json=ids)).json()
        for mine, theirs in zip(pair["evidence"], told["evidence"], strict=True):
            assert mine == {**theirs, "weight": pytest.approx(theirs["weight"], abs=1e-9)}
        assert pair["weight"] == pytest.approx(told["weight"], abs=1e-9)
    await swept(database, tenant, engine)
    assert await asked(api) == pairs
