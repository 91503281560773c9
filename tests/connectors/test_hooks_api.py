"""Hooks over HTTP, held to SendGrid's real signatures."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.connectors import reception, repository, sendgrid, service
from app.kit import json
from app.kit.clock import now
from app.kit.db import Database, Session, count_statements
from app.kit.ids import new_id
from tests.conftest import TenantFixture
from tests.connectors.hook import AGES_S, BATCH, VECTORS, Connect, Hook, event, signed

BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36"
NOON = 1_795_435_200


def test_the_first_vector_is_what_it_seems() -> None:
    assert BATCH["valid"]


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


async def test_of_a_batch_the_readable_items_are_taken_and_the_rest_is_a_dead_letter(hook: Hook) -> None:
    assert await hook.tell(event(), {"event": "open"}, 7, event("processed"), event(email="no address")) == 204
    [dead] = await hook.deliveries("?status=dead")
    assert (dead["signals"], dead["unreadable"], dead["reason"]) == (2, 2, "unreadable")
    assert len(await hook.touchpoints()) == len(dead["touchpoint_ids"]) == 2
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


@pytest.mark.parametrize("smtp_id", ["<wrfRRvF7Q0@ismtpd0006p1sjc2.sendgrid.net>", "<our-own@example.com>"])
async def test_a_click_is_judged_with_the_delivery_of_its_mail(hook: Hook, smtp_id: str) -> None:
    named = {"sg_message_id": "wrfRRvF7Q0.filter0425p1mdw1.13037.57168B4A1D.0", "useragent": BROWSER}
    told = {"smtp-id": smtp_id} if "own" in smtp_id else {}
    await hook.tell(event("click", timestamp=NOON + 4, url="https://example.com/1", **named, **told))
    [click] = await hook.touchpoints()
    assert (click["data"]["message_id"], click["actor"]) == (told.get("smtp-id", named["sg_message_id"]), "human")
    await hook.tell(event("delivered", timestamp=NOON, **named, **{"smtp-id": smtp_id}))
    [delivered, click] = await hook.touchpoints()
    assert delivered["data"] == {"message_id": smtp_id}
    assert (click["actor"], click["actor_reasons"]) == ("machine", ["click_at_delivery"])


async def test_the_received_query_is_taken_as_it_comes(hook: Hook) -> None:
    assert await hook.tell(event(), query="?token=%2F&token=a") == 204


async def test_a_hook_answers_head_and_knows_only_its_own_address(hook: Hook) -> None:
    assert (await hook.sender.head(f"/v1/hooks/{hook.id}")).status_code == 200
    for wrong in (str(new_id()), "not-an-id"):
        assert (await hook.sender.head(f"/v1/hooks/{wrong}")).status_code == 404
        assert (await hook.sender.post(f"/v1/hooks/{wrong}", content=b"[]")).status_code == 404


async def test_a_disabled_hook_takes_nothing(hook: Hook) -> None:
    await hook.api.patch(f"/v1/connections/{hook.id}", json={"enabled": False})
    assert await hook.tell(event()) == 404
    assert [each["reason"] for each in await hook.deliveries("?status=refused")] == ["disabled"]


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


async def test_any_sender_with_one_secret_header(hook: Hook, database: Database, tenant: TenantFixture) -> None:
    chosen: dict[str, Any] = {
        "header": "X-Token",
        "mapping": {"items": "", "external_id": "/id", "type": "/what", "occurred_at": "/at", "email": "/mail"},
        "types": {"came": "event_attended"},
    }
    secret = "0123456789abcdef"
    body: dict[str, Any] = {"provider": "generic", "name": "Meetups", "settings": chosen, "secret": secret}
    any_sender = Hook(hook.api, hook.sender, (await hook.api.post("/v1/connections", json=body)).json()["id"])
    raw = json.dumpb(
        [{"id": 1, "what": "came", "at": "2026-11-20T10:00:00Z", "mail": "hanako@example.com"}, {"what": 1}]
    )
    assert [(await any_sender.post(raw, {"X-Token": token})).status_code for token in ("guess", body["secret"])] == [
        401,
        204,
    ]
    assert await any_sender.counts() == {"stored": 1, "duplicate": 0, "refused": 1, "dead": 1}
    [stored] = (await hook.api.get(f"/v1/touchpoints?source=generic:{any_sender.id}")).json()["data"]
    assert (stored["type"], stored["external_id"], stored["actor"]) == ("event_attended", "1", "human")
    async with database.transaction(tenant.caller) as session:
        assert "x-token" not in await session.value("select headers from deliveries")


async def test_a_person_is_found_by_mail_then_by_external_id_then_by_phone(hook: Hook) -> None:
    known = {
        "full_name": "高橋 花子",
        "email_addresses": [{"value": "hanako@example.com"}],
        "external_ids": [{"source": "crm", "id": "7"}],
        "phone_numbers": [{"value": "+819012345678"}],
    }
    person = (await hook.api.post("/v1/candidates", json=known)).json()["id"]
    names = ("type", "occurred_at", "email", "person", "phone")
    chosen = {"header": "x-token", "types": {"call": "call"}, "mapping": {each: f"/{each}" for each in names}}
    body = {"provider": "generic", "name": "Calls", "settings": chosen, "secret": "0123456789abcdef"}
    calls = Hook(hook.api, hook.sender, (await hook.api.post("/v1/connections", json=body)).json()["id"])

    async def told(**of: Any) -> tuple[str | None, str]:
        raw = json.dumpb({"type": "call", "occurred_at": now().isoformat(), **of})
        assert (await calls.post(raw, {"X-Token": "0123456789abcdef"})).status_code == 204
        newest = (await hook.api.get(f"/v1/touchpoints?source=generic:{calls.id}")).json()["data"][0]
        return newest["candidate_id"], newest["identifier"]["kind"]

    ours, theirs = {"source": "crm", "id": "7"}, {"source": "crm", "id": "8"}
    assert await told(email="HANAKO@example.com", person=theirs, phone="1") == (person, "email")
    assert await told(email="new@example.com", person=ours) == (person, "external_id")
    assert await told(email="new@example.com", person=theirs, phone="090-1234-5678") == (person, "phone")
    assert await told(email="new@example.com", person=theirs, phone="090-0000-0000") == (None, "email")


async def test_a_mistake_of_ours_parks_the_delivery_until_it_is_redriven(
    hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr("app.connectors.reception.timeline.ingest", fail)
        assert await hook.tell(event()) == 204
    [dead] = await hook.deliveries("?status=dead")
    assert (dead["reason"], dead["signals"]) == ("processing_failed", 0)
    again = await hook.api.post(f"/v1/connections/{hook.id}/deliveries/{dead['id']}/redrive")
    assert (again.json()["status"], again.json()["signals"]) == ("parsed", 1)
    assert await hook.counts() == {"stored": 1, "duplicate": 0, "refused": 0, "dead": 0}


async def test_too_many_calls_at_once_are_asked_to_come_again(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.connectors.reception._places", asyncio.Semaphore(0))
    busy = await hook.post(b"[]")
    assert (busy.status_code, busy.headers["Retry-After"]) == (429, "2")


async def test_a_database_that_is_away_is_no_reason_to_discard(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: Any) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(repository, "tenant_of", away)
    assert (await hook.post(b"[]")).status_code == 429


async def test_transactions_that_met_are_run_again(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    met: list[str] = []
    take = reception._take

    async def meet(session: Session, *arguments: Any, **named: Any) -> Any:
        done = await take(session, *arguments, **named)
        if len(met) < 2:
            met.append("40P01")
            await session.run("do $$ begin raise exception using errcode = 'deadlock_detected'; end $$")
        return done

    monkeypatch.setattr(reception, "_take", meet)
    assert await hook.tell(event()) == 204
    assert len(met) == 2
    assert await hook.counts() == {"stored": 1, "duplicate": 0, "refused": 0, "dead": 0}


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
