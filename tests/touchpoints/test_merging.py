"""Timelines are united when people are, and parted again as they were."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import httpx

from app.kit.clock import now
from app.kit.db import Database
from app.touchpoints import merging, service
from tests.conftest import TenantFixture


async def test_a_merge_moves_and_its_undo_returns(
    api: httpx.AsyncClient, new_person: Callable[..., Awaitable[str]], database: Database, tenant: TenantFixture
) -> None:
    survivor, loser = UUID(await new_person()), UUID(await new_person())

    async def happen(person: UUID, type_: str) -> str:
        told = {"candidate_id": str(person), "type": type_, "occurred_at": "2026-11-01T00:00:00Z", "source": "s"}
        made: str = (await api.post("/v1/touchpoints", json=told)).json()["id"]
        return made

    mine, theirs = await happen(survivor, "call"), await happen(loser, "rejected")
    async with database.transaction(tenant.caller) as session:
        assert await merging.counts(session, [loser]) == {loser: {"touchpoints": 1}}
        await merging.absorb(session, {loser: survivor})
        merged = await service.signals_of(session, [survivor, loser])
        rejected = "select id from candidates where rejected_at is not null order by id"
        assert [row.id for row in await session.rows(rejected)] == [survivor, loser]
    assert {each.id for each in merged[survivor]} == {mine, theirs}
    merged_at = now()
    between = await happen(survivor, "meeting")
    async with database.transaction(tenant.caller) as session:
        assert await merging.release(session, survivor, loser, [loser], merged_at) == [UUID(between)]
        parted = await service.signals_of(session, [survivor, loser])
        assert [row.id for row in await session.rows(rejected)] == [loser]
    assert {each.id for each in parted[survivor]} == {mine, between}
    assert [each.id for each in parted[loser]] == [theirs]
