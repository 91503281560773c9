"""Event tools over HTTP: hooks and what they answer, objects and pages that a worker reads, people who come in."""

import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.connectors import eventbrite, reception, service
from app.consent import service as consent
from app.kit import json
from app.kit.clock import now
from app.kit.db import Database
from app.kit.ids import new_id
from tests.conftest import TenantFixture
from tests.connectors.golden import FIXTURES, captures
from tests.connectors.hook import Hook
from tests.connectors.recorded import Recorded
from tests.connectors.test_event_tools import EXAMPLES, SECRETS, broken, headers_of, mac

Drain = Callable[[], Awaitable[int]]
KEY = f"key-{new_id()}"
"""Whom the servers are asked for by these tests, and by no connection that others have left."""
OBJECT = "/v3/events/77/attendees/501/?expand=event"
NICKNAME = {"source": "connpass", "id": "hanako_s"}


def capture(provider: str, name: str) -> bytes:
    return (FIXTURES / provider / name).read_bytes()


def signed_now(provider: str, raw: bytes) -> dict[str, str]:
    return headers_of(provider, raw, str(int(now().timestamp())))


@pytest.fixture
def connect_to(api: httpx.AsyncClient, client_of: Callable[[str], httpx.AsyncClient]) -> Callable[..., Awaitable[Hook]]:
    async def make(provider: str, secret: str | None = None, **chosen: Any) -> Hook:
        body = {"provider": provider, "name": "Events", "settings": chosen, "secret": secret or SECRETS.get(provider)}
        made = await api.post(
            "/v1/connections", json={name: value for name, value in body.items() if value is not None}
        )
        assert made.status_code == 201, made.text
        return Hook(api, client_of(""), made.json()["id"])

    return make


def asked(server: Recorded, key: str = KEY) -> list[tuple[str, dict[str, str]]]:
    """Return what was asked for with the key of these tests, or another."""
    return [each for each in server.asked if key in f"{each[1].get('authorization')} {each[1].get('x-api-key')}"]


async def hurry(database: Database, tenant: TenantFixture, kind: str) -> None:
    async with database.transaction(tenant.caller) as session:
        await session.run("update due set due_at = now() where kind = :kind", kind=kind)


async def told(hook: Hook, provider: str) -> list[dict[str, Any]]:
    page = await hook.api.get(f"/v1/touchpoints?source={provider}:{hook.id}")
    return sorted(page.json()["data"], key=lambda each: (each["occurred_at"], each["type"], str(each["identifier"])))


async def add(api: httpx.AsyncClient, **fields: Any) -> str:
    made = await api.post("/v1/candidates", json=fields)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


async def test_zoom_is_answered_as_it_asks(connect_to: Callable[..., Awaitable[Hook]]) -> None:
    hook = await connect_to("zoom")
    question = capture("zoom", "endpoint.url_validation.json")
    plain = json.loads(question)["payload"]["plainToken"]
    asked = await hook.post(question, signed_now("zoom", question))
    assert (asked.status_code, asked.headers["Content-Type"]) == (200, "application/json")
    assert asked.json() == {"plainToken": plain, "encryptedToken": mac(SECRETS["zoom"], plain.encode())}
    assert (await hook.post(question, signed_now("zoom", question + b" "))).status_code == 401
    told_of = capture("zoom", "webinar.registration_created.json")
    answers = [await hook.post(told_of, signed_now("zoom", told_of)) for _ in range(2)]
    assert [(each.status_code, each.content) for each in answers] == [(200, b"")] * 2
    unread = b"no JSON"
    assert (await hook.post(unread, signed_now("zoom", unread))).status_code == 200
    assert await hook.counts() == {"stored": 3, "duplicate": 1, "refused": 1, "dead": 1}
    [stored] = await told(hook, "zoom")
    assert (stored["type"], stored["data"]["event"]["id"]) == ("event_registered", "1234567890")


