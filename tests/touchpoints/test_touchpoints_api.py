"""The timeline over HTTP."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from app.kit.clock import now
from app.kit.db import Database, count_statements
from app.touchpoints.repository import TouchpointRepository
from app.touchpoints.schemas import Filter
from tests.conftest import TenantFixture

NewPerson = Callable[..., Awaitable[str]]
Drain = Callable[[], Awaitable[int]]

MISSING = "01999999-0000-7000-8000-000000000000"
BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36"


def told(**members: Any) -> dict[str, Any]:
    return {"type": "event_attended", "occurred_at": "2026-11-20T10:00:00+09:00", "source": "meetups", **members}


async def test_a_touchpoint_is_stored_once_and_for_ever(api: httpx.AsyncClient, new_person: NewPerson) -> None:
    person = await new_person()
    body = told(candidate_id=person, external_id="visit-1", topics=["python"], data={"event": {"id": "e1"}})
    created = await api.post("/v1/touchpoints", json=body)
    assert created.status_code == 201
    read = created.json()
    assert created.headers["Location"] == f"/v1/touchpoints/{read['id']}"
    assert read | {"id": "", "received_at": ""} == {
        "id": "",
        "candidate_id": person,
        "identifier": None,
        "type": "event_attended",
        "occurred_at": "2026-11-20T01:00:00Z",
        "received_at": "",
        "source": "meetups",
        "external_id": "visit-1",
        "topics": ["python"],
        "data": {"event": {"id": "e1"}},
        "actor": "human",
        "actor_reasons": ["deed"],
        "actor_rule_version": 1,
        "connection_id": None,
        "delivery_id": None,
    }
    again = await api.post("/v1/touchpoints", json={**body, "topics": ["other"]})
    assert (again.status_code, again.json()) == (200, read)
    sent_back = {name: value for name, value in read.items() if name != "actor"}
    assert (await api.post("/v1/touchpoints", json=sent_back)).json() == read
    assert (await api.get(f"/v1/touchpoints/{read['id']}")).json() == read
    assert (await api.get("/v1/touchpoints")).json()["data"] == [read]
    assert (await api.get(f"/v1/candidates/{person}/touchpoints")).json()["data"] == [read]


async def test_without_an_external_id_nothing_is_a_repeat(api: httpx.AsyncClient, new_person: NewPerson) -> None:
    body = told(candidate_id=await new_person())
    ids = {(await api.post("/v1/touchpoints", json=body)).json()["id"] for _ in range(2)}
    assert len(ids) == 2


async def test_what_is_wrong_is_said_with_its_place(api: httpx.AsyncClient, new_person: NewPerson) -> None:
    person = await new_person()

    async def refused(**members: Any) -> tuple[int, str, list[str]]:
        answer = await api.post("/v1/touchpoints", json=told(**members))
        problem = answer.json()
        return answer.status_code, problem["code"], [each["pointer"] for each in problem["errors"]]

    assert await refused(candidate_id=MISSING) == (404, "not_found", ["/candidate_id"])
    assert await refused(candidate_id=person, type="danced") == (422, "unknown_type", ["/type"])
    assert await refused(candidate_id=person, type="custom:Danced") == (422, "unknown_type", ["/type"])
    assert await refused(email="nobody") == (422, "invalid_email", ["/email"])
    assert await refused(phone="12") == (422, "invalid_phone", ["/phone"])
    assert await refused(candidate_id=person, data={"text": "x" * 16_400}) == (422, "invalid", ["/data"])
    assert await refused() == (422, "invalid", [""])
    assert await refused(candidate_id=person, email="a@example.com") == (422, "invalid", [""])
    assert await refused(candidate_id=person, mood="good") == (422, "invalid", ["/mood"])
    assert (await api.post("/v1/touchpoints", json=told(candidate_id=person, type="custom:danced"))).status_code == 201


@pytest.mark.parametrize(
    "odd",
    [
        {"data": {"n": 10**30}},
        {"data": {"message_id": 7, "url": [], "bounce": "hard", "event": "x"}},
        {"data": {"message_id": "<" + "x" * 900 + ">"}},
        {"occurred_at": "9999-12-31T23:59:59Z"},
        {"occurred_at": "0001-01-02T00:00:00Z"},
        {"topics": ["　Ｐｙｔｈｏｎ　"], "type": "email_bounced"},
        {"evidence": {"user_agent": "", "ip": "fe80::1%eth0", "method": "HEAD"}, "type": "email_clicked"},
    ],
)
async def test_odd_values_are_kept_and_scored(
    api: httpx.AsyncClient, new_person: NewPerson, drain: Drain, odd: dict[str, Any]
) -> None:
    person = await new_person()
    assert (await api.post("/v1/touchpoints", json=told(candidate_id=person) | odd)).status_code == 201
    await drain()
    assert (await api.get(f"/v1/candidates/{person}/score")).status_code == 200
    assert (await api.get("/v1/scores")).status_code == 200


async def test_a_person_is_found_by_any_spelling_of_an_identifier(
    api: httpx.AsyncClient, new_person: NewPerson
) -> None:
    person = await new_person("hanako@gmail.com", ("hubspot", "17"))
    for named in (
        {"email": "Hana.Ko+jobs@GMAIL.com"},
        {"person": {"external_id": {"source": "hubspot", "id": "17"}}},
    ):
        read = (await api.post("/v1/touchpoints", json=told(**named))).json()
        assert read["candidate_id"] == person
        assert read["identifier"] is not None


async def test_unmatched_attaches_by_itself_when_its_person_comes(
    api: httpx.AsyncClient, new_person: NewPerson, drain: Drain
) -> None:
    by_mail = (await api.post("/v1/touchpoints", json=told(email="later@example.com"))).json()
    by_id = (await api.post("/v1/touchpoints", json=told(person={"external_id": {"source": "a:b", "id": "c"}}))).json()
    assert by_mail["candidate_id"] is None
    assert by_id["identifier"] == {"kind": "external_id", "value": "a:b:c"}
    waiting = (await api.get("/v1/touchpoints/unmatched")).json()["data"]
    assert [(each["id"], each["reason"]) for each in waiting] == [(by_id["id"], "unknown"), (by_mail["id"], "unknown")]
    person = await new_person("later@example.com", ("a:b", "c"))
    await drain()
    found = (await api.get(f"/v1/candidates/{person}/touchpoints")).json()["data"]
    assert {each["id"] for each in found} == {by_mail["id"], by_id["id"]}
    assert (await api.get("/v1/touchpoints/unmatched")).json()["data"] == []


async def test_a_person_who_comes_while_a_touchpoint_is_stored_is_not_missed(
    api: httpx.AsyncClient, new_person: NewPerson, drain: Drain, database: Database, tenant: TenantFixture
) -> None:
    made = (await api.post("/v1/touchpoints", json=told(email="race@example.com"))).json()
    person = await new_person("race@example.com")
    async with database.transaction(tenant.caller) as session:  # the person's own look ran before and saw nothing
        await session.run("delete from due where kind = 'attach'")
    await drain()
    assert (await api.get(f"/v1/touchpoints/{made['id']}")).json()["candidate_id"] == person


async def test_an_identifier_of_two_people_is_ambiguous(
    api: httpx.AsyncClient, new_person: NewPerson, drain: Drain
) -> None:
    for _ in range(2):
        await new_person("family@example.com")
    made = (await api.post("/v1/touchpoints", json=told(email="family@example.com"))).json()
    await drain()
    [waiting] = (await api.get("/v1/touchpoints/unmatched")).json()["data"]
    assert (waiting["id"], waiting["reason"]) == (made["id"], "ambiguous")


async def test_a_batch_answers_each_item_by_itself(api: httpx.AsyncClient, new_person: NewPerson) -> None:
    person = await new_person()
    items: list[Any] = [
        told(candidate_id=person, external_id="1", client_ref="a"),
        told(candidate_id=person, external_id="1"),
        told(email="unknown@example.com"),
        told(candidate_id=MISSING, client_ref="d"),
        told(candidate_id=person, type="danced"),
        "no object",
        told(candidate_id=person, data={"nul": "\x00"}),
    ]
    answer = await api.post("/v1/touchpoints/batch", json=items)
    assert answer.status_code == 207
    body = answer.json()
    assert body["counts"] == {"created": 1, "repeated": 1, "unmatched": 1, "invalid": 4, "total": 7}
    assert [(each["index"], each["status"], each["client_ref"]) for each in body["items"]] == [
        (0, 201, "a"),
        (1, 200, None),
        (2, 201, None),
        (3, 404, "d"),
        (4, 422, None),
        (5, 422, None),
        (6, 422, None),
    ]
    assert body["items"][0]["id"] == body["items"][1]["id"]
    assert body["items"][4]["errors"][0]["code"] == "unknown_type"


async def test_a_repeat_is_one_although_its_person_is_gone(api: httpx.AsyncClient, new_person: NewPerson) -> None:
    person = await new_person()
    first = (await api.post("/v1/touchpoints", json=told(candidate_id=person, external_id="gone"))).json()
    assert (await api.delete(f"/v1/candidates/{person}")).is_success
    items = [told(candidate_id=person, external_id=id_) for id_ in ("gone", "new", "gone")]
    found = (await api.post("/v1/touchpoints/batch", json=items)).json()["items"]
    assert [each["outcome"] for each in found] == ["repeated", "invalid", "repeated"]
    assert found[0]["id"] == found[2]["id"] == first["id"]
    again = await api.post("/v1/touchpoints", json=items[0])
    assert (again.status_code, again.json()["id"]) == (200, first["id"])


async def test_a_batch_may_be_lines(api: httpx.AsyncClient, new_person: NewPerson) -> None:
    person = await new_person()
    lines = [f'{{"candidate_id":"{person}","type":"call","occurred_at":"2026-11-20T10:00:00Z","source":"s"}}', "", "{"]
    headers = {"Content-Type": "application/x-ndjson"}
    answer = await api.post("/v1/touchpoints/batch", content="\n".join(lines), headers=headers)
    assert [(each["index"], each["outcome"]) for each in answer.json()["items"]] == [(0, "created"), (1, "invalid")]
    empty = await api.post("/v1/touchpoints/batch", content="", headers=headers)
    assert (empty.status_code, empty.json()["items"]) == (207, [])


async def test_a_batch_that_is_none_is_refused_whole(api: httpx.AsyncClient) -> None:
    async def refused(content: str, media: str = "application/json") -> tuple[int, str]:
        headers = {"Content-Type": media}
        answer = await api.post("/v1/touchpoints/batch", content=content, headers=headers)
        return answer.status_code, answer.json().get("code", "")

    assert await refused("[") == (400, "malformed")
    assert await refused("") == (400, "malformed")
    assert await refused("{}") == (422, "invalid")
    assert await refused("[]", "text/plain") == (415, "unsupported_media_type")
    assert await refused("[" + "1," * 5_000 + "1]") == (413, "too_many_items")
    assert await refused("\n" * 5_000 + "1\n" * 5_001, "application/x-ndjson") == (413, "too_many_items")
    assert await refused("[]") == (207, "")


async def test_a_late_delivery_makes_an_early_click_a_machines(api: httpx.AsyncClient, new_person: NewPerson) -> None:
    person = await new_person()
    mail = {"candidate_id": person, "data": {"message_id": "<m1@example.com>", "url": "https://example.com"}}
    evidence = {"user_agent": BROWSER, "ip": "8.8.8.8", "method": "GET"}
    at = {"occurred_at": "2026-11-20T10:00:03Z"}
    click = (await api.post("/v1/touchpoints", json=told(**mail, **at, type="email_clicked", evidence=evidence))).json()
    assert (click["actor"], click["actor_reasons"]) == ("human", ["browser_agent"])
    mail["data"] = {"message_id": "m1@example.com"}
    at = {"occurred_at": "2026-11-20T10:00:00Z"}
    await api.post("/v1/touchpoints", json=told(**mail, **at, type="email_delivered"))
    judged = (await api.get(f"/v1/touchpoints/{click['id']}")).json()
    assert (judged["actor"], judged["actor_reasons"]) == ("machine", ["click_at_delivery"])
    listed = (await api.get("/v1/touchpoints?actor=machine")).json()["data"]
    assert [each["id"] for each in listed] == [click["id"]]


async def test_a_persons_verdict_wins_for_ever(api: httpx.AsyncClient, new_person: NewPerson, drain: Drain) -> None:
    person = await new_person()
    body = told(candidate_id=person, type="email_opened", data={"message_id": "m"}, evidence={"user_agent": ""})
    made = (await api.post("/v1/touchpoints", json=body)).json()
    assert made["actor"] == "machine"
    place = f"/v1/touchpoints/{made['id']}"
    said = await api.patch(place, json={"actor": "human"})
    assert (said.status_code, said.json()["actor"], said.json()["actor_reasons"]) == (200, "human", ["person"])
    await api.post("/v1/touchpoints", json={**body, "type": "email_delivered"})
    await drain()
    assert (await api.get(place)).json()["actor"] == "human"
    for wrong in ({"type": "call"}, {"actor": "human", "id": made["id"]}, {"actor": None}):
        assert (await api.patch(place, json=wrong)).status_code == 422
    assert (await api.patch(f"/v1/touchpoints/{MISSING}", json={"actor": "human"})).status_code == 404
    given = await api.post("/v1/touchpoints", json=told(candidate_id=person, type="page_viewed", actor="machine"))
    assert (given.json()["actor"], given.json()["actor_reasons"]) == ("machine", ["given"])


async def test_lists_are_filtered_and_paged(api: httpx.AsyncClient, new_person: NewPerson) -> None:
    person, other = await new_person(), await new_person()
    for day in (3, 1, 2):
        at = f"2026-11-0{day}T00:00:00Z"
        await api.post("/v1/touchpoints", json=told(candidate_id=person, occurred_at=at, source=f"s{day}"))
    await api.post("/v1/touchpoints", json=told(candidate_id=other, type="call"))

    async def days(query: str) -> list[str]:
        return [each["source"] for each in (await api.get(f"/v1/touchpoints?{query}")).json()["data"]]

    assert await days(f"candidate_id={person}") == ["s2", "s1", "s3"]
    assert await days("type=call") == ["meetups"]
    assert await days("source=s1&source=s2") == ["s2", "s1"]
    assert await days("occurred_at_gte=2026-11-02T00:00:00Z&occurred_at_lt=2026-11-03T00:00:00Z") == ["s2"]
    first = (await api.get(f"/v1/candidates/{person}/touchpoints?limit=2&include=total")).json()
    assert ([each["source"] for each in first["data"]], first["total"]) == (["s3", "s2"], 3)
    place = f"/v1/candidates/{person}/touchpoints?include=total&cursor={first['next_cursor']}"
    assert [each["source"] for each in (await api.get(place)).json()["data"]] == ["s1"]
    assert (await api.get(f"{place}&type=call")).json()["code"] == "cursor_mismatch"
    assert (await api.get(f"/v1/candidates/{MISSING}/touchpoints")).status_code == 404
    assert (await api.get(f"/v1/touchpoints?candidate_id={MISSING}")).json()["data"] == []


async def test_another_tenants_touchpoint_is_not_there(
    api: httpx.AsyncClient,
    new_person: NewPerson,
    new_tenant: Callable[[], Awaitable[TenantFixture]],
    client_of: Callable[[str], httpx.AsyncClient],
) -> None:
    person = await new_person("mine@example.com")
    made = (await api.post("/v1/touchpoints", json=told(candidate_id=person, external_id="1"))).json()
    stranger = client_of((await new_tenant()).key)
    assert (await stranger.get(f"/v1/touchpoints/{made['id']}")).status_code == 404
    assert (await stranger.post("/v1/touchpoints", json=told(candidate_id=person))).status_code == 404
    theirs = await stranger.post("/v1/touchpoints", json=told(email="mine@example.com", external_id="1"))
    assert (theirs.status_code, theirs.json()["candidate_id"]) == (201, None)


@pytest.mark.parametrize("hard", [{"bounce": {"kind": "hard"}}, {}], ids=["hard", "unsaid"])
async def test_selections_bounces_and_suppressions_follow(
    api: httpx.AsyncClient, new_person: NewPerson, database: Database, tenant: TenantFixture, drain: Drain, hard: Any
) -> None:
    person = await new_person("bad@example.com")

    async def facts() -> Any:
        async with database.transaction(tenant.caller) as session:
            return await session.row(
                """select c.live_selection_at, c.rejected_at, c.last_interaction_at, i.state,
                     array(select s.reason from suppressions s order by 1) as reasons
                   from candidates c join identifiers i on i.candidate_id = c.id where c.id = :id""",
                id=UUID(person),
            )

    async def post(type_: str, day: int, **members: Any) -> None:
        body = told(candidate_id=person, type=type_, occurred_at=f"2026-11-{day:02}T00:00:00Z", **members)
        assert (await api.post("/v1/touchpoints", json=body)).status_code == 201

    await post("interviewed", 3)
    await post("applied", 2)
    assert (await facts()).live_selection_at.day == 2
    await post("rejected", 5)
    found = await facts()
    assert (found.live_selection_at, found.rejected_at.day) == (None, 5)
    await post("applied", 4)
    assert (await facts()).live_selection_at is None
    await post("email_bounced", 6, data={"bounce": {"kind": "soft"}})
    assert (await facts()).state == "ok"
    await post("email_bounced", 6, data=hard)
    assert (await facts()).state == "bounced"
    await post("email_unsubscribed", 7, actor="machine")
    await post("email_complained", 7)
    assert (await facts()).reasons == ["complaint", "unsubscribed"]
    await post("meeting", 8)
    await post("page_viewed", 9, actor="machine")
    await drain()
    assert (await facts()).last_interaction_at.day == 8


def of_the_request(seen: list[str]) -> list[str]:
    """Leave out how the key was looked up, which is remembered for a moment."""
    told_at_once, begun = (
        [place for place, statement in enumerate(seen) if word in statement] for word in ("tell_of_known", "set_config")
    )
    return seen[(told_at_once or begun)[-1] :]


async def test_one_touchpoint_takes_few_statements(
    api: httpx.AsyncClient, new_person: NewPerson, database: Database
) -> None:
    person = await new_person("few@example.com")
    seen: list[str] = []
    stop = count_statements(database.engine, seen)
    try:
        for body, most in (
            (told(candidate_id=person, external_id="x"), 1),
            (told(candidate_id=person, external_id="x"), 4),
            (told(email="few@example.com", type="email_clicked", data={"message_id": "m"}), 6),
            (told(email="nobody@example.com"), 6),
        ):
            seen.clear()
            assert (await api.post("/v1/touchpoints", json=body)).is_success
            assert len(of_the_request(seen)) <= most, seen
        for count in (10, 400):
            items = [
                told(
                    email="few@example.com",
                    external_id=f"{count}-{n}",
                    type="email_clicked",
                    data={"message_id": f"{n}"},
                )
                for n in range(count)
            ]
            seen.clear()
            assert (await api.post("/v1/touchpoints/batch", json=items)).json()["counts"]["created"] == count
            assert len(of_the_request(seen)) <= 6, seen
    finally:
        stop()


async def test_timelines_and_the_unmatched_are_read_from_their_indexes(
    database: Database, tenant: TenantFixture
) -> None:
    last = UUID(MISSING)
    asked = Filter(candidate_ids=(last,))
    async with database.transaction(tenant.caller) as session:
        for method in ("seqscan", "bitmapscan", "sort"):
            await session.run(f"set local enable_{method} = off")
        repository = TouchpointRepository(session)
        for statement, index in (
            (repository.timeline(asked, None), "ix_touchpoints_timeline"),
            (repository.timeline(asked, (now(), last)), "ix_touchpoints_timeline"),
            (repository.unknown(last), "ix_touchpoints_unmatched"),
            (repository.newest_first(Filter(), last), "pk_touchpoints"),
        ):
            query = statement.limit(51).compile(dialect=database.engine.dialect, compile_kwargs={"literal_binds": True})
            rows = await session.execute(text(f"explain {query}".replace(":", r"\:")))
            plan = "\n".join(row[0] for row in rows)
            assert f" using {index}" in plan, plan
            assert "Sort" not in plan, plan
