"""Connections over HTTP, as their owner sees them."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from app.connectors import repository
from app.kit import json
from tests.conftest import TenantFixture
from tests.connectors.hook import KEY, OTHER, Hook, event, secret_of, signed


async def test_providers_say_what_they_ask_for(api: httpx.AsyncClient) -> None:
    page = (await api.get("/v1/providers")).json()
    sent = next(each for each in page["data"] if each["key"] == "sendgrid")
    assert (sent["kind"], page["next_cursor"], page["has_more"]) == ("webhook", None, False)
    assert "tolerance_s" in sent["settings_schema"]["properties"]
    assert "email_clicked" in sent["event_types"]


async def test_a_connection_is_made_read_changed_and_ended(api: httpx.AsyncClient) -> None:
    body = {"provider": "sendgrid", "name": "Newsletter", "settings": {}, "secret": secret_of(KEY)}
    made = await api.post("/v1/connections", json=body)
    found = made.json()
    assert made.headers["Location"] == f"/v1/connections/{found['id']}"
    assert found["hook_url"] == f"https://talent.example.com/v1/hooks/{found['id']}"
    assert found["counts"] == {"stored": 0, "duplicate": 0, "refused": 0, "dead": 0}
    assert "secret" not in made.text
    path = f"/v1/connections/{found['id']}"
    assert (await api.get(path)).json() == found
    listed = (await api.get("/v1/connections?include=total")).json()
    assert (listed["data"], listed["total"]) == ([found], 1)
    changed = await api.patch(
        path, json={"name": "Mails", "settings": {"tolerance_s": 60}}, headers={"If-Match": '"v1"'}
    )
    assert (changed.json()["name"], changed.json()["settings"], changed.json()["version"]) == (
        "Mails",
        {"tolerance_s": 60.0},
        2,
    )
    assert (await api.patch(path, json={}, headers={"If-Match": '"v1"'})).status_code == 412
    cleared = await api.patch(path, json={"settings": {"tolerance_s": None}})
    assert (cleared.json()["settings"], cleared.json()["version"]) == ({}, 3)
    copied = await api.post("/v1/connections", json=found | {"enabled": False, "secret": secret_of(KEY)})
    assert (copied.status_code, copied.json()["enabled"]) == (201, False)
    assert (await api.delete(path)).status_code == 204
    assert [(await api.get(path)).status_code, (await api.delete(path)).status_code] == [404, 404]
    assert (await api.post(urlsplit(found["hook_url"]).path, content=b"[]")).status_code == 404


async def test_settings_are_read_as_they_were_given_and_merged_at_every_depth(api: httpx.AsyncClient) -> None:
    settings = {
        "header": "X-Token",
        "mapping": {"type": "/t", "occurred_at": "/at", "data": "/d"},
        "types": {"a": "call"},
    }
    body = {"provider": "generic", "name": "Any", "settings": settings, "secret": "0123456789abcdef"}
    made = (await api.post("/v1/connections", json=body)).json()
    assert made["settings"] == settings
    patch = {"mapping": {"data": None, "email": "/who"}, "types": {"b": "meeting"}}
    changed = await api.patch(f"/v1/connections/{made['id']}", json={"settings": patch})
    assert changed.json()["settings"] == {
        "header": "X-Token",
        "mapping": {"type": "/t", "occurred_at": "/at", "email": "/who"},
        "types": {"a": "call", "b": "meeting"},
    }


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"provider": "pigeon"}, "unknown_provider", "/provider"),
        ({"secret": "no key"}, "secret_invalid", "/secret"),
        ({"settings": {"colour": 1}}, "invalid", "/settings/colour"),
        ({"settings": {"tolerance_s": -1}}, "invalid", "/settings/tolerance_s"),
    ],
)
async def test_what_cannot_be_connected_is_refused(
    api: httpx.AsyncClient, change: dict[str, Any], code: str, pointer: str
) -> None:
    body = {"provider": "sendgrid", "name": "Newsletter", "settings": {}, "secret": secret_of(KEY)} | change
    refused = await api.post("/v1/connections", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert [each["pointer"] for each in refused.json()["errors"]] == [pointer]


async def test_another_tenants_connection_is_not_found(
    hook: Hook,
    client_of: Callable[[str], httpx.AsyncClient],
    new_tenant: Callable[[], Awaitable[TenantFixture]],
) -> None:
    stranger = client_of((await new_tenant()).key)
    assert (await stranger.get(f"/v1/connections/{hook.id}")).status_code == 404
    assert (await stranger.get(f"/v1/connections/{hook.id}/deliveries")).status_code == 404


async def test_of_refusals_the_last_are_listed_and_all_are_counted(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository, "LISTED_REFUSALS", 3)
    for _ in range(8):
        assert (await hook.post(b"[]", {})).status_code == 401
    assert (await hook.counts())["refused"] == 8
    listed = await hook.deliveries()
    assert len(listed) == 3
    page = await hook.api.get(f"/v1/connections/{hook.id}/deliveries?include=total")
    assert (page.json()["total"], page.json()["total_is_capped"]) == (3, False)
    assert listed[0]["received_at"] > listed[-1]["received_at"]


async def test_two_secrets_live_while_they_overlap(hook: Hook) -> None:
    path = f"/v1/connections/{hook.id}/secret/rotate"
    wrong = await hook.api.post(path, json={"secret": "x"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "secret_invalid")
    rotated = await hook.api.post(path, json={"secret": secret_of(OTHER)})
    assert (rotated.status_code, rotated.json()["version"]) == (200, 2)
    raws = [json.dumpb([event()]) for _ in range(2)]
    assert [
        (await hook.post(raw, signed(raw, key))).status_code for raw, key in zip(raws, (KEY, OTHER), strict=True)
    ] == [204, 204]
    await hook.api.post(path, json={"secret": secret_of(KEY), "overlap_s": 0})
    raw = json.dumpb([event()])
    assert [(await hook.post(raw, signed(raw, key))).status_code for key in (OTHER, KEY)] == [401, 204]


async def test_a_preview_writes_nothing(hook: Hook) -> None:
    preview = await hook.api.post(f"/v1/connections/{hook.id}/preview", json={"body": [event(), event("processed"), 1]})
    found = preview.json()
    assert (found["ignored"], found["unreadable"]) == (1, 1)
    assert [(each["type"], each["email"], each["source"]) for each in found["touchpoints"]] == [
        ("email_opened", "hanako@example.com", f"sendgrid:{hook.id}")
    ]
    assert (await hook.api.post(f"/v1/connections/{hook.id}/preview", json={"body": "no JSON"})).json()[
        "unreadable"
    ] == 1
    assert (await hook.deliveries(), await hook.touchpoints()) == ([], [])


async def test_deliveries_are_paged_newest_first(hook: Hook) -> None:
    for _ in range(3):
        await hook.tell(event())
        await hook.post(b"[]", {})
    path = f"/v1/connections/{hook.id}/deliveries?limit=4"
    first = (await hook.api.get(path)).json()
    rest = (await hook.api.get(f"{path}&cursor={first['next_cursor']}")).json()
    ids = [each["id"] for each in first["data"] + rest["data"]]
    assert (len(ids), ids) == (6, sorted(ids, reverse=True))
    assert [each["status"] for each in first["data"]] == ["refused", "parsed", "refused", "parsed"]
    mismatch = await hook.api.get(f"{path}&status=dead&cursor={first['next_cursor']}")
    assert mismatch.json()["code"] == "cursor_mismatch"
    assert (await hook.api.get(f"{path}&status=colour")).status_code == 422


async def test_what_can_be_connected_is_listed(api: httpx.AsyncClient) -> None:
    listed = {each["key"]: each for each in (await api.get("/v1/providers")).json()["data"]}
    assert {"zoom", "calendly", "eventbrite", "luma", "connpass"} <= set(listed)
    assert listed["connpass"]["kind"] == "poll"
    assert listed["eventbrite"]["settings_schema"]["properties"]["token"]["writeOnly"] is True