@pytest.mark.parametrize("provider", ["zoom", "calendly", "luma"])
async def test_every_capture_is_taken_once(connect_to: Callable[..., Awaitable[Hook]], provider: str) -> None:
    hook = await connect_to(provider, topics=["search"])
    expected = json.loads(capture(provider, "expected.json"))
    for _ in range(2):
        for path in captures(provider):
            raw = path.read_bytes()
            answer = await hook.post(raw, signed_now(provider, raw))
            assert answer.status_code == (200 if provider == "zoom" else 204)
    ids = {signal["external_id"] for meaning in expected.values() for signal in meaning.get("signals", ())}
    stored = await told(hook, provider)
    assert {each["external_id"] for each in stored} == ids
    assert len(stored) == len(ids)
    assert {"search"} == {topic for each in stored for topic in each["topics"]}
    unreadable = sum(meaning.get("unreadable", 0) for meaning in expected.values())
    assert len(await hook.deliveries("?status=dead")) == unreadable


async def test_who_comes_without_an_address_is_kept_and_of_nobody(connect_to: Callable[..., Awaitable[Hook]]) -> None:
    hook = await connect_to("zoom")
    body = json.loads(capture("zoom", "webinar.participant_joined.json"))
    for place, address in enumerate(("", "no address", "a" * 600 + "@example.com", None)):
        body["payload"]["object"]["participant"] |= {"email": address, "user_id": place, "participant_uuid": str(place)}
        raw = json.dumpb(body)
        assert (await hook.post(raw, signed_now("zoom", raw))).status_code == 200
    assert await hook.counts() == {"stored": 4, "duplicate": 0, "refused": 0, "dead": 0}
    assert [(each["identifier"], each["candidate_id"]) for each in await told(hook, "zoom")] == [(None, None)] * 4
    unmatched = (await hook.api.get("/v1/touchpoints/unmatched")).json()["data"]
    assert [each["reason"] for each in unmatched] == ["unknown"] * 4


async def test_a_registration_creates_nobody_unless_the_connection_says_so(
    connect_to: Callable[..., Awaitable[Hook]], drain: Drain
) -> None:
    raw = capture("luma", "own__guest.registered.json")
    for allowed in (False, True):
        hook = await connect_to("luma", create_candidates=allowed)
        await hook.post(raw, signed_now("luma", raw))
        await drain()
        people = (await hook.api.get("/v1/candidates")).json()["data"]
        assert len(people) == int(allowed)
    [person] = people
    assert (person["full_name"], person["phone_numbers"][0]["value"]) == ("佐藤 花子", "+819012345678")
    assert person["sources"] == [
        {"type": "event", "name": "検索の夜", "occurred_on": "2026-06-01", "detail": None},
    ]
    assert [each["candidate_id"] for each in await told(hook, "luma")] == [person["id"]]
    again = json.loads(raw)
    again["data"] |= {"id": "gst-another", "user_name": "別の人"}
    await hook.post(json.dumpb(again), signed_now("luma", json.dumpb(again)))
    assert len((await hook.api.get("/v1/candidates")).json()["data"]) == 1


async def test_a_registration_with_parts_that_nobody_can_have_still_brings_its_person(
    connect_to: Callable[..., Awaitable[Hook]],
) -> None:
    hook = await connect_to("luma", create_candidates=True)
    body = json.loads(capture("luma", "own__guest.registered.json"))
    body["data"] |= {"user_name": "長" * 5_000, "phone_number": "0" * 5_000}
    raw = json.dumpb(body)
    assert (await hook.post(raw, signed_now("luma", raw))).status_code == 204
    [person] = (await hook.api.get("/v1/candidates")).json()["data"]
    assert (person["email_addresses"][0]["value"], person["phone_numbers"]) == ("hanako@example.com", [])


