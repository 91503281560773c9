"""Consents, suppressions and contact decisions over HTTP."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.kit.clock import now
from app.kit.ids import new_id
from tests.conftest import TenantFixture
from tests.consent.conftest import MakeCandidate

Json = dict[str, Any]
YESTERDAY = now() - timedelta(days=1)


def grant(**changes: Any) -> Json:
    return {
        "purpose": "talent_pool",
        "channel": "email",
        "status": "granted",
        "basis": "consent",
        "obtained_at": YESTERDAY.isoformat(),
        **changes,
    }


async def decide(api: httpx.AsyncClient, candidate_id: UUID, **changes: Any) -> Json:
    body = {"candidate_id": str(candidate_id), "channel": "email", "purpose": "talent_pool", **changes}
    answer = await api.post("/v1/contact-decisions", json=body)
    assert answer.status_code == 200, answer.text
    decision: Json = answer.json()
    return decision


def codes(decision: Json) -> list[str]:
    return [reason["code"] for reason in decision["reasons"]]


def suppression_of(reason: str, value: str = "aiko@example.co.jp") -> Json:
    return {"channel": "email", "value": value, "reason": reason}


async def test_a_statement_is_answered_as_it_was_kept(api: httpx.AsyncClient, make_candidate: MakeCandidate) -> None:
    candidate_id = await make_candidate("aiko@example.co.jp")
    evidence = {"kind": "form", "detail": "career site", "url": "https://example.co.jp/f"}
    body = grant(wording="同意します", policy_version="3", evidence=evidence)
    answer = await api.post(f"/v1/candidates/{candidate_id}/consents", json=body)
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/v1/candidates/{candidate_id}/consents"
    made = answer.json()
    assert made["candidate_id"] == str(candidate_id)
    assert made["actor"].startswith("key:")
    assert made["recorded_at"].endswith("Z")
    assert {**made, **{key: body[key] for key in body if key != "obtained_at"}} == made
    again = await api.post(f"/v1/candidates/{candidate_id}/consents", json=made)
    assert again.status_code == 201, "what was read can be sent back"
    listed = (await api.get(f"/v1/candidates/{candidate_id}/consents?limit=1&include=total")).json()
    assert (listed["total"], listed["has_more"], len(listed["data"])) == (2, True, 1)
    rest = await api.get(f"/v1/candidates/{candidate_id}/consents?limit=1&include=total&cursor={listed['next_cursor']}")
    assert rest.json()["data"] == [made]
    assert (await api.get(f"/v1/candidates/{candidate_id}/consents?purpose=events")).json()["data"] == []


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"basis": None}, "/basis"),
        ({"obtained_at": None}, "/obtained_at"),
        ({"obtained_at": "2999-01-01T00:00:00Z"}, "/obtained_at"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "/expires_at"),
        ({"channel": "pigeon"}, "/channel"),
        ({"purpose": "No Purpose"}, "/purpose"),
        ({"colour": "red"}, "/colour"),
        ({"obtained_at": "2026-01-01T00:00:00"}, "/obtained_at"),
    ],
)
async def test_a_wrong_statement_is_422_with_its_pointer(
    api: httpx.AsyncClient, make_candidate: MakeCandidate, changes: Json, pointer: str
) -> None:
    candidate_id = await make_candidate()
    answer = await api.post(f"/v1/candidates/{candidate_id}/consents", json=grant(**changes))
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_a_withdrawal_needs_only_purpose_channel_and_status(
    api: httpx.AsyncClient, make_candidate: MakeCandidate
) -> None:
    candidate_id = await make_candidate("aiko@example.co.jp")
    await api.post(f"/v1/candidates/{candidate_id}/consents", json=grant())
    assert codes(await decide(api, candidate_id)) == ["consent"]
    body = {"purpose": "talent_pool", "channel": "email", "status": "withdrawn"}
    assert (await api.post(f"/v1/candidates/{candidate_id}/consents", json=body)).status_code == 201
    denied = await decide(api, candidate_id)
    assert (denied["decision"], denied["not_before"], codes(denied)) == ("deny", None, ["consent_withdrawn"])
    feed = (await api.get("/v1/changes")).json()["data"]
    assert [(change["type"], change["version"], change["data"]["status"]) for change in feed] == [
        ("consent.changed", 1, "granted"),
        ("consent.changed", 1, "withdrawn"),
    ]


async def test_an_unknown_candidate_is_404_before_422(api: httpx.AsyncClient, make_candidate: MakeCandidate) -> None:
    for path in (f"/v1/candidates/{new_id()}/consents", "/v1/candidates/nobody/consents"):
        assert (await api.post(path, json={"colour": "red"})).status_code == 404
        assert (await api.get(path)).status_code == 404
    hidden = await make_candidate(hidden_at=now())
    assert (await api.get(f"/v1/candidates/{hidden}/consents")).status_code == 404


async def test_another_tenants_candidate_is_404(
    make_candidate: MakeCandidate,
    new_tenant: Callable[[], Awaitable[TenantFixture]],
    client_of: Callable[[str], httpx.AsyncClient],
) -> None:
    candidate_id = await make_candidate()
    stranger = client_of((await new_tenant()).key)
    assert (await stranger.post(f"/v1/candidates/{candidate_id}/consents", json=grant())).status_code == 404
    body = {"candidate_id": str(candidate_id), "channel": "email", "purpose": "talent_pool"}
    answer = await stranger.post("/v1/contact-decisions", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (404, "/candidate_id")


async def test_a_merged_candidates_old_id_means_the_survivor(
    api: httpx.AsyncClient, make_candidate: MakeCandidate, run_sql: Callable[..., Awaitable[list[Any]]]
) -> None:
    survivor, loser = await make_candidate("aiko@example.co.jp"), await make_candidate()
    await run_sql("update candidates set merged_into = :to where id = :id returning 1", to=survivor, id=loser)
    await run_sql("insert into aliases (old_id, candidate_id) values (:id, :to) returning 1", to=survivor, id=loser)
    made = await api.post(f"/v1/candidates/{loser}/consents", json=grant())
    assert made.json()["candidate_id"] == str(survivor)
    assert (await decide(api, loser))["candidate_id"] == str(survivor)
    assert codes(await decide(api, survivor)) == ["consent"]


async def test_a_batch_judges_each_item_by_itself(api: httpx.AsyncClient, make_candidate: MakeCandidate) -> None:
    candidate_id = await make_candidate()
    items = [
        {"candidate_id": str(candidate_id), **grant(), "client_ref": "a"},
        {"candidate_id": str(new_id()), **grant(), "client_ref": "b"},
        {"candidate_id": str(candidate_id), **grant(basis=None), "client_ref": "c"},
        {"candidate_id": str(candidate_id), **grant(), "colour": "red", "client_ref": "d"},
        "not an object",
        {"candidate_id": str(candidate_id), **grant(status="withdrawn", purpose="events")},
    ]
    answer = await api.post("/v1/consents/batch", json={"items": items})
    assert answer.status_code == 207
    result = answer.json()
    assert result["counts"] == {"created": 2, "invalid": 4, "total": 6}
    assert [item["status"] for item in result["items"]] == [201, 404, 422, 422, 422, 201]
    assert [item["client_ref"] for item in result["items"]] == ["a", "b", "c", "d", None, None]
    assert [item["errors"][0]["pointer"] for item in result["items"][1:4]] == ["/candidate_id", "/basis", "/colour"]
    kept = (await api.get(f"/v1/candidates/{candidate_id}/consents")).json()["data"]
    assert [consent["id"] for consent in reversed(kept)] == [result["items"][0]["id"], result["items"][5]["id"]]


async def test_an_empty_batch_is_207_and_too_many_items_are_413(api: httpx.AsyncClient) -> None:
    empty = await api.post("/v1/consents/batch", json={"items": []})
    assert (empty.status_code, empty.json()) == (207, {"counts": {"created": 0, "invalid": 0, "total": 0}, "items": []})
    spoilt = await api.post("/v1/consents/batch", json={"items": [{"wording": "\x00", "client_ref": "x"}, {}]})
    assert [(each["client_ref"], each["status"]) for each in spoilt.json()["items"]] == [("x", 422), (None, 422)]
    many = await api.post("/v1/consents/batch", json={"items": [{}] * 501})
    assert (many.status_code, many.json()["code"]) == (413, "too_many_items")
    question = {"candidate_id": str(new_id()), "channel": "email", "purpose": "talent_pool"}
    questions = await api.post("/v1/contact-decisions", json={"items": [question] * 501})
    assert (questions.status_code, questions.json()["code"]) == (413, "too_many_items")


async def test_many_questions_are_answered_in_order_and_a_stranger_is_a_problem(
    api: httpx.AsyncClient, make_candidate: MakeCandidate, run_sql: Callable[..., Awaitable[list[Any]]]
) -> None:
    first, second = await make_candidate("aiko@example.co.jp"), await make_candidate()
    await api.post(f"/v1/candidates/{first}/consents", json=grant())
    items = [
        {"candidate_id": str(each), "channel": "email", "purpose": "talent_pool"} for each in (first, new_id(), second)
    ]
    answer = await api.post("/v1/contact-decisions", json={"items": items})
    assert answer.status_code == 200
    yes, stranger, no = answer.json()["data"]
    assert (yes["decision"], yes["candidate_id"]) == ("allow", str(first))
    assert (stranger["status"], stranger["code"]) == (404, "not_found")
    assert stranger["errors"][0]["pointer"] == "/items/1/candidate_id"
    assert stranger["request_id"] == answer.headers["X-Request-Id"]
    assert codes(no) == ["consent_missing", "no_address"]
    kept = await run_sql("select id, decision, consent_id, reasons from contact_decisions order by id")
    assert [(str(row.id), row.decision) for row in kept] == [(yes["id"], "allow"), (no["id"], "deny")]
    assert kept[0].consent_id is not None
    wrong = await api.post("/v1/contact-decisions", json={"items": [{**items[0], "channel": "pigeon"}]})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/items/0/channel")


async def test_a_decision_has_exactly_the_fields_of_the_contract(
    api: httpx.AsyncClient, make_candidate: MakeCandidate
) -> None:
    candidate_id = await make_candidate("aiko@example.co.jp")
    await api.post(f"/v1/candidates/{candidate_id}/consents", json=grant(basis="existing_dealings"))
    decision = await decide(api, candidate_id)
    assert " ".join(decision) == (
        "id candidate_id channel purpose at decision not_before reasons rule_version expires_at"
    )
    assert (decision["decision"], codes(decision)) == ("allow", ["existing_dealings"])
    wrong = await api.post("/v1/contact-decisions", json={"candidate_id": str(candidate_id), "channel": "email"})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/purpose")


async def test_a_past_moment_is_judged_as_of_then_with_todays_ledger(
    api: httpx.AsyncClient, make_candidate: MakeCandidate
) -> None:
    candidate_id = await make_candidate("aiko@example.co.jp")
    body = grant(obtained_at="2026-01-05T00:00:00Z", expires_at="2026-02-01T00:00:00Z")
    await api.post(f"/v1/candidates/{candidate_id}/consents", json=body)
    assert codes(await decide(api, candidate_id, at="2026-01-31T23:59:59Z")) == ["consent"]
    assert codes(await decide(api, candidate_id, at="2026-02-01T00:00:00Z")) == ["consent_expired"]
    await api.patch("/v1/tenant", json={"send_window": {"weekdays": ["mon", "tue"], "from": "09:00", "to": "18:00"}})
    sunday = await decide(api, candidate_id, at="2026-01-11T03:00:00Z")
    assert (sunday["decision"], codes(sunday)) == ("not_before", ["outside_window"])
    assert sunday["not_before"] == "2026-01-13T00:00:00Z", "Monday the 12th is a public holiday in Japan"
    holiday = await decide(api, candidate_id, at="2026-01-12T03:00:00Z")
    assert (codes(holiday), holiday["not_before"]) == (["public_holiday"], "2026-01-13T00:00:00Z")


async def test_the_window_is_the_persons_own(api: httpx.AsyncClient, make_candidate: MakeCandidate) -> None:
    await api.patch("/v1/tenant", json={"send_window": {"weekdays": [], "from": "09:00", "to": "18:00"}})
    abroad = await make_candidate("a@example.com", timezone="America/New_York", location={"country_code": "US"})
    at_home = await make_candidate("b@example.com")
    for each in (abroad, at_home):
        await api.post(f"/v1/candidates/{each}/consents", json=grant(obtained_at="2026-01-05T00:00:00Z"))
    noon_in_tokyo = "2026-01-12T03:00:00Z"
    assert codes(await decide(api, at_home, at=noon_in_tokyo)) == ["public_holiday"]
    late = await decide(api, abroad, at=noon_in_tokyo)
    assert (codes(late), late["not_before"]) == (["outside_window"], "2026-01-12T14:00:00Z")


async def test_facts_of_the_candidate_reach_the_gate(api: httpx.AsyncClient, make_candidate: MakeCandidate) -> None:
    moment = now()
    cases = {
        "live_selection": await make_candidate("a@example.com", live_selection_at=YESTERDAY),
        "cooling_off": await make_candidate("b@example.com", rejected_at=YESTERDAY),
        "retention_expired": await make_candidate("c@example.com", retention_expires_on=(moment.date() - timedelta(7))),
        "address_bounced": await make_candidate("d@example.com", bounced=("d@example.com",)),
    }
    fine = await make_candidate("e@example.com", "f@example.com", bounced=("e@example.com",))
    for candidate_id in (*cases.values(), fine):
        await api.post(f"/v1/candidates/{candidate_id}/consents", json=grant())
    assert {code: codes(await decide(api, each)) for code, each in cases.items()} == {code: [code] for code in cases}
    cooling = await decide(api, cases["cooling_off"])
    assert datetime.fromisoformat(cooling["not_before"]) == YESTERDAY + timedelta(days=90)
    assert codes(await decide(api, fine)) == ["consent"]


async def test_a_suppression_is_found_in_any_spelling_and_never_tells_the_value(api: httpx.AsyncClient) -> None:
    body = {"channel": "email", "value": "Aiko.Sato+jobs@Gmail.com", "reason": "manual", "note": "asked by phone"}
    made = await api.post("/v1/suppressions", json=body)
    assert made.status_code == 201
    suppression = made.json()
    assert suppression["hint"] == "a…@g…"
    assert set(suppression) == {"id", "channel", "reason", "source", "hint", "created_at"}
    assert made.headers["Location"] == f"/v1/suppressions/{suppression['id']}"
    again = await api.post("/v1/suppressions", json={**body, "value": "ａｉｋｏｓａｔｏ@gmail.com"})
    assert (again.status_code, again.json()) == (200, suppression)
    checked = await api.post("/v1/suppressions/check", json={"channel": "email", "value": "aikosato@googlemail.com"})
    assert checked.json() == {"suppressed": True, "data": [suppression]}
    other = await api.post("/v1/suppressions/check", json={"channel": "email", "value": "b@example.com"})
    assert other.json() == {"suppressed": False, "data": []}
    assert (await api.get(f"/v1/suppressions/{suppression['id']}")).json() == suppression
    assert (await api.get("/v1/suppressions?reason=manual&channel=email&include=total")).json()["total"] == 1
    assert (await api.get("/v1/suppressions?reason=complaint")).json()["data"] == []
    assert (await api.get("/v1/suppressions?value=a@example.com")).status_code == 422
    sendback = await api.post("/v1/suppressions", json={**suppression, "value": body["value"]})
    assert sendback.status_code == 200


async def test_a_value_that_is_no_address_is_422(api: httpx.AsyncClient) -> None:
    for channel, value in (("email", "nobody"), ("phone", "12"), ("sms", "abc"), ("post", "　")):
        for path in ("/v1/suppressions", "/v1/suppressions/check"):
            answer = await api.post(path, json={"channel": channel, "value": value})
            assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/value")


async def test_a_suppression_is_taken_back_unless_it_is_permanent(api: httpx.AsyncClient) -> None:
    made = {
        reason: (await api.post("/v1/suppressions", json=suppression_of(reason))).json()
        for reason in ("manual", "unsubscribed", "hard_bounce", "complaint", "erased")
    }
    gone = {reason: (await api.delete(f"/v1/suppressions/{each['id']}")) for reason, each in made.items()}
    assert {reason: answer.status_code for reason, answer in gone.items()} == {
        "manual": 204, "unsubscribed": 409, "hard_bounce": 204, "complaint": 204, "erased": 409,
    }  # fmt: skip
    assert gone["erased"].json()["code"] == "suppression_permanent"
    assert (await api.delete(f"/v1/suppressions/{made['manual']['id']}")).status_code == 404
    assert (await api.get(f"/v1/suppressions/{new_id()}")).status_code == 404
    assert made["erased"]["hint"] == "…"
    feed = (await api.get("/v1/changes")).json()["data"]
    assert [change["type"] for change in feed] == ["suppression.changed"] * 8


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("manual", "suppressed"),
        ("unsubscribed", "unsubscribed"),
        ("hard_bounce", "address_bounced"),
        ("complaint", "complained"),
        ("erased", "erased"),
    ],
)
async def test_a_suppression_answers_by_its_reason(
    api: httpx.AsyncClient, make_candidate: MakeCandidate, reason: str, code: str
) -> None:
    candidate_id = await make_candidate("aiko@example.co.jp", phone_numbers=[{"value": "+819012345670"}])
    for channel in ("email", "sms"):
        await api.post(f"/v1/candidates/{candidate_id}/consents", json=grant(channel=channel))
    await api.post("/v1/suppressions", json={"channel": "email", "value": "AIKO@example.co.jp", "reason": reason})
    assert codes(await decide(api, candidate_id)) == [code]
    assert codes(await decide(api, candidate_id, channel="sms")) == (["erased"] if reason == "erased" else ["consent"])


async def test_only_a_newer_lifting_consent_ends_an_unsubscription(
    api: httpx.AsyncClient, make_candidate: MakeCandidate
) -> None:
    candidate_id = await make_candidate("aiko@example.co.jp")
    consents = f"/v1/candidates/{candidate_id}/consents"
    await api.post(consents, json=grant())
    await api.post(
        "/v1/suppressions", json={"channel": "email", "value": "aiko@example.co.jp", "reason": "unsubscribed"}
    )
    for too_weak in (
        grant(obtained_at=now().isoformat()),
        grant(lift_suppression=True),
        grant(obtained_at=now().isoformat(), basis="existing_dealings", lift_suppression=True),
    ):
        await api.post(consents, json=too_weak)
        assert codes(await decide(api, candidate_id)) == ["unsubscribed"]
    await api.post(consents, json=grant(purpose="events", obtained_at=now().isoformat(), lift_suppression=True))
    assert codes(await decide(api, candidate_id)) == ["existing_dealings"]
    await api.post(
        "/v1/suppressions", json={"channel": "email", "value": "aiko@example.co.jp", "reason": "unsubscribed"}
    )
    assert codes(await decide(api, candidate_id)) == ["unsubscribed"], "a later unsubscription counts again"


async def test_scopes(api: httpx.AsyncClient, client_of: Callable[[str], httpx.AsyncClient]) -> None:
    made = await api.post("/v1/api-keys", json={"name": "reader", "scopes": ["consents:read"]})
    reader = client_of(made.json()["key"])
    question = {"candidate_id": str(new_id()), "channel": "email", "purpose": "talent_pool"}
    assert (await reader.post("/v1/contact-decisions", json={"items": [question]})).status_code == 200
    assert (
        await reader.post("/v1/suppressions/check", json={"channel": "email", "value": "a@b.jp"})
    ).status_code == 200
    refused = await reader.post("/v1/suppressions", json={"channel": "email", "value": "a@b.jp"})
    assert (refused.status_code, refused.json()["scope"]) == (403, "consents:write")
    assert (await reader.post("/v1/consents/batch", json={"items": []})).status_code == 403
