"""The rate limit: pure counting, and what a client sees of it."""

from collections.abc import Callable, Iterator

import httpx
import pytest
from fastapi import FastAPI

from app.kit.ids import new_id
from app.kit.rate import WINDOW_S, Limiter, cost_of


def test_a_window_is_used_up_and_comes_back() -> None:
    limiter, key = Limiter(3), new_id()
    assert [limiter.take(key, 10.0) for _ in range(4)] == [True, True, True, False]
    assert limiter.take(new_id(), 10.0)
    assert (limiter.look(key, 40.0).remaining, limiter.look(key, 40.0).reset_s) == (0, 30)
    assert limiter.take(key, 10.0 + WINDOW_S)


def test_a_batch_costs_one_for_each_hundred() -> None:
    assert [cost_of(items) for items in (0, 1, 100, 101, 500)] == [1, 1, 1, 2, 5]


@pytest.fixture
def limited(app: FastAPI) -> Iterator[Limiter]:
    """The service with a limit of five requests a minute."""
    app.state.limiter = Limiter(5)
    yield app.state.limiter
    app.state.limiter = None


async def test_the_headers_say_what_is_left_and_then_429(
    limited: Limiter, api: httpx.AsyncClient, client_of: Callable[[str], httpx.AsyncClient]
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


async def test_without_a_limit_there_is_no_header(api: httpx.AsyncClient) -> None:
    answer = await api.get("/v1/limits")
    assert ("RateLimit" in answer.headers, answer.json()["policies"]) == (False, [])