async def test_an_erased_person_does_not_come_back_by_registering(
    connect_to: Callable[..., Awaitable[Hook]], database: Database, tenant: TenantFixture
) -> None:
    hook = await connect_to("luma", create_candidates=True)
    async with database.transaction(tenant.caller) as session:
        await consent.suppress(session, "email", "email", "hanako@example.com", "erased", "test")
    raw = capture("luma", "own__guest.registered.json")
    assert (await hook.post(raw, signed_now("luma", raw))).status_code == 204
    assert (await hook.api.get("/v1/candidates")).json()["data"] == []
    assert [each["identifier"] for each in await told(hook, "luma")] == [None]


async def test_eventbrites_token_is_kept_like_a_secret(connect_to: Callable[..., Awaitable[Hook]]) -> None:
    hook = await connect_to("eventbrite", token="first", topics=["search"])
    read = (await hook.api.get(f"/v1/connections/{hook.id}")).json()
    assert read["settings"] == {"topics": ["search"]}
    sent_back = await hook.api.patch(f"/v1/connections/{hook.id}", json=read)
    assert (sent_back.status_code, sent_back.json()["version"]) == (200, read["version"])
    without = {"provider": "eventbrite", "name": "Events", "settings": {}}
    refused = await hook.api.post("/v1/connections", json=without)
    assert (refused.status_code, refused.json()["code"]) == (422, "secret_invalid")
    changed = await hook.api.patch(f"/v1/connections/{hook.id}", json={"settings": {"token": "second"}})
    assert (changed.status_code, changed.json()["settings"]) == (200, {"topics": ["search"]})


async def test_eventbrites_object_is_read_by_a_worker_at_its_own_host(
    connect_to: Callable[..., Awaitable[Hook]], away: Recorded, work: Callable[[], Awaitable[None]]
) -> None:
    hook = await connect_to("eventbrite", token=KEY)
    body = json.loads(capture("eventbrite", "own__barcode.checked_in.json"))
    away.on(OBJECT, body["object"])
    person = await add(hook.api, email_addresses=[{"value": "HANAKO@example.com"}])
    for _ in range(2):
        assert (await hook.post(json.dumpb(body["notification"]), {})).status_code == 204
    assert asked(away) == []
    [waiting] = await hook.deliveries("?status=stored")
    assert (waiting["reason"], waiting["signals"]) == ("waiting", 0)
    await work()
    [(path, headers)] = asked(away)
    assert (path, headers["authorization"]) == (OBJECT, f"Bearer {KEY}")
    [stored] = await told(hook, "eventbrite")
    assert (stored["type"], stored["candidate_id"], stored["occurred_at"]) == (
        "event_attended", person, "2026-06-20T10:03:00Z",
    )  # fmt: skip
    assert stored["data"]["event"]["title"] == "検索の夜"
    [parsed] = await hook.deliveries("?status=parsed")
    assert (parsed["id"], parsed["touchpoint_ids"]) == (waiting["id"], [stored["id"]])
    assert await hook.counts() == {"stored": 1, "duplicate": 1, "refused": 0, "dead": 0}


async def test_other_addresses_and_tests_of_eventbrite_are_never_fetched(
    connect_to: Callable[..., Awaitable[Hook]], away: Recorded, work: Callable[[], Awaitable[None]]
) -> None:
    hook = await connect_to("eventbrite", token=KEY)
    for address in (f"{away.url}/v3/orders/1/", "https://evil.example/v3/orders/1/", "https://169.254.169.254/v3/a/1/"):
        raw = json.dumpb({"api_url": address, "config": {"action": "order.placed"}})
        assert (await hook.post(raw, {})).status_code == 204
    raw = json.dumpb({"api_url": f"https://{eventbrite.HOST}/{{x}}/", "config": {"action": "test"}})
    assert (await hook.post(raw, {})).status_code == 204
    await work()
    assert asked(away) == []
    assert await hook.counts() == {"stored": 4, "duplicate": 0, "refused": 0, "dead": 3}


