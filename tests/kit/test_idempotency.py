"""Idempotency keys: one effect, the same answer, also against twins that run at once."""

import asyncio
from collections import Counter

import httpx

from app.kit.db import Database
from tests.conftest import TenantFixture

BODY = {"name": "ATS", "scopes": ["pools:read"]}


async def test_twins_at_once_have_one_effect(api: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(
        *(api.post("/v1/api-keys", json=BODY, headers={"Idempotency-Key": "twin"}) for _ in range(8))
    )
    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) <= {201, 409}
    assert all(answer.headers["Retry-After"] == "1" for answer in answers if answer.status_code == 409)
    keys = (await api.get("/v1/api-keys")).json()["data"]
    assert sum(key["name"] == "ATS" for key in keys) == 1


async def test_a_replay_repeats_status_body_and_location(api: httpx.AsyncClient) -> None:
    first = await api.post("/v1/api-keys", json=BODY, headers={"Idempotency-Key": "again"})
    again = await api.post("/v1/api-keys", json=BODY, headers={"Idempotency-Key": "again"})
    assert again.headers["Location"] == first.headers["Location"]
    assert again.json()["id"] == first.json()["id"]


async def test_a_replayed_problem_names_the_request_that_it_answered(api: httpx.AsyncClient) -> None:
    pool = {"key": "taken", "name": "Taken", "criteria": {"all": []}}
    assert (await api.post("/v1/pools", json=pool)).status_code == 201
    first = await api.post("/v1/pools", json=pool, headers={"Idempotency-Key": "refused"})
    again = await api.post("/v1/pools", json=pool, headers={"Idempotency-Key": "refused"})
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (409, "true")
    assert again.content == first.content
    assert again.headers["X-Request-Id"] == again.json()["request_id"]


async def test_a_refused_body_is_not_kept(api: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "later"}
    assert (await api.post("/v1/api-keys", json={"name": "x"}, headers=headers)).status_code == 422
    assert (await api.post("/v1/api-keys", json=BODY, headers=headers)).status_code == 201


async def test_a_key_is_at_most_255_characters(api: httpx.AsyncClient) -> None:
    answer = await api.post("/v1/api-keys", json=BODY, headers={"Idempotency-Key": "k" * 256})
    assert answer.status_code == 422


async def test_an_expired_answer_is_taken_away_by_the_next(
    api: httpx.AsyncClient, database: Database, tenant: TenantFixture
) -> None:
    await api.post("/v1/api-keys", json=BODY, headers={"Idempotency-Key": "old"})
    async with database.transaction(tenant.caller) as session:
        await session.run("update idempotency_keys set expires_at = now() - interval '1 second'")
    await api.post("/v1/api-keys", json=BODY, headers={"Idempotency-Key": "new"})
    async with database.transaction(tenant.caller) as session:
        assert [row.key for row in await session.rows("select key from idempotency_keys")] == ["new"]
