"""Connections and their hooks over HTTP, held to SendGrid's real signatures."""

import asyncio
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.connectors import repository, sendgrid, service
from app.kit import json
from app.kit.clock import now
from app.kit.db import Database, count_statements
from app.kit.ids import new_id
from tests.conftest import TenantFixture

FIXTURES = Path(__file__).parents[1] / "fixtures" / "webhooks" / "sendgrid"
VECTORS: list[dict[str, Any]] = json.loads((FIXTURES / "signature_vectors.json").read_bytes())
BATCH = next(each for each in VECTORS if each["name"].startswith("sendgrid-test-integration"))
AGES_S = 3_000_000_000
KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())


def secret_of(key: ec.EllipticCurvePrivateKey) -> str:
    return b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def signed(raw: bytes, key: ec.EllipticCurvePrivateKey = KEY, at: float | None = None) -> dict[str, str]:
    stamp = str(int(time.time() if at is None else at))
    signature = b64encode(key.sign(stamp.encode() + raw, ec.ECDSA(SHA256()))).decode()
    return {sendgrid.SIGNATURE_HEADER: signature, sendgrid.TIMESTAMP_HEADER: stamp}


def event(kind: str = "open", **members: Any) -> dict[str, Any]:
    known = {"event": kind, "email": "hanako@example.com", "timestamp": int(time.time()), "sg_event_id": str(new_id())}
    return known | members


@dataclass
class Hook:
    """One connection of the test's tenant, and a sender that knows its address only."""

    api: httpx.AsyncClient
    sender: httpx.AsyncClient
    id: str

    async def post(self, raw: bytes, headers: dict[str, str] | None = None, query: str = "") -> httpx.Response:
        given_headers = signed(raw) if headers is None else headers
        return await self.sender.post(f"/v1/hooks/{self.id}{query}", content=raw, headers=given_headers)

    async def tell(self, *events: Any, **named: Any) -> int:
        return (await self.post(json.dumpb(list(events)), **named)).status_code

    async def counts(self) -> dict[str, int]:
        found: dict[str, int] = (await self.api.get(f"/v1/connections/{self.id}")).json()["counts"]
        return found

    async def deliveries(self, query: str = "") -> list[dict[str, Any]]:
        page = await self.api.get(f"/v1/connections/{self.id}/deliveries{query}")
        assert page.status_code == 200, page.text
        return cast("list[dict[str, Any]]", page.json()["data"])

    async def touchpoints(self) -> list[dict[str, Any]]:
        page = await self.api.get(f"/v1/touchpoints?source=sendgrid:{self.id}")
        assert page.status_code == 200, page.text
        return cast("list[dict[str, Any]]", page.json()["data"])


Connect = Callable[..., Awaitable[Hook]]


@pytest.fixture
def connect(api: httpx.AsyncClient, client_of: Callable[[str], httpx.AsyncClient]) -> Connect:
    async def make(secret: str | None = None, **chosen: Any) -> Hook:
        body = {"provider": "sendgrid", "name": "Newsletter", "settings": chosen, "secret": secret or secret_of(KEY)}
        made = await api.post("/v1/connections", json=body)
        assert made.status_code == 201, made.text
        return Hook(api, client_of(""), made.json()["id"])

    return make


@pytest.fixture
async def hook(connect: Connect) -> Hook:
    return await connect()


def test_the_first_vector_is_what_it_seems() -> None:
    assert BATCH["valid"]


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
    assert (await api.get("/v1/connections")).json()["data"] == [found]
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
    assert (await api.delete(path)).status_code == 204
    assert [(await api.get(path)).status_code, (await api.delete(path)).status_code] == [404, 404]
    assert (await api.post(urlsplit(found["hook_url"]).path, content=b"[]")).status_code == 404


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


async def test_a_real_signed_batch_becomes_touchpoints_once(connect: Connect) -> None:
    hook = await connect(BATCH["public_key_b64_der"], tolerance_s=AGES_S)
    raw = BATCH["raw_body"].encode()
    headers = {sendgrid.SIGNATURE_HEADER: BATCH["signature_b64"], sendgrid.TIMESTAMP_HEADER: BATCH["timestamp"]}
    answers = [await hook.post(raw, headers) for _ in range(3)]
    assert [(each.status_code, each.content) for each in answers] == [(204, b"")] * 3
    assert await hook.counts() == {"stored": 1, "duplicate": 2, "refused": 0, "dead": 0}
    touchpoints = await hook.touchpoints()
    assert len(touchpoints) == 7
    [delivery] = await hook.deliveries("?status=parsed")
    assert (delivery["signals"], delivery["unreadable"], delivery["reason"]) == (7, 0, None)
    assert set(delivery["touchpoint_ids"]) == {each["id"] for each in touchpoints}
    assert {each["delivery_id"] for each in touchpoints} == {delivery["id"]}
    assert {each["connection_id"] for each in touchpoints} == {hook.id}
    repeats = await hook.deliveries("?status=duplicate")
    assert [each["touchpoint_ids"] for each in repeats] == [delivery["touchpoint_ids"]] * 2