@pytest.mark.parametrize(("status", "headers"), [(401, {}), (404, {}), (302, {"Location": "/v3/elsewhere/1/"})])
async def test_a_refused_object_is_a_dead_letter_until_it_is_redriven(
    connect_to: Callable[..., Awaitable[Hook]],
    away: Recorded,
    work: Callable[[], Awaitable[None]],
    status: int,
    headers: dict[str, str],
) -> None:
    hook = await connect_to("eventbrite", token=KEY)
    body = json.loads(capture("eventbrite", "own__barcode.checked_in.json"))
    away.on(OBJECT, status=status, **headers)
    away.on(OBJECT, body["object"])
    await hook.post(json.dumpb(body["notification"]), {})
    await work()
    [dead] = await hook.deliveries("?status=dead")
    assert dead["reason"] == "fetch_refused"
    assert [path for path, _ in asked(away)] == [OBJECT]
    again = await hook.api.post(f"/v1/connections/{hook.id}/deliveries/{dead['id']}/redrive")
    assert (again.status_code, again.json()["status"]) == (200, "stored")
    await work()
    assert await hook.counts() == {"stored": 1, "duplicate": 0, "refused": 0, "dead": 0}
    assert len(await told(hook, "eventbrite")) == 1


async def test_an_object_that_cannot_be_had_now_is_asked_for_later(
    connect_to: Callable[..., Awaitable[Hook]],
    away: Recorded,
    work: Callable[[], Awaitable[None]],
    database: Database,
    tenant: TenantFixture,
) -> None:
    hook = await connect_to("eventbrite", token=KEY)
    body = json.loads(capture("eventbrite", "own__order.placed.json"))
    path = "/v3/orders/9/?expand=attendees,event"
    away.on(path, status=503)
    away.on(path, status=429, Retry_After="120")
    away.on(path, body["object"])
    await hook.post(json.dumpb(body["notification"]), {})
    for pause in (30, 120):
        await work()
        async with database.transaction(tenant.caller) as session:
            due_at = await session.value("select due_at from due where kind = :kind", kind=reception.FETCH_DUE)
        assert timedelta(seconds=pause - 10) < due_at - now() < timedelta(seconds=pause + 10)
        [waiting] = await hook.deliveries()
        assert (waiting["status"], waiting["reason"]) == ("stored", "waiting")
        await hurry(database, tenant, reception.FETCH_DUE)
    await work()
    assert [each["identifier"]["value"] for each in await told(hook, "eventbrite")] == [
        "hanako@example.com",
        "taro@example.com",
    ]
    assert await hook.counts() == {"stored": 1, "duplicate": 0, "refused": 0, "dead": 0}


async def test_connpass_is_asked_about_everybody_whose_nickname_is_known(
    connect_to: Callable[..., Awaitable[Hook]],
    away: Recorded,
    work: Callable[[], Awaitable[None]],
    database: Database,
    tenant: TenantFixture,
    api: httpx.AsyncClient,
) -> None:
    events = json.loads(capture("connpass", "own__attended_events.json"))["events"]
    first, second = ("/api/v2/users/hanako_s/attended_events/?count=100&start=" + start for start in ("1", "3"))
    away.on(first, {"results_returned": 2, "results_available": 4, "results_start": 1, "events": events[:2]})
    away.on(second, {"results_returned": 2, "results_available": 4, "results_start": 3, "events": events[1:]})
    person = await add(api, full_name="佐藤 花子", external_ids=[NICKNAME])
    hook = await connect_to("connpass", KEY, nicknames=["taro_s"])
    await work()
    assert [path for path, _ in asked(away)] == [
        first,
        second,
        "/api/v2/users/taro_s/attended_events/?count=100&start=1",
    ]
    assert {headers["x-api-key"] for _, headers in asked(away)} == {KEY}
    stored = await told(hook, "connpass")
    assert [(each["data"]["event"]["id"], each["candidate_id"]) for each in stored] == [
        ("304", person),
        ("301", person),
        ("302", person),
    ]
    assert stored[1]["topics"] == ["searchnight"]
    assert {each["delivery_id"] for each in stored} == {each["id"] for each in await hook.deliveries("?status=parsed")}
    async with database.transaction(tenant.caller) as session:
        due_at = await session.value("select due_at from due where kind = :kind", kind=service.POLL_DUE)
    assert timedelta(hours=5) < due_at - now() < timedelta(hours=7)
    await hurry(database, tenant, service.POLL_DUE)
    await work()
    assert len(asked(away)) == 6
    assert len(await told(hook, "connpass")) == 3
    assert len(await hook.deliveries()) == 2


