"""What every list and every PATCH keeps: totals on demand, and no null where there must be a value."""

from typing import Any

import httpx
import pytest

CONTENT = {"key": "a", "kind": "article", "title": "A", "url": "https://example.com/a"}
POOL: dict[str, Any] = {"key": "a", "name": "A", "criteria": {"all": []}}
SEQUENCE = {"key": "a", "name": "A", "steps": []}
CONNECTION = {
    "provider": "generic",
    "name": "A",
    "settings": {"header": "x-token", "mapping": {"type": "/t", "occurred_at": "/at"}, "types": {}},
    "secret": "s3cret",
}


@pytest.mark.parametrize(
    ("path", "body"),
    [("contents", CONTENT), ("pools", POOL), ("sequences", SEQUENCE), ("connections", CONNECTION)],
)
async def test_a_list_says_its_total_when_asked(api: httpx.AsyncClient, path: str, body: dict[str, Any]) -> None:
    for key in ("a", "b"):
        named = {"key": key} if "key" in body else {"name": key}
        assert (await api.post(f"/v1/{path}", json=body | named)).status_code == 201
    asked = (await api.get(f"/v1/{path}", params={"include": "total", "limit": 1})).json()
    assert (asked["total"], asked["total_is_capped"], asked["has_more"]) == (2, False, True)
    assert "total" not in (await api.get(f"/v1/{path}")).json()


@pytest.mark.parametrize(
    ("path", "body", "name"),
    [("contents", CONTENT, "title"), ("pools", POOL, "name"), ("sequences", SEQUENCE, "name"),
     ("connections", CONNECTION, "name")],
)  # fmt: skip
async def test_null_clears_no_value_that_must_be_there(
    api: httpx.AsyncClient, path: str, body: dict[str, Any], name: str
) -> None:
    made = await api.post(f"/v1/{path}", json=body)
    answer = await api.patch(made.headers["Location"], json={name: None})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, f"/{name}")


@pytest.mark.parametrize(
    ("path", "body", "method"),
    [("contents", CONTENT, "PUT"), ("contents", CONTENT, "PATCH"), ("pools", POOL, "PATCH"),
     ("sequences", SEQUENCE, "PUT"), ("connections", CONNECTION, "PATCH")],
)  # fmt: skip
async def test_a_stale_request_is_412_whatever_its_body(
    api: httpx.AsyncClient, path: str, body: dict[str, Any], method: str
) -> None:
    made = await api.post(f"/v1/{path}", json=body)
    for place in (made.headers["Location"], "/v1/tenant" if method == "PATCH" else "/v1/dedup/policy"):
        stale = await api.request(method, place, json={"no": 1}, headers={"If-Match": '"v9"'})
        assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")
        current = await api.request(method, place, json={"no": 1})
        assert (current.status_code, current.json()["code"]) == (422, "invalid")


async def test_a_connection_takes_back_what_was_read(api: httpx.AsyncClient) -> None:
    made = await api.post("/v1/connections", json=CONNECTION)
    answer = await api.patch(made.headers["Location"], json=made.json())
    assert (answer.status_code, answer.json()["version"]) == (200, 1)


async def test_a_filter_that_is_repeated_means_any(api: httpx.AsyncClient) -> None:
    for reason in ("manual", "unsubscribed", "complaint"):
        said = {"channel": "email", "value": f"{reason}@example.com", "reason": reason}
        assert (await api.post("/v1/suppressions", json=said)).status_code == 201
    found = (await api.get("/v1/suppressions?reason=manual&reason=complaint&include=total")).json()
    assert ({each["reason"] for each in found["data"]}, found["total"]) == ({"manual", "complaint"}, 2)


async def test_a_score_rule_names_known_types(api: httpx.AsyncClient) -> None:
    model = {
        "key": "own",
        "half_life_days": 30,
        "interest_rules": [{"rule": "a", "types": ["meeting", "metting"], "points": 1}],
        "tiers": [{"key": "cold", "from": None}],
    }
    answer = await api.put("/v1/score-models/own", json=model)
    assert answer.json()["errors"][0]["pointer"] == "/interest_rules/0/types/1"
