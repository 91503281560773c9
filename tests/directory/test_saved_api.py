"""Searches that are kept to be asked again."""

from typing import Any

import httpx
import pytest

SEARCH: dict[str, Any] = {
    "key": "py",
    "name": "Python",
    "criteria": {"field": "tags", "op": "has", "value": "python"},
    "q": "さとう",
    "sort": "-updated_at",
    "facets": ["tags"],
    "owner": None,
}


async def test_a_search_is_saved_read_changed_and_forgotten(api: httpx.AsyncClient) -> None:
    made = await api.post("/v1/saved-searches", json=SEARCH)
    assert made.status_code == 201, made.text
    path = made.headers["Location"]
    saved = (await api.get(path)).json()
    assert {name: saved[name] for name in SEARCH} == SEARCH
    changed = await api.patch(path, json={"q": None, "facets": {"add": ["interests"]}}, headers={"If-Match": '"v1"'})
    assert (changed.json()["q"], changed.json()["facets"]) == (None, ["tags", "interests"])
    assert changed.headers["ETag"] == '"v2"'
    assert (await api.patch(path, json={}, headers={"If-Match": '"v1"'})).status_code == 412
    assert (await api.patch(path, json=changed.json() | {"facets": {}})).headers["ETag"] == '"v2"'
    body = {name: changed.json()[name] for name in ("criteria", "q", "sort", "facets")}
    assert (await api.post("/v1/candidates/search", json=body)).status_code == 200
    assert [each["key"] for each in (await api.get("/v1/saved-searches")).json()["data"]] == ["py"]
    assert (await api.delete(path)).status_code == 204
    assert (await api.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"criteria": {"field": "shoe", "op": "eq", "value": 1}}, 422, "criteria_invalid"),
        ({"criteria": {"field": "pool", "op": "has", "value": "nowhere"}}, 404, "not_found"),
        ({"sort": "shoe"}, 400, "sort_not_allowed"),
        ({"facets": ["shoe"]}, 422, "invalid"),
        ({}, 409, "key_taken"),
    ],
)
async def test_what_is_not_saved(api: httpx.AsyncClient, change: dict[str, Any], status: int, code: str) -> None:
    await api.post("/v1/saved-searches", json=SEARCH)
    answer = await api.post("/v1/saved-searches", json=SEARCH | change)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