async def test_a_key_that_connpass_refuses_ends_the_round_and_nobody_is_asked_about(
    connect_to: Callable[..., Awaitable[Hook]],
    away: Recorded,
    work: Callable[[], Awaitable[None]],
) -> None:
    away.on("/api/v2/users/a/attended_events/?count=100&start=1", status=401)
    hook = await connect_to("connpass", KEY, nicknames=["a", "b"])
    await work()
    assert len(asked(away)) == 1
    [dead] = await hook.deliveries()
    assert (dead["status"], dead["reason"], dead["signals"]) == ("dead", "provider_refused", 0)
    raw = capture("connpass", "own__attended_events.json")
    assert (await hook.post(raw, {})).status_code == 401


async def test_connpass_is_left_alone_for_as_long_as_it_asks(
    connect_to: Callable[..., Awaitable[Hook]], away: Recorded, work: Callable[[], Awaitable[None]]
) -> None:
    path = "/api/v2/users/a/attended_events/?count=100&start=1"
    away.on(path, status=429, Retry_After="1")
    away.on(path, json.loads(capture("connpass", "own__attended_events.json")))
    hook = await connect_to("connpass", KEY, nicknames=["a"])
    begun = time.monotonic()
    await work()
    assert time.monotonic() - begun >= 1
    assert [each for each, _ in asked(away)] == [path, path]
    assert len(await told(hook, "connpass")) == 3


async def test_what_waited_while_a_connection_was_disabled_is_read_when_it_is_enabled(
    connect_to: Callable[..., Awaitable[Hook]], away: Recorded, work: Callable[[], Awaitable[None]]
) -> None:
    hook = await connect_to("eventbrite", token=KEY)
    body = json.loads(capture("eventbrite", "own__barcode.checked_in.json"))
    away.on(OBJECT, body["object"])
    await hook.post(json.dumpb(body["notification"]), {})
    for enabled, read in ((False, 0), (True, 1)):
        await hook.api.patch(f"/v1/connections/{hook.id}", json={"enabled": enabled})
        await work()
        assert len(await told(hook, "eventbrite")) == read


@pytest.mark.parametrize("provider", ["zoom", "calendly", "luma", "eventbrite"])
@settings(max_examples=EXAMPLES // 5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_no_authentic_payload_makes_a_hook_fail(
    connect_to: Callable[..., Awaitable[Hook]], provider: str, data: st.DataObject
) -> None:
    known = _hooks.get(provider)
    chosen: dict[str, Any] = {"token": KEY} if provider == "eventbrite" else {"create_candidates": True}
    hook = _hooks[provider] = known or await connect_to(provider, **chosen)
    raw = data.draw(st.binary(max_size=100) | broken(provider))
    headers = {} if provider == "eventbrite" else signed_now(provider, raw)
    answer = await hook.post(raw, headers)
    assert answer.status_code == (200 if provider == "zoom" else 204)
    [last, *_] = await hook.deliveries("?limit=1")
    assert last["reason"] in {None, "unreadable", reception.WAITING}


_hooks: dict[str, Hook] = {}


async def test_a_disabled_connection_asks_nobody_anything(
    connect_to: Callable[..., Awaitable[Hook]], away: Recorded, work: Callable[[], Awaitable[None]]
) -> None:
    hook = await connect_to("connpass", "of-its-own", nicknames=["a"])
    await hook.api.patch(f"/v1/connections/{hook.id}", json={"enabled": False})
    await work()
    assert asked(away, "of-its-own") == []
