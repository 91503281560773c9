"""How much of a candidate is answered, and what is set beside it."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

Drain = Callable[[], Awaitable[int]]


@pytest.fixture
async def ada(api: httpx.AsyncClient, drain: Drain) -> str:
    """Somebody who was met, and is in a pool."""
    made: str = (await api.post("/v1/candidates", json={"full_name": "Ada", "tags": ["x"]})).json()["id"]
    touchpoint = {"candidate_id": made, "type": "call", "occurred_at": "2026-01-01T00:00:00Z", "source": "x"}
    await api.post("/v1/touchpoints", json=touchpoint)
    pool = {"key": "all", "name": "All", "criteria": {"all": []}}
    await api.post("/v1/pools", json=pool)
    await drain()
    return made


async def test_fields_leave_the_others_out(api: httpx.AsyncClient, ada: str) -> None:
    query = {"fields": ["full_name,tags", "can_contact"]}
    expected = {"id": ada, "version": 1, "full_name": "Ada", "tags": ["x"], "can_contact": False}
    one = await api.get(f"/v1/candidates/{ada}", params=query)
    assert (one.json(), one.headers["ETag"]) == (expected, '"v1"')
    assert (await api.get("/v1/candidates", params=query)).json()["data"] == [expected]
    body = {"fields": ["full_name", "tags", "can_contact"]}
    assert (await api.post("/v1/candidates/search", json=body)).json()["data"] == [expected]


async def test_expand_sets_others_beside(api: httpx.AsyncClient, ada: str) -> None:
    query = {"expand": ["score", "last_touchpoint", "pools"], "fields": "full_name"}
    for shown in (
        (await api.get(f"/v1/candidates/{ada}", params=query)).json(),
        (await api.get("/v1/candidates", params=query)).json()["data"][0],
    ):
        assert shown.keys() == {"id", "version", "full_name", "score", "last_touchpoint", "pools"}
        assert shown["score"]["candidate_id"] == ada
        assert "contributions" not in shown["score"]
        assert shown["last_touchpoint"]["type"] == "call"
        assert [(each["key"], each["name"]) for each in shown["pools"]] == [("all", "All")]
    whole = (await api.get(f"/v1/candidates/{ada}", params={"expand": "pools"})).json()
    assert whole.keys() == (await api.get(f"/v1/candidates/{ada}")).json().keys() | {"pools"}


@pytest.mark.parametrize("query", [{"fields": "shoe_size"}, {"expand": "everything"}])
async def test_what_there_is_not_is_422(api: httpx.AsyncClient, ada: str, query: dict[str, Any]) -> None:
    for path in ("/v1/candidates", f"/v1/candidates/{ada}"):
        assert (await api.get(path, params=query)).status_code == 422
    body = {name: [value] for name, value in query.items()}
    assert (await api.post("/v1/candidates/search", json=body)).status_code == 422