@pytest.mark.parametrize("vector", [each for each in VECTORS if not each["valid"]], ids=lambda each: each["name"])
async def test_a_forged_vector_is_refused(connect: Connect, vector: dict[str, Any]) -> None:
    hook = await connect(vector["public_key_b64_der"], tolerance_s=AGES_S)
    headers = {sendgrid.SIGNATURE_HEADER: vector["signature_b64"], sendgrid.TIMESTAMP_HEADER: vector["timestamp"]}
    assert (await hook.post(vector["raw_body"].encode(), headers)).status_code == 401


async def test_every_refusal_is_counted_and_listed_without_its_body(hook: Hook) -> None:
    raw = json.dumpb([event()])
    refused = await hook.post(raw + b" ", signed(raw))
    assert (refused.status_code, refused.json()["code"]) == (401, "hook_refused")
    assert (await hook.post(raw, {})).status_code == 401
    assert (await hook.post(raw, signed(raw, at=time.time() - 90_000))).status_code == 401
    assert (await hook.post(b"x" * ((1 << 20) + 1), {})).status_code == 413
    assert await hook.counts() == {"stored": 0, "duplicate": 0, "refused": 4, "dead": 0}
    listed = await hook.deliveries("?status=refused")
    assert [each["reason"] for each in listed] == [
        "too_large",
        "outside_tolerance",
        "missing_signature",
        "bad_signature",
    ]
    assert await hook.deliveries() == listed
    assert await hook.touchpoints() == []
    again = await hook.api.post(f"/v1/connections/{hook.id}/deliveries/{listed[0]['id']}/redrive")
    assert (again.status_code, again.json()["code"]) == (409, "not_redrivable")


async def test_of_refusals_the_last_are_listed_and_all_are_counted(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository, "LISTED_REFUSALS", 3)
    for _ in range(8):
        assert (await hook.post(b"[]", {})).status_code == 401
    assert (await hook.counts())["refused"] == 8
    listed = await hook.deliveries()
    assert len(listed) == 3
    assert listed[0]["received_at"] > listed[-1]["received_at"]


async def test_of_a_batch_the_readable_items_are_taken_and_the_rest_is_a_dead_letter(hook: Hook) -> None:
    assert await hook.tell(event(), {"event": "open"}, 7, event("processed"), event(email="no address")) == 204
    [dead] = await hook.deliveries("?status=dead")
    assert (dead["signals"], dead["unreadable"], dead["reason"]) == (1, 3, "unreadable")
    assert len(await hook.touchpoints()) == len(dead["touchpoint_ids"]) == 1
    again = await hook.api.post(f"/v1/connections/{hook.id}/deliveries/{dead['id']}/redrive")
    assert (again.status_code, again.json()) == (200, dead)
    assert await hook.counts() == {"stored": 1, "duplicate": 0, "refused": 0, "dead": 1}
    assert (await hook.api.post(f"/v1/connections/{hook.id}/deliveries/{new_id()}/redrive")).status_code == 404


@pytest.mark.parametrize("raw", [b"", b"{}", b"[", b"\xff", b"[" * 9_000])
async def test_an_authentic_body_that_nobody_can_read_is_kept(hook: Hook, raw: bytes) -> None:
    assert (await hook.post(raw)).status_code == 204
    assert await hook.counts() == {"stored": 1, "duplicate": 0, "refused": 0, "dead": 1}


async def test_unknown_events_are_ignored(hook: Hook) -> None:
    assert await hook.tell(event("processed"), event("invented later")) == 204
    [delivery] = await hook.deliveries()
    assert (delivery["status"], delivery["signals"], delivery["unreadable"]) == ("parsed", 0, 0)


async def test_the_same_event_in_another_batch_is_a_repeat(hook: Hook) -> None:
    one, two = event(), event("click", url="https://example.com")
    assert [await hook.tell(one), await hook.tell(one, two), await hook.tell(two, one)] == [204, 204, 204]
    assert [each["status"] for each in await hook.deliveries()] == ["duplicate", "parsed", "parsed"]
    assert await hook.counts() == {"stored": 2, "duplicate": 1, "refused": 0, "dead": 0}
    assert len(await hook.touchpoints()) == 2


async def test_the_received_query_is_taken_as_it_comes(hook: Hook) -> None:
    assert await hook.tell(event(), query="?token=%2F&token=a") == 204


async def test_a_hook_answers_head_and_knows_only_its_own_address(hook: Hook) -> None:
    assert (await hook.sender.head(f"/v1/hooks/{hook.id}")).status_code == 200
    for wrong in (str(new_id()), "not-an-id"):
        assert (await hook.sender.head(f"/v1/hooks/{wrong}")).status_code == 404
        assert (await hook.sender.post(f"/v1/hooks/{wrong}", content=b"[]")).status_code == 404


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


