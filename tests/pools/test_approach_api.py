"""Whom to contact now: in order, with reasons, never against the gate."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.contents.models import Content
from app.kit.db import Database, count_statements
from tests.conftest import TenantFixture
from tests.pools.conftest import Recruiter, ago

EVERYBODY: dict[str, Any] = {"all": []}


@pytest.fixture
async def crowd(recruiter: Recruiter) -> dict[str, str]:
    """Four people: the hottest, a warm one, one who may not be written to, and one who never did anything."""
    people = {name: await recruiter.person(name, interests=["Python"]) for name in ("Ada", "Bob", "Cyd", "Dan")}
    for name in ("Ada", "Bob", "Dan"):
        await recruiter.permit(people[name])
    await recruiter.touch(people["Ada"], "casual_interview")
    await recruiter.touch(people["Ada"], "email_clicked", actor="human", occurred_at=ago(hours=3))
    await recruiter.touch(people["Ada"], "email_clicked", actor="human", occurred_at=ago(hours=2))
    await recruiter.touch(people["Bob"], "event_attended")
    await recruiter.touch(people["Cyd"], "event_attended", occurred_at=ago(days=20))
    return people


async def test_the_list_is_in_order_and_says_why(recruiter: Recruiter, crowd: dict[str, str]) -> None:
    pool = await recruiter.pool("all", EVERYBODY)
    rows = await recruiter.approaches(pool)
    assert [each["candidate_id"] for each in rows] == [crowd[name] for name in ("Ada", "Bob", "Cyd", "Dan")]
    assert [each["rank"] for each in rows] == [1, 2, 3, 4]
    scores = [each["score"] for each in rows]
    assert scores == sorted(scores, reverse=True)
    assert (scores[3], rows[3]["tier"], rows[3]["reasons"], rows[3]["last"]) == (0.0, "cold", [], None)
    assert rows[0]["last"]["touchpoint"]["type"] == "casual_interview"
    assert (rows[1]["last"]["outcome"], rows[1]["suggested"]["kind"]) == ("attended", "casual_interview")
    assert (rows[2]["contact"]["decision"], rows[2]["suggested"]) == ("deny", None)


async def test_reasons_are_sentences_in_the_language_asked_for(
    api: httpx.AsyncClient, recruiter: Recruiter, crowd: dict[str, str]
) -> None:
    pool = await recruiter.pool("all", EVERYBODY)

    async def reasons(language: str) -> list[str]:
        headers = {"Accept-Language": language}
        rows = (await api.get(f"/v1/pools/{pool}/approach-list", headers=headers)).json()["data"]
        found = {each["candidate_id"]: each["reasons"] for each in rows}
        return list(found[crowd["Ada"]])

    day = (datetime.now(UTC) + timedelta(hours=9 - 1)).date().isoformat()
    first, second = await reasons("fr, en-GB;q=0.8, ja;q=0.2")
    assert first == f"Came to a casual interview on {day}: +40.0 points."
    assert second.startswith("Clicked a link in a mail 2 times, last on ")
    assert (await reasons("ja"))[0] == f"カジュアル面談に参加({day}): +40.0点"
    assert await reasons("*") == await reasons("ja")


async def test_the_threshold_is_inclusive_and_null_is_all(
    api: httpx.AsyncClient, recruiter: Recruiter, crowd: dict[str, str]
) -> None:
    pool = await recruiter.pool("hot", EVERYBODY, threshold=20)
    assert {each["candidate_id"] for each in await recruiter.approaches(pool)} == {crowd["Ada"], crowd["Bob"]}
    await api.patch(f"/v1/pools/{pool}", json={"threshold": 0})
    assert len(await recruiter.approaches(pool)) == 4


async def test_every_row_agrees_with_the_contact_decision(
    api: httpx.AsyncClient, recruiter: Recruiter, crowd: dict[str, str]
) -> None:
    await api.patch("/v1/tenant", json={"frequency_caps": {"email": {"max": 1, "days": 7}}})
    await recruiter.touch(crowd["Bob"], "rejected", occurred_at=ago(minutes=5))
    await recruiter.post("/v1/suppressions", {"channel": "email", "value": "dan@example.com", "reason": "manual"})
    pool = await recruiter.pool("all", EVERYBODY)
    rows = await recruiter.approaches(pool)
    items = [{"candidate_id": each["candidate_id"], "channel": "email", "purpose": "recruiting"} for each in rows]
    asked = (await recruiter.post("/v1/contact-decisions", {"items": items}, 200))["data"]
    compared = ("candidate_id", "channel", "purpose", "decision", "not_before", "reasons", "rule_version")
    for row, decision in zip(rows, asked, strict=True):
        assert {name: row["contact"][name] for name in compared} == {name: decision[name] for name in compared}
    assert {each["contact"]["decision"] for each in rows} == {"allow", "deny", "not_before"}
    allowed = await recruiter.approaches(pool, decision="allow")
    assert [(each["candidate_id"], each["rank"]) for each in allowed] == [(crowd["Ada"], 1)]


@pytest.mark.usefixtures("crowd")
async def test_pages_go_on_at_the_same_moment_with_ranks_from_one(api: httpx.AsyncClient, recruiter: Recruiter) -> None:
    pool = await recruiter.pool("all", EVERYBODY)
    for decisions, expected in (([], 4), (["allow", "not_before"], 3)):
        seen: list[tuple[int, str]] = []
        moments: set[str] = set()
        cursor: str | None = None
        while True:
            params: dict[str, Any] = {"decision": decisions, "limit": 1, "include": "total"}
            params |= {"cursor": cursor} if cursor else {}
            answer = await api.get(f"/v1/pools/{pool}/approach-list", params=params)
            page = answer.json()
            assert ('rel="next"' in answer.headers.get("Link", "")) == page["has_more"]
            seen += [(each["rank"], each["candidate_id"]) for each in page["data"]]
            moments.add(page["as_of"])
            assert page["total"] == expected
            cursor = page["next_cursor"]
            if not page["has_more"]:
                break
        assert cursor is None
        assert [rank for rank, _ in seen] == list(range(1, expected + 1))
        assert len({each for _, each in seen}) == expected
        assert len(moments) == 1


async def test_a_lease_keeps_two_recruiters_apart(
    api: httpx.AsyncClient, recruiter: Recruiter, crowd: dict[str, str]
) -> None:
    pool = await recruiter.pool("all", EVERYBODY)
    path = f"/v1/pools/{pool}/approach-list/{crowd['Ada']}/lease"
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    aiko, ben = {"Act-As-User": "aiko"}, {"Act-As-User": "ben"}
    taken = await api.put(path, json={"expires_at": until}, headers=aiko)
    assert (taken.status_code, taken.json()["holder"]) == (200, "aiko")
    assert (await api.put(path, json={"expires_at": until}, headers=aiko)).status_code == 200
    refused = await api.put(path, json={"expires_at": until}, headers=ben)
    assert (refused.status_code, refused.json()["code"]) == (409, "leased")
    assert (await api.delete(path, headers=ben)).status_code == 409
    rows = (await api.get(f"/v1/pools/{pool}/approach-list", headers=ben)).json()["data"]
    assert rows[0]["lease"]["holder"] == "aiko"
    assert [each["code"] for each in rows[0]["contact"]["reasons"]] == ["leased"]
    assert (await api.delete(path, headers=aiko)).status_code == 204
    assert (await api.delete(path, headers=aiko)).status_code == 404
    past = await api.put(path, json={"expires_at": ago(hours=1)}, headers=ben)
    assert (past.status_code, past.json()["code"]) == (422, "lease_in_past")


async def test_a_content_that_fits_the_interests_is_suggested(
    recruiter: Recruiter, crowd: dict[str, str], database: Database, tenant: TenantFixture
) -> None:
    async with database.transaction(tenant.caller) as session:
        for key, topics in (("py", ["ＰＹＴＨＯＮ", "testing"]), ("go", ["go"])):
            session.add(Content(key=key, kind="article", title=key, url="https://example.co.jp", topics=topics))
    pool = await recruiter.pool("all", EVERYBODY)
    [first, *_] = await recruiter.approaches(pool)
    assert first["candidate_id"] == crowd["Ada"]
    assert (first["suggested"]["title"], first["suggested"]["topics"]) == ("py", ["ＰＹＴＨＯＮ"])


async def test_a_page_costs_the_same_statements_however_long_it_is(
    api: httpx.AsyncClient, recruiter: Recruiter, crowd: dict[str, str], database: Database
) -> None:
    pool = await recruiter.pool("all", EVERYBODY)

    async def cost(**query: Any) -> int:
        seen: list[str] = []
        stop: Callable[[], None] = count_statements(database.engine, seen)
        try:
            answer = await api.get(f"/v1/pools/{pool}/approach-list", params=query)
            assert len(answer.json()["data"]) == min(query["limit"], len(crowd))
        finally:
            stop()
        return len(seen)

    await cost(limit=1)
    assert await cost(limit=4) == await cost(limit=1)
    assert await cost(limit=4) <= 30
