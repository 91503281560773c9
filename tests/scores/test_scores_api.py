"""Scores over HTTP: what they are made of, how they follow, and which tier they tell."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from app.candidates.models import Candidate
from app.criteria.predicate import holds
from app.criteria.sql import compiled
from app.criteria.tree import parse
from app.kit import jobs
from app.kit.clock import now
from app.kit.db import Database, count_statements
from app.scores import recount, service
from app.scores.criteria_fields import ADAPTERS, FIELDS
from tests.conftest import TenantFixture

NewPerson = Callable[..., Awaitable[str]]
Happen = Callable[..., Awaitable[str]]
Drain = Callable[[], Awaitable[int]]

MISSING = "01999999-0000-7000-8000-000000000000"
MODEL: dict[str, Any] = {
    "key": "fast",
    "half_life_days": 30,
    "unknown_weight": 0.5,
    "interest_rules": [{"rule": "met", "types": ["meeting"], "points": 20}],
    "fit_rules": [],
    "tiers": [{"key": "cold", "from": None}, {"key": "warm", "from": 10}],
}


async def score_of(api: httpx.AsyncClient, person: str, **query: Any) -> dict[str, Any]:
    answer = await api.get(f"/v1/candidates/{person}/score", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def tier_changes(api: httpx.AsyncClient) -> list[tuple[str, dict[str, str]]]:
    changes = (await api.get("/v1/changes?limit=200")).json()["data"]
    told = [each for each in changes if each["type"] == "score.tier_changed"]
    assert {(each["resource"], each["version"]) for each in told} <= {("candidate", 1)}
    return [(each["id"], each["data"]) for each in told]


async def publish(api: httpx.AsyncClient, database: Database, **members: Any) -> None:
    model = MODEL | members
    assert (await api.put(f"/v1/score-models/{model['key']}", json=model)).status_code in {200, 201}
    started = await api.post(f"/v1/score-models/{model['key']}/publish")
    assert started.status_code == 202, started.text
    while await jobs.run_jobs(database):
        pass
    job = (await api.get(started.headers["Location"])).json()
    assert (job["state"], job["error"]) == ("succeeded", None)


async def test_everybody_has_a_score_on_day_one(api: httpx.AsyncClient, new_person: NewPerson) -> None:
    person = await new_person()
    score = await score_of(api, person)
    assert score | {"as_of": ""} == {
        "candidate_id": person,
        "model": "default",
        "model_version": 1,
        "value": 0,
        "fit": 0,
        "interest": 0,
        "tier": "cold",
        "as_of": "",
        "tier_changes_at": None,
        "contributions": [],
    }
    model = (await api.get("/v1/score-models/default")).json()
    assert (model["draft"], model["published"]["version"]) == (None, 1)
    assert (await api.get(f"/v1/candidates/{MISSING}/score")).status_code == 404
    assert (await api.get(f"/v1/candidates/{person}/score?model=other")).status_code == 404
    future = (now() + timedelta(hours=1)).isoformat()
    assert (await api.get(f"/v1/candidates/{person}/score", params={"at": future})).status_code == 422


async def test_contributions_sum_to_the_value_at_any_time(
    api: httpx.AsyncClient, new_person: NewPerson, happen: Happen
) -> None:
    person = await new_person()
    met = await happen(person, "meeting", "2026-10-01T00:00:00Z")
    await happen(person, "event_no_show", "2026-10-20T00:00:00Z")
    await happen(person, "email_clicked", "2026-10-21T00:00:00Z", actor="machine")
    score = await score_of(api, person)
    assert {each["kind"] for each in score["contributions"]} == {"interest", "penalty"}
    assert math.isclose(sum(each["decayed_points"] for each in score["contributions"]), score["value"], abs_tol=1e-9)
    then = await score_of(api, person, at="2026-10-01T00:00:00Z")
    assert (then["value"], then["tier"]) == (20, "warm")
    assert [each["touchpoint_id"] for each in then["contributions"]] == [met]
    assert (await score_of(api, person, at="2026-09-30T23:59:59Z"))["value"] == 0


async def test_no_order_and_no_repetition_changes_a_score(
    api: httpx.AsyncClient, new_person: NewPerson, drain: Drain
) -> None:
    happened = [
        {"type": type_, "occurred_at": f"2026-11-{day:02}T00:00:00Z", "source": "s", "data": data}
        for day, (type_, data) in enumerate(
            [
                ("email_delivered", {"message_id": "m"}),
                ("email_clicked", {"message_id": "m", "url": "a"}),
                ("email_clicked", {"message_id": "m", "url": "a"}),
                ("email_clicked", {"message_id": "m", "url": "b"}),
                ("meeting", {}),
                ("event_no_show", {"event": {"id": "e"}}),
            ],
            1,
        )
    ]
    orders = ([0, 1, 2, 3, 4, 5], [5, 4, 4, 3, 2, 1, 0, 5], [2, 0, 2, 5, 1, 4, 3, 3])
    at, found = "2026-11-20T00:00:00Z", []
    for place, order in enumerate(orders):
        person = await new_person()
        items = [happened[n] | {"external_id": f"{place}-{n}", "candidate_id": person} for n in order]
        for part in (items[:3], items[3:]):
            assert (await api.post("/v1/touchpoints/batch", json=part)).status_code == 207
        await drain()
        found.append((await score_of(api, person, at=at))["value"])
    assert found[0] != 0
    assert len(set(found)) == 1
    listed = (await api.get("/v1/scores")).json()
    assert [each["value"] for each in listed["data"]] == pytest.approx([listed["data"][0]["value"]] * 3, abs=1e-9)


async def test_a_first_tier_is_told_and_a_verdict_takes_it_back(
    api: httpx.AsyncClient, new_person: NewPerson, happen: Happen, drain: Drain
) -> None:
    person, other = await new_person(), await new_person()
    met = await happen(person, "casual_interview", now().isoformat())
    await happen(other, "email_opened", now().isoformat())
    await drain()
    assert await tier_changes(api) == [(person, {"model": "default", "from": "cold", "to": "warm"})]
    await api.patch(f"/v1/touchpoints/{met}", json={"actor": "machine"})
    await drain()
    assert (await tier_changes(api))[1:] == [(person, {"model": "default", "from": "warm", "to": "cold"})]
    assert (await score_of(api, person))["value"] == 0


async def test_a_tier_changes_by_itself_when_its_time_comes(
    api: httpx.AsyncClient, new_person: NewPerson, happen: Happen, drain: Drain, database: Database
) -> None:
    half_life_days = 0.0001  # 8.64 s: from 28 to 20 in 4.2 s
    points = {"meeting": 28, "applied": 80}
    rules = [{"rule": type_, "types": [type_], "points": worth} for type_, worth in points.items()]
    tiers = [{"key": "cold", "from": None}, {"key": "warm", "from": 20}]
    await publish(api, database, half_life_days=half_life_days, interest_rules=rules, tiers=tiers)
    person, later = await new_person(), await new_person()
    moment = now()
    await happen(person, "meeting", moment.isoformat())
    await happen(later, "applied", (moment + timedelta(seconds=0.6)).isoformat())
    await drain()
    changes_at = moment + timedelta(days=half_life_days * math.log2(28 / 20))
    score = await score_of(api, person, model="fast")
    assert abs(datetime.fromisoformat(score["tier_changes_at"]) - changes_at) < timedelta(milliseconds=1)
    warmer = {"model": "fast", "from": "cold", "to": "warm"}
    colder = {"model": "fast", "from": "warm", "to": "cold"}
    told = [each for each in await tier_changes(api) if each[1]["model"] == "fast"]
    assert [data for told_of, data in told if told_of == person] == [warmer]
    await asyncio.sleep(max((changes_at - now()).total_seconds(), 0) + 0.01)
    await drain()
    told = [each for each in await tier_changes(api) if each[1]["model"] == "fast"]
    assert [data for told_of, data in told if told_of == person] == [warmer, colder]
    assert (later, warmer) in told


async def test_an_unmatched_touchpoint_counts_once_its_person_comes(
    api: httpx.AsyncClient, new_person: NewPerson, drain: Drain
) -> None:
    told = {"email": "later@example.com", "type": "meeting", "occurred_at": now().isoformat(), "source": "s"}
    await api.post("/v1/touchpoints", json=told)
    await drain()
    person = await new_person(email_addresses=[{"value": "later@example.com"}])
    await drain()
    [listed] = (await api.get("/v1/scores?value_gte=1")).json()["data"]
    assert (listed["candidate_id"], listed["tier"]) == (person, "cold")
    read = (await api.get(f"/v1/candidates/{person}")).json()
    assert read["last_interaction_at"] is not None


async def test_a_model_is_written_as_a_draft_and_serves_when_published(
    api: httpx.AsyncClient, new_person: NewPerson, happen: Happen, drain: Drain, database: Database
) -> None:
    person = await new_person(skills=[{"name": "Python"}])
    await happen(person, "meeting", now().isoformat())
    await drain()
    assert (await api.post("/v1/score-models/default/publish")).json()["code"] == "no_draft"
    assert (await api.post("/v1/score-models/fast/publish")).status_code == 404
    first = await api.put("/v1/score-models/fast", json=MODEL)
    assert (first.status_code, first.json()["published"]) == (201, None)
    again = await api.put("/v1/score-models/fast", json=first.json()["draft"])
    assert (again.status_code, again.json()) == (200, first.json())
    assert (await api.get(f"/v1/candidates/{person}/score?model=fast")).status_code == 404
    when = {"field": "skills.name", "op": "has", "value": "PYTHON"}
    await publish(api, database, key="default", fit_rules=[{"rule": "python", "when": when, "points": 35}])
    model = (await api.get("/v1/score-models/default")).json()
    assert (model["draft"], model["published"]["version"]) == (None, 2)
    score = await score_of(api, person)
    assert (score["model_version"], score["fit"], score["tier"]) == (2, 35, "warm")
    assert (await score_of(api, person, model_version=1))["fit"] == 0
    assert await tier_changes(api) == [(person, {"model": "default", "from": "cold", "to": "warm"})]
    [listed] = (await api.get("/v1/scores")).json()["data"]
    assert (listed["model_version"], listed["fit"]) == (2, 35)
    await drain()
    assert len(await tier_changes(api)) == 1


async def test_what_no_model_can_be_is_refused_with_its_place(api: httpx.AsyncClient) -> None:
    async def refused(**members: Any) -> tuple[str, list[str]]:
        answer = await api.put("/v1/score-models/fast", json=MODEL | members)
        assert answer.status_code == 422
        return answer.json()["code"], [each["pointer"] for each in answer.json()["errors"]]

    when = {"all": [{"field": "score.value", "op": "gt", "value": 1}]}
    assert await refused(fit_rules=[{"rule": "r", "when": when, "points": 1}]) == (
        "criteria_invalid",
        ["/fit_rules/0/when/all/0/field"],
    )
    assert await refused(key="other") == ("key_mismatch", ["/key"])
    assert await refused(tiers=[{"key": "a", "from": 1}]) == ("invalid", ["/tiers"])
    rule = {"rule": "r", "types": ["note"], "points": 1}
    assert await refused(interest_rules=[rule, rule]) == ("invalid", ["/interest_rules"])
    fit = {"rule": "r", "when": {"field": "tags", "op": "has", "value": "a"}, "points": 1}
    assert await refused(interest_rules=[rule], fit_rules=[fit]) == ("invalid", ["/fit_rules"])
    assert (await refused(half_life_days=0.00001))[1] == ["/half_life_days"]


async def test_scores_are_listed_by_value_at_one_moment(
    api: httpx.AsyncClient, new_person: NewPerson, happen: Happen, drain: Drain
) -> None:
    people = [await new_person() for _ in range(4)]
    for count, person in enumerate(people):
        for _ in range(count):
            await happen(person, "email_replied", now().isoformat())
    await drain()
    first = (await api.get("/v1/scores?limit=2&include=total")).json()
    assert (first["total"], [each["candidate_id"] for each in first["data"]]) == (4, [people[3], people[2]])
    assert "contributions" not in first["data"][0]
    second = (await api.get(f"/v1/scores?limit=2&include=total&cursor={first['next_cursor']}")).json()
    assert [each["candidate_id"] for each in second["data"]] == [people[1], people[0]]
    assert {first["as_of"], *(each["as_of"] for each in second["data"])} == {second["as_of"]}

    async def ids(query: str) -> list[str]:
        return [each["candidate_id"] for each in (await api.get(f"/v1/scores?{query}")).json()["data"]]

    assert await ids("sort=value") == people
    assert await ids("tier=warm") == people[:0:-1]
    assert await ids("tier=cold&tier=warm") == people[::-1]
    assert await ids("tier=cold") == [people[0]]
    assert await ids("value_gte=30") == [people[3], people[2]]
    assert (await api.get("/v1/scores?sort=tier")).json()["code"] == "sort_not_allowed"
    assert (await api.get("/v1/scores?model=other")).status_code == 404


async def test_a_sweep_changes_nothing_and_the_hidden_have_no_score(
    api: httpx.AsyncClient, new_person: NewPerson, happen: Happen, drain: Drain, database: Database
) -> None:
    person, hidden = await new_person(), await new_person()
    await happen(person, "applied", now().isoformat())
    await drain()
    await api.delete(f"/v1/candidates/{hidden}")
    await drain()
    before = (await api.get("/v1/scores")).json()["data"]
    assert [each["candidate_id"] for each in before] == [person]
    started = await api.post("/v1/scores/sweeps")
    assert started.status_code == 202
    await jobs.run_jobs(database)
    job = (await api.get(started.headers["Location"])).json()
    assert (job["state"], job["result"]) == ("succeeded", {"candidates": 2, "mended": 0})
    after = (await api.get("/v1/scores")).json()["data"]
    assert [each["tier_changes_at"] for each in after] == [each["tier_changes_at"] for each in before]
    assert len(await tier_changes(api)) == 1


async def test_many_people_are_scored_in_few_statements(
    api: httpx.AsyncClient, new_person: NewPerson, database: Database, tenant: TenantFixture
) -> None:
    people = [await new_person() for _ in range(12)]
    items = [
        {"candidate_id": person, "type": "applied", "occurred_at": now().isoformat(), "source": "s"}
        for person in people
    ]
    await api.post("/v1/touchpoints/batch", json=items)
    counts = []
    for size in (2, 10):
        seen: list[str] = []
        ids, people = [UUID(each) for each in people[:size]], people[size:]
        async with database.transaction(tenant.caller) as session:
            stop = count_statements(database.engine, seen)
            await recount.recompute(session, ids)
            stop()
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 12, seen


async def test_criteria_over_scores_are_one_meaning_in_two_languages(
    new_person: NewPerson,
    happen: Happen,
    drain: Drain,
    database: Database,
    tenant: TenantFixture,
) -> None:
    person, other = UUID(await new_person()), UUID(await new_person())
    await happen(str(person), "applied", now().isoformat())
    await drain()
    at = now()
    async with database.transaction(tenant.caller) as session:
        facts = await service.facts(session, [person, other], at)
        for leaf, expected in (
            ({"field": "score.value", "op": "gt", "value": 30}, {person}),
            ({"field": "score.tier", "op": "eq", "value": "warm"}, {person}),
            ({"field": "score.default.value", "op": "lte", "value": 0}, {other}),
            ({"field": "score.unknown.value", "op": "exists", "value": False}, {person, other}),
        ):
            node = parse(leaf, FIELDS)
            found = set((await session.scalars(select(Candidate.id).where(compiled(node, ADAPTERS, at)))).all())
            assert found == expected
            assert {each for each in (person, other) if holds(node, facts[each], at)} == expected
    values = {each: found["scores"]["default"]["value"] for each, found in facts.items()}
    assert 39 < values[person] <= 40
    assert values[other] == 0


async def test_a_threshold_of_others_is_watched(
    new_person: NewPerson,
    happen: Happen,
    drain: Drain,
    database: Database,
    tenant: TenantFixture,
) -> None:
    person = UUID(await new_person())
    await happen(str(person), "applied", now().isoformat())
    await drain()

    async def next_event() -> datetime:
        async with database.transaction(tenant.caller) as session:
            found: datetime = await session.value(
                "select due_at from due where kind = 'score' and key = :id", id=person
            )
        return found.astimezone(UTC)

    to_cold = await next_event()
    async with database.transaction(tenant.caller) as session:
        await service.set_thresholds(session, "pool:1", {"default": [30, 45]})
    await drain()
    assert now() < await next_event() < to_cold
    async with database.transaction(tenant.caller) as session:
        await service.set_thresholds(session, "pool:1", {})
        await recount.recompute(session, [person])


async def test_a_fit_rule_that_time_ends_is_looked_at_again_in_that_moment(
    api: httpx.AsyncClient, new_person: NewPerson, happen: Happen, drain: Drain, database: Database
) -> None:
    when = {"field": "touchpoints", "op": "has", "value": {"types": ["note"], "within_days": 1}}
    await publish(api, database, key="default", fit_rules=[{"rule": "lately", "when": when, "points": 15}])
    person = await new_person()
    await happen(person, "note", (now() - timedelta(days=1) + timedelta(seconds=4)).isoformat())
    await drain()
    assert (await score_of(api, person))["tier"] == "warm"
    past = await score_of(api, person, at=(now() - timedelta(days=300)).isoformat())
    assert (past["fit"], past["interest"]) == (15, 0)
    for _ in range(40):
        if len(await tier_changes(api)) > 1:
            break
        await asyncio.sleep(0.2)
        await drain()
    told = [each for _, each in await tier_changes(api)]
    assert told == [
        {"model": "default", "from": "cold", "to": "warm"},
        {"model": "default", "from": "warm", "to": "cold"},
    ]


async def test_names_of_people_s_own_serve_everywhere(
    api: httpx.AsyncClient, database: Database, new_person: NewPerson, happen: Happen, drain: Drain
) -> None:
    own = {"key": "Backend-2", "tiers": [{"key": "低い", "from": None}, {"key": "Hot Lead", "from": 10}]}
    own["interest_rules"] = [{"rule": "面談 (初回)", "types": ["meeting"], "points": 20}]
    await publish(api, database, **own, half_life_days=1e9)
    person = await new_person()
    await happen(person, "meeting", "2026-01-01T00:00:00Z")
    await drain()
    score = await score_of(api, person, model="Backend-2")
    assert (score["tier"], [each["rule"] for each in score["contributions"]]) == ("Hot Lead", ["面談 (初回)"])
    listed = await api.get("/v1/scores", params={"model": "Backend-2", "tier": "Hot Lead"})
    assert [each["candidate_id"] for each in listed.json()["data"]] == [person]
    hot = {"field": "score.Backend-2.tier", "op": "eq", "value": "Hot Lead"}
    pool = {"key": "hot", "name": "Hot", "criteria": hot, "score_model": "Backend-2"}
    assert (await api.post("/v1/pools", json=pool)).status_code == 201
