"""Who saw whom, and who wrote what: one row a request."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from app.kit.db import Database
from app.kit.ids import new_id
from app.tenancy import audit
from tests.conftest import TenantFixture


async def log(api: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    answer = await api.get("/v1/audit-log", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["data"])


async def person(api: httpx.AsyncClient, name: str) -> str:
    return str((await api.post("/v1/candidates", json={"full_name": name, "tags": ["vip"]})).json()["id"])


async def test_each_request_that_shows_or_changes_people_leaves_one_row(api: httpx.AsyncClient) -> None:
    ada, bob = await person(api, "Ada"), await person(api, "Bob")
    acting = {"Act-As-User": "hanako"}
    await api.get(f"/v1/candidates/{ada}", headers=acting)
    await api.get("/v1/candidates")
    await api.post("/v1/candidates/search", json={"q": "Bob"})
    await api.patch(f"/v1/candidates/{ada}", json={"headline": "CTO"})
    await api.get("/v1/candidates", params={"tag": "nobody"})
    await api.get("/v1/me")
    await api.get(f"/v1/candidates/{new_id()}")
    rows = [(row["kind"], row["action"], set(row["ids"])) for row in await log(api)]
    assert rows == [
        ("write", "update_candidate", {ada}),
        ("read", "search_candidates", {bob}),
        ("read", "list_candidates", {ada, bob}),
        ("read", "read_candidate", {ada}),
        ("write", "create_candidate", {bob}),
        ("write", "create_candidate", {ada}),
    ]
    [seen] = await log(api, act_as="hanako")
    me = (await api.get("/v1/me")).json()
    assert (seen["actor"], seen["resource"], seen["fields"]) == (me["actor"], "candidates", ["*"])


async def test_what_shows_people_by_other_names_is_seen_too(api: httpx.AsyncClient) -> None:
    ada = await person(api, "Ada")
    happened = {"candidate_id": ada, "type": "call", "occurred_at": "2026-11-01T00:00:00Z", "source": "test"}
    await api.post("/v1/touchpoints", json=happened)
    await api.get(f"/v1/candidates/{ada}/touchpoints")
    await api.get(f"/v1/candidates/{ada}/records")
    await api.post("/v1/contact-decisions", json={"candidate_id": ada, "channel": "email", "purpose": "recruiting"})
    rows = await log(api, candidate_id=ada, kind="read")
    assert {row["action"] for row in rows} == {
        "decide_contacts",
        "list_candidate_records",
        "list_candidate_touchpoints",
    }
    assert all(row["ids"] == [ada] for row in rows)
    assert not [row for row in await log(api) if row["resource"] == "touchpoints"]


async def test_the_log_is_filtered_and_paged(api: httpx.AsyncClient, tenant: TenantFixture, database: Database) -> None:
    people = [await person(api, name) for name in ("Ada", "Bob", "Cyd")]
    for each in people:
        await api.get(f"/v1/candidates/{each}")
    assert {row["action"] for row in await log(api, candidate_id=people[0])} == {"create_candidate", "read_candidate"}
    assert len(await log(api, action=["read_candidate", "other"])) == 3
    assert await log(api, at_lt="2020-01-01T00:00:00Z") == []
    seen: list[int] = []
    query: dict[str, Any] = {"limit": 2, "kind": "read", "include": "total"}
    while True:
        page = (await api.get("/v1/audit-log", params=query)).json()
        seen += [row["n"] for row in page["data"]]
        assert page["total"] == 3
        if not page["has_more"]:
            break
        query["cursor"] = page["next_cursor"]
    assert (len(seen), seen) == (3, sorted(seen, reverse=True))
    other = await api.get("/v1/audit-log", params={**query, "kind": "write"})
    assert (other.status_code, other.json()["code"]) == (400, "cursor_mismatch")
    async with database.transaction(tenant.caller) as session:
        await audit.disclose(session, "webhook", "https://example.com/in", [session.tenant_id], ["full_name"])
    [given] = await log(api, kind="disclosure")
    assert (given["recipient"], given["fields"], given["actor"]) == (
        "https://example.com/in",
        ["full_name"],
        "system:test",
    )


async def test_the_log_is_the_tenants_own_and_asks_for_its_scope(
    api: httpx.AsyncClient,
    client_of: Callable[[str], httpx.AsyncClient],
    new_tenant: Callable[[], Awaitable[TenantFixture]],
) -> None:
    ada = await person(api, "Ada")
    stranger = client_of((await new_tenant()).key)
    assert await log(stranger, candidate_id=ada) == []
    key = (await api.post("/v1/api-keys", json={"name": "r", "scopes": ["candidates:*"]})).json()["key"]
    refused = await client_of(key).get("/v1/audit-log")
    assert (refused.status_code, refused.json()["scope"]) == (403, "privacy:read")
