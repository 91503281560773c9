"""A draft on trial: what it would change now, and what it would have foretold."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from app.kit import jobs
from app.kit.db import Database

NewPerson = Callable[..., Awaitable[str]]
Happen = Callable[..., Awaitable[str]]
Drain = Callable[[], Awaitable[int]]

DRAFT: dict[str, Any] = {
    "key": "default",
    "half_life_days": 30,
    "interest_rules": [{"rule": "clicked", "types": ["email_clicked"], "points": 30}],
    "fit_rules": [{"rule": "go", "when": {"field": "tags", "op": "has", "value": "go"}, "points": 60}],
    "tiers": [{"key": "cold", "from": None}, {"key": "warm", "from": 20}, {"key": "hot", "from": 50}],
}
SPAN = {"from": "2026-06-01T00:00:00Z", "to": "2026-09-01T00:00:00Z"}
BACKTEST = "/v1/score-models/default/backtest"


async def tried(api: httpx.AsyncClient, database: Database, path: str = BACKTEST, **members: Any) -> dict[str, Any]:
    started = await api.post(path, json=SPAN | members)
    assert started.status_code == 202, started.text
    while await jobs.run_jobs(database):
        pass
    job = (await api.get(started.headers["Location"])).json()
    assert (job["state"], job["error"]) == ("succeeded", None)
    result: dict[str, Any] = job["result"]
    return result


async def test_a_draft_is_tried_on_history_and_nothing_is_published(
    api: httpx.AsyncClient, new_person: NewPerson, happen: Happen, drain: Drain, database: Database
) -> None:
    clicker, talker, gopher, hidden = [await new_person(tags=tags) for tags in ([], [], ["go"], ["go"])]
    await happen(clicker, "email_clicked", "2026-06-01T00:00:00Z", actor="human")
    await happen(clicker, "email_clicked", "2026-08-31T00:00:00Z", actor="human")
    await happen(clicker, "email_clicked", "2026-09-01T00:00:01Z", actor="human")
    await happen(talker, "casual_interview", "2026-08-31T00:00:00Z")
    await happen(clicker, "hired", "2026-09-01T00:00:00Z")
    await happen(talker, "hired", "2026-06-01T00:00:00Z")
    await happen(gopher, "email_replied", "2026-07-01T00:00:00Z", actor="machine")
    await api.delete(f"/v1/candidates/{hidden}")
    await drain()
    before = (await api.get("/v1/scores")).json()["data"]
    await api.put("/v1/score-models/default", json=DRAFT)
    result = await tried(api, database, outcome_types=["hired", "email_replied"])
    assert sorted(result["candidates"], key=lambda each: str(each["to"])) == [
        {"candidate_id": talker, "from": "warm", "to": "cold"},
        {"candidate_id": gopher, "from": "cold", "to": "hot"},
        {"candidate_id": clicker, "from": "cold", "to": "warm"},
    ]
    assert sorted((each["from"], each["to"], each["count"]) for each in result["tier_changes"]) == [
        ("cold", "hot", 1),
        ("cold", "warm", 1),
        ("warm", "cold", 1),
    ]
    assert result["outcomes"] == [
        {"type": "hired", "tier": "cold", "people": 1, "happened": 0, "rate": 0},
        {"type": "hired", "tier": "warm", "people": 1, "happened": 1, "rate": 1},
        {"type": "hired", "tier": "hot", "people": 1, "happened": 0, "rate": 0},
        {"type": "email_replied", "tier": "cold", "people": 1, "happened": 0, "rate": 0},
        {"type": "email_replied", "tier": "warm", "people": 1, "happened": 0, "rate": 0},
        {"type": "email_replied", "tier": "hot", "people": 1, "happened": 0, "rate": 0},
    ]
    assert result["model_version"] == 1
    model = (await api.get("/v1/score-models/default")).json()
    assert (model["published"]["version"], model["draft"]["interest_rules"][0]["rule"]) == (1, "clicked")
    after = (await api.get("/v1/scores")).json()["data"]
    assert [each["tier"] for each in after] == [each["tier"] for each in before]


async def test_a_model_that_never_served_is_compared_with_none(
    api: httpx.AsyncClient, new_person: NewPerson, database: Database
) -> None:
    await new_person()
    await api.put("/v1/score-models/new", json=DRAFT | {"key": "new"})
    result = await tried(api, database, "/v1/score-models/new/backtest")
    assert result["tier_changes"] == [{"from": None, "to": "cold", "count": 1}]
    assert result["model_version"] is None
    assert {each["type"] for each in result["outcomes"]} >= {"email_replied", "meeting", "applied", "hired"}
    assert [each["rate"] for each in result["outcomes"] if each["tier"] == "hot"] == [None] * 5


async def test_what_cannot_be_tried_is_refused(api: httpx.AsyncClient) -> None:
    async def refused(path: str = BACKTEST, **members: Any) -> tuple[int, str, list[str]]:
        answer = await api.post(path, json=SPAN | members)
        found = answer.json()
        return answer.status_code, found["code"], [each["pointer"] for each in found["errors"]]

    assert await refused() == (409, "no_draft", [])
    assert (await refused("/v1/score-models/none/backtest", to=1))[0] == 404
    await api.put("/v1/score-models/default", json=DRAFT)
    assert await refused(to="2999-01-01T00:00:00Z") == (422, "at_in_future", ["/to"])
    assert (await refused(to="2026-05-01T00:00:00Z"))[:2] == (422, "invalid")
    assert (await refused(outcome_types=["nonsense"]))[2] == ["/outcome_types/0"]
    assert (await refused(outcome_types=[]))[2] == ["/outcome_types"]
