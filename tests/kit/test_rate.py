"""The rate limit: pure counting, and what a client sees of it."""

import asyncio
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from app.kit import rate
from app.kit.embedded import ValkeyServer, start_valkey
from app.kit.ids import new_id
from app.kit.rate import WINDOW_S, Limiter, LocalRate, SharedRate, cost_of


def test_a_window_is_used_up_and_comes_back() -> None:
    limiter, key = Limiter(3), new_id()
    assert [limiter.take(key, 10.0) for _ in range(4)] == [True, True, True, False]
    assert limiter.take(new_id(), 10.0)
    assert (limiter.look(key, 40.0).remaining, limiter.look(key, 40.0).reset_s) == (0, 30)
    assert limiter.take(key, 10.0 + WINDOW_S)


def test_a_batch_costs_one_for_each_hundred() -> None:
    assert [cost_of(items) for items in (0, 1, 100, 101, 500)] == [1, 1, 1, 2, 5]


@pytest.fixture
def limited(app: FastAPI) -> Iterator[LocalRate]:
    """The service with a limit of five requests a minute."""
    app.state.rate = LocalRate(5)
    yield app.state.rate
    app.state.rate = None


async def test_the_headers_say_what_is_left_and_then_429(
    limited: LocalRate, api: httpx.AsyncClient, client_of: Callable[[str], httpx.AsyncClient]
) -> None:
    first = await api.get("/v1/limits")
    assert first.headers["RateLimit-Policy"] == f'"default";q={limited.quota};w=60'
    assert first.json()["policies"][0] | {"reset_s": 60} == {
        "name": "default",
        "quota": 5,
        "window_s": 60,
        "remaining": 4,
        "reset_s": 60,
    }
    missing = await api.get("/v1/jobs/none")
    assert (missing.status_code, missing.headers["RateLimit"].startswith('"default";r=3;')) == (404, True)
    items = [{"full_name": f"数 {number}郎"} for number in range(150)]
    batch = await api.post("/v1/candidates/batch-upsert", json={"items": items})
    assert batch.headers["RateLimit"].startswith('"default";r=1;')
    assert [(await api.get("/v1/me")).status_code for _ in range(2)] == [200, 429]
    refused = await api.get("/v1/me")
    assert (refused.json()["code"], 0 < int(refused.headers["Retry-After"]) <= 60) == ("rate_limited", True)
    assert (await client_of("").get("/livez")).status_code == 200


async def test_lines_of_a_batch_count_as_its_items(limited: LocalRate, api: httpx.AsyncClient) -> None:
    lines = b'{"note": 1}\n' * 150
    answer = await api.post("/v1/touchpoints/batch", content=lines, headers={"Content-Type": "application/x-ndjson"})
    assert (answer.status_code, len(answer.json()["items"])) == (207, 150)
    assert answer.headers["RateLimit"].startswith(f'"default";r={limited.quota - 2};')


async def test_without_a_limit_there_is_no_header(api: httpx.AsyncClient) -> None:
    answer = await api.get("/v1/limits")
    assert ("RateLimit" in answer.headers, answer.json()["policies"]) == (False, [])


@pytest.fixture
def valkey() -> Iterator[ValkeyServer]:
    with tempfile.TemporaryDirectory(prefix="tp-") as folder:
        server = start_valkey(Path(folder) / "valkey")
        yield server
        server.stop()


async def test_processes_count_together(valkey: ValkeyServer) -> None:
    one, other = SharedRate(10, valkey.url), SharedRate(10, valkey.url)
    key = new_id()
    taken = await asyncio.gather(*(each.take(key) for each in (one, other) for _ in range(20)))
    assert sum(admitted for admitted, _ in taken) == 10
    admitted, left = await one.take(new_id(), cost=4)
    assert (admitted, left.remaining, 0 < left.reset_s <= WINDOW_S) == (True, 6, True)
    assert await one._redis.pttl(f"talentpool:rate:{key}") > 0
    for each in (one, other):
        await each.close()


async def test_a_lost_redis_fails_no_request_and_the_count_goes_on(
    valkey: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared, key = SharedRate(10, valkey.url), new_id()
    for _ in range(7):
        await shared.take(key)
    valkey.stop()
    answers = await asyncio.gather(*(shared.take(key) for _ in range(5)))
    assert [admitted for admitted, _ in answers].count(True) == 3
    monkeypatch.setattr(rate, "PAUSE_S", 0.0)
    assert (await shared.take(new_id()))[0]
    again = start_valkey(valkey.socket.parent)
    try:
        shared._away_until = 0.0
        admitted, left = await shared.take(new_id())
        assert (admitted, left.remaining) == (True, 9)
        assert await shared._redis.dbsize() == 1
    finally:
        await shared.close()
        again.stop()


async def test_a_redis_that_says_nothing_is_left_alone(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "silent.sock"))
        silent.listen()
        shared = SharedRate(10, f"unix://{tmp_path / 'silent.sock'}")
        before = asyncio.get_running_loop().time()
        assert [(await shared.take(None))[0] for _ in range(20)] == [True] * 10 + [False] * 10
        assert asyncio.get_running_loop().time() - before < 2 * rate.PATIENCE_S
        await shared.close()


def test_the_settings_choose_the_limit() -> None:
    assert rate.make(0, "redis://localhost") is None
    assert type(rate.make(5, None)) is LocalRate
    assert type(rate.make(5, "redis://localhost")) is SharedRate
