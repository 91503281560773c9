"""One page before a call: every line cites what is there, and says nothing that is not."""

from typing import Any

import httpx

from app.briefs.words import DEEDS
from app.kit.ids import new_id
from app.touchpoints.kinds import TYPES
from tests.pools.conftest import Recruiter, ago

ENGLISH = {"Accept-Language": "en"}


async def read(api: httpx.AsyncClient, person: str, **headers: str) -> Any:
    answer = await api.get(f"/v1/candidates/{person}/brief", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_every_line_cites_records_or_touchpoints_of_the_person(
    api: httpx.AsyncClient, recruiter: Recruiter
) -> None:
    fields = {"current_company": "株式会社例", "skills": [{"name": "Python", "years": 5}], "interests": ["Rust"]}
    ada = await recruiter.person("Ada", **fields, sources=[{"type": "event", "name": "PyCon"}])
    await api.patch(f"/v1/candidates/{ada}", json={"headline": "CTO", "interests": {"add": ["Go"]}})
    await recruiter.touch(ada, "event_attended", topics=["python"], occurred_at=ago(days=3))
    await recruiter.touch(ada, "casual_interview", occurred_at=ago(days=2))
    await recruiter.touch(ada, "email_opened", actor="machine")
    await recruiter.permit(ada)
    await recruiter.drain()
    brief = await read(api, ada, **ENGLISH)
    texts = [line["text"] for line in brief["lines"]]
    assert texts[:3] == ["Name: Ada", "Headline: CTO", "Company: 株式会社例"]
    assert {"Skills: Python (5 y)", "Interests: Rust, Go", "Met through: PyCon"} <= set(texts)
    timeline = [line["text"][12:] for line in brief["lines"] if line["topic"] == "timeline"]
    assert timeline == ["Casual interview", "Attended an event (python)"]
    assert [line["text"].partition(" on ")[0] for line in brief["lines"] if line["topic"] == "interest"] == [
        "Came to a casual interview",
        "Attended an event",
    ]
    known = {each["record_id"] for each in (await api.get(f"/v1/candidates/{ada}/records")).json()["data"]}
    happened = {each["id"] for each in (await api.get(f"/v1/candidates/{ada}/touchpoints")).json()["data"]}
    for line in brief["lines"]:
        assert line["record_ids"] or line["touchpoint_ids"]
        assert set(line["record_ids"]) <= known
        assert set(line["touchpoint_ids"]) <= happened
    interests = next(line for line in brief["lines"] if line["text"].startswith("Interests"))
    assert set(interests["record_ids"]) == known
    assert (brief["contact"]["decision"], brief["lease"], brief["tier"]) == ("allow", None, "hot")


async def test_the_lines_are_in_the_tenants_language_unless_asked_otherwise(
    api: httpx.AsyncClient, recruiter: Recruiter
) -> None:
    ada = await recruiter.person("Ada", skills=[{"name": "Go"}, {"name": "Rust"}])
    assert [line["text"] for line in (await read(api, ada))["lines"]] == ["氏名: Ada", "スキル: Go、Rust"]
    assert (await read(api, ada, **ENGLISH))["language"] == "en"
    assert DEEDS.keys() == TYPES


async def test_nobody_has_no_brief_and_an_old_id_has_the_survivors(
    api: httpx.AsyncClient, recruiter: Recruiter
) -> None:
    assert (await api.get(f"/v1/candidates/{new_id()}/brief")).status_code == 404
    ada = await recruiter.person("Ada")
    asked = await api.get(f"/v1/candidates/{ada}/brief", params={"channel": "pigeon"})
    assert (asked.status_code, asked.json()["errors"][0]["pointer"]) == (422, "/query/channel")
    await api.delete(f"/v1/candidates/{ada}")
    assert (await api.get(f"/v1/candidates/{ada}/brief")).status_code == 404