async def test_a_disabled_hook_takes_nothing(hook: Hook) -> None:
    await hook.api.patch(f"/v1/connections/{hook.id}", json={"enabled": False})
    assert await hook.tell(event()) == 404
    assert [each["reason"] for each in await hook.deliveries("?status=refused")] == ["disabled"]


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


async def test_people_whom_nobody_knows_wait_in_unmatched(hook: Hook) -> None:
    await hook.tell(event())
    [waiting] = (await hook.api.get("/v1/touchpoints/unmatched")).json()["data"]
    assert (waiting["identifier"], waiting["reason"]) == ({"kind": "email", "value": "hanako@example.com"}, "unknown")


async def test_credentials_are_not_kept_and_bodies_end_after_thirty_days(
    hook: Hook, database: Database, tenant: TenantFixture, drain: Callable[[], Awaitable[int]]
) -> None:
    raw = json.dumpb([event()])
    await hook.post(raw, signed(raw) | {"Authorization": "Basic c2VjcmV0", "X-Kept": "yes"})
    async with database.transaction(tenant.caller) as session:
        row = await session.row("select raw, headers from deliveries")
        assert (row.raw, row.headers["x-kept"], "authorization" in row.headers) == (raw, "yes", False)
        await session.run("update deliveries set received_at = :old", old=now() - timedelta(days=30))
        await session.run("update due set due_at = now() where kind = :kind", kind=service.RAW_DUE)
    await drain()
    async with database.transaction(tenant.caller) as session:
        row = await session.row("select raw, headers from deliveries")
        assert (row.raw, row.headers) == (None, {})
        due_at = await session.value("select due_at from due where kind = :kind", kind=service.RAW_DUE)
        assert now() + timedelta(days=29) < due_at < now() + timedelta(days=31)
    [delivery] = await hook.deliveries()
    again = await hook.api.post(f"/v1/connections/{hook.id}/deliveries/{delivery['id']}/redrive")
    assert again.json()["code"] == "not_redrivable"


async def test_a_mistake_of_ours_parks_the_delivery_until_it_is_redriven(
    hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr("app.connectors.service.timeline.ingest", fail)
        assert await hook.tell(event()) == 204
    [dead] = await hook.deliveries("?status=dead")
    assert (dead["reason"], dead["signals"]) == ("processing_failed", 0)
    again = await hook.api.post(f"/v1/connections/{hook.id}/deliveries/{dead['id']}/redrive")
    assert (again.json()["status"], again.json()["signals"]) == ("parsed", 1)
    assert await hook.counts() == {"stored": 1, "duplicate": 0, "refused": 0, "dead": 0}


async def test_too_many_calls_at_once_are_asked_to_come_again(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.connectors.service._places", asyncio.Semaphore(0))
    busy = await hook.post(b"[]")
    assert (busy.status_code, busy.headers["Retry-After"]) == (429, "2")


async def test_calls_at_the_same_time_are_counted_exactly(hook: Hook) -> None:
    raws = [json.dumpb([event()]) for _ in range(8)]
    calls = [hook.post(raw) for raw in raws * 3] + [hook.post(raw, {}) for raw in raws]
    answers = [each.status_code for each in await asyncio.gather(*calls)]
    assert answers == [204] * 24 + [401] * 8
    assert await hook.counts() == {"stored": 8, "duplicate": 16, "refused": 8, "dead": 0}
    assert len(await hook.touchpoints()) == 8


async def test_five_hundred_events_take_as_many_statements_as_five(hook: Hook, database: Database) -> None:
    taken = []
    for size in (5, 500):
        seen: list[str] = []
        stop = count_statements(database.engine, seen)
        assert await hook.tell(*(event(email=f"p{number}@example.com") for number in range(size))) == 204
        stop()
        taken.append(len(seen))
    assert taken[0] == taken[1] < 25


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
EVENTS = st.lists(
    st.fixed_dictionaries(
        {"event": st.sampled_from(["open", "click", "bounce", "spamreport"])},
        optional={
            "email": st.sampled_from(["a@example.com", "ａ@example.com", "x", "\0"]) | JSON,
            "timestamp": st.integers(0, 2**40) | JSON,
            "sg_event_id": JSON,
            "category": JSON,
            "url": JSON,
            "useragent": JSON,
            "ip": JSON,
            "smtp-id": JSON,
        },
    ),
    max_size=4,
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=100) | JSON.map(json.dumpb) | EVENTS.map(json.dumpb))
async def test_no_authentic_bytes_make_it_fail(hook: Hook, raw: bytes) -> None:
    assert (await hook.post(raw)).status_code == 204
    assert (await hook.post(raw[:-1], signed(raw))).status_code == (401 if raw else 204)
