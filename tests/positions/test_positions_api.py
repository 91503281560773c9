"""An opened position and who fits it, over HTTP."""

from typing import Any

import httpx
import pytest

from app.kit.ids import new_id
from tests.pools.conftest import Recruiter

PYTHON = {"field": "skills.name", "op": "has", "value": "python"}
TOKYO = {"field": "tags", "op": "has", "value": "tokyo"}
SENIOR = {"field": "years_of_experience", "op": "gte", "value": 5}
POSITION = {
    "name": "Backend",
    "criteria": PYTHON,
    "wishes": [{"criteria": TOKYO, "weight": 2}, {"criteria": SENIOR, "weight": 0.5}],
}


@pytest.fixture
async def people(recruiter: Recruiter) -> dict[str, str]:
    """Four who know Python, in every combination of the two wishes but one, and one who does not."""
    skills = {"skills": [{"name": "Python"}]}
    people = {
        "Ada": await recruiter.person("Ada", **skills, tags=["tokyo"], years_of_experience=9),
        "Bob": await recruiter.person("Bob", **skills, tags=["tokyo"]),
        "Cyd": await recruiter.person("Cyd", **skills),
        "Dan": await recruiter.person("Dan", **skills),
        "Eve": await recruiter.person("Eve", tags=["tokyo"]),
    }
    await recruiter.touch(people["Dan"], "casual_interview")
    await recruiter.permit(people["Ada"])
    await recruiter.drain()
    return people


async def test_a_position_is_opened_read_changed_and_closed(api: httpx.AsyncClient) -> None:
    made = await api.post("/v1/positions", json=POSITION)
    path, position = made.headers["Location"], made.json()
    assert (made.status_code, made.headers["ETag"], position["score_model"]) == (201, '"v1"', "default")
    assert (await api.get(path)).json() == position
    assert [each["id"] for each in (await api.get("/v1/positions")).json()["data"]] == [position["id"]]
    body = {"wishes": {"add": [{"criteria": TOKYO, "weight": 3}], "remove": [SENIOR]}}
    changed = await api.patch(path, json=body, headers={"If-Match": '"v1"'})
    assert changed.json()["wishes"] == [{"criteria": TOKYO, "weight": 3.0}]
    assert (changed.headers["ETag"], changed.json()["version"]) == ('"v2"', 2)
    assert (await api.patch(path, json={"name": "x"}, headers={"If-Match": '"v1"'})).status_code == 412
    assert (await api.delete(path)).status_code == 204
    assert [(await call(path)).status_code for call in (api.get, api.delete)] == [404, 404]
    assert (await api.get(f"{path}/matches")).status_code == 404


@pytest.mark.parametrize(
    ("change", "status", "pointer"),
    [
        ({"criteria": {"field": "shoes", "op": "eq", "value": 1}}, 422, "/criteria/field"),
        ({"wishes": [{"criteria": {"field": "tags", "op": "gt"}, "weight": 1}]}, 422, "/wishes/0/criteria/op"),
        ({"wishes": [{"criteria": TOKYO}]}, 422, "/wishes/0/weight"),
        ({"criteria": {"field": "pool", "op": "has", "value": "none"}}, 404, "/criteria/value"),
        ({"score_model": "nobody"}, 404, "/score_model"),
        ({"name": ""}, 422, "/name"),
    ],
)
async def test_what_a_position_refuses(api: httpx.AsyncClient, change: Any, status: int, pointer: str) -> None:
    answer = await api.post("/v1/positions", json={**POSITION, **change})
    assert (answer.status_code, [each["pointer"] for each in answer.json()["errors"]]) == (status, [pointer])


async def test_matches_are_ranked_at_once_by_fit_then_score(
    api: httpx.AsyncClient, recruiter: Recruiter, people: dict[str, str]
) -> None:
    position = (await recruiter.post("/v1/positions", POSITION))["id"]
    rows = (await api.get(f"/v1/positions/{position}/matches")).json()["data"]
    assert [each["candidate_id"] for each in rows] == [people[name] for name in ("Ada", "Bob", "Dan", "Cyd")]
    assert [each["fit"] for each in rows] == [2.5, 2.0, 0.0, 0.0]
    assert [each["rank"] for each in rows] == [1, 2, 3, 4]
    assert rows[2]["score"] > 30
    assert [each["criteria"] for each in rows[1]["met"]] == [TOKYO]
    assert rows[1]["unmet"] == [{"criteria": SENIOR, "weight": 0.5}]
    assert [each["contact"]["decision"] for each in rows] == ["allow", "deny", "deny", "deny"]


async def test_matches_are_walked_page_by_page(
    api: httpx.AsyncClient, recruiter: Recruiter, people: dict[str, str]
) -> None:
    position = (await recruiter.post("/v1/positions", POSITION))["id"]
    path, seen, moments = f"/v1/positions/{position}/matches", [], set()
    cursor: str | None = None
    while True:
        query: dict[str, Any] = {"limit": 1, "include": "total"} | ({"cursor": cursor} if cursor else {})
        page = (await api.get(path, params=query)).json()
        seen += [(each["rank"], each["candidate_id"]) for each in page["data"]]
        moments.add(page["as_of"])
        assert (page["total"], page["has_more"]) == (4, page["next_cursor"] is not None)
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == list(enumerate((people[name] for name in ("Ada", "Bob", "Dan", "Cyd")), 1))
    assert len(moments) == 1
    first = (await api.get(path, params={"limit": 1})).json()["next_cursor"]
    await api.patch(f"/v1/positions/{position}", json={"name": "Other"})
    stale = await api.get(path, params={"limit": 1, "cursor": first})
    assert (stale.status_code, stale.json()["code"]) == (400, "cursor_mismatch")


async def test_a_position_without_wishes_orders_by_score(recruiter: Recruiter, people: dict[str, str]) -> None:
    position = (await recruiter.post("/v1/positions", {"name": "Any", "criteria": PYTHON}))["id"]
    rows = (await recruiter.api.get(f"/v1/positions/{position}/matches")).json()["data"]
    assert [each["candidate_id"] for each in rows][:2] == [people["Dan"], people["Ada"]]
    assert {(each["fit"], len(each["met"]), len(each["unmet"])) for each in rows} == {(0.0, 0, 0)}
    assert (await recruiter.api.get(f"/v1/positions/{new_id()}/matches")).status_code == 404
