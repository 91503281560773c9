"""Facets of everybody, which are kept, and the words in use."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from app.directory import service
from app.kit.db import Database
from app.kit.ids import new_id
from tests.conftest import TenantFixture

Drain = Callable[[], Awaitable[int]]
FACETS = ["tags", "interests", "skills.name", "sources.type", "current_company", "location.city", "score.tier"]


async def facets(api: httpx.AsyncClient, **body: Any) -> dict[str, dict[str, int]]:
    answer = await api.post("/v1/candidates/search", json={"facets": FACETS, **body})
    assert answer.status_code == 200, answer.text
    assert "facets_are_capped" not in answer.json()
    return {name: {each["value"]: each["count"] for each in values} for name, values in answer.json()["facets"].items()}


async def everybody(api: httpx.AsyncClient) -> dict[str, dict[str, int]]:
    """Count by looking at everybody, which criteria that nobody fails do."""
    return await facets(api, criteria={"all": []})


async def test_kept_counts_follow_every_change(api: httpx.AsyncClient, drain: Drain) -> None:
    ada = {"full_name": "Ada", "tags": ["Python", "python"], "skills": [{"name": "Go"}], "current_company": "青空"}
    bob = {"full_name": "Bob", "tags": ["python"], "location": {"city": "大阪"}, "sources": [{"type": "event"}]}
    one = (await api.post("/v1/candidates", json=ada)).json()["id"]
    two = (await api.post("/v1/candidates", json=bob)).json()["id"]
    assert await facets(api) == {name: {} for name in FACETS}
    await drain()
    counts = await facets(api)
    assert counts["tags"] == {"python": 2, "Python": 1}
    assert counts["score.tier"] == {"cold": 2}
    assert counts == await everybody(api)
    await api.patch(f"/v1/candidates/{one}", json={"tags": {"remove": ["Python"], "add": ["rust"]}})
    await api.post(
        "/v1/touchpoints",
        json={
            "candidate_id": one,
            "type": "casual_interview",
            "occurred_at": "2026-01-01T00:00:00Z",
            "source": "x",
        },
    )
    await api.delete(f"/v1/candidates/{two}")
    await drain()
    counts = await facets(api)
    assert counts["tags"] == {"python": 1, "rust": 1}
    assert counts["location.city"] == {}
    assert counts == await everybody(api)
    await api.post(f"/v1/candidates/{two}/restore")
    await drain()
    assert await facets(api) == await everybody(api)


async def test_counting_somebody_twice_changes_nothing(
    api: httpx.AsyncClient, drain: Drain, database: Database, tenant: TenantFixture
) -> None:
    made = (await api.post("/v1/candidates", json={"full_name": "Ada", "tags": ["x"]})).json()["id"]
    await drain()
    before = await facets(api)
    async with database.transaction(tenant.caller) as session:
        await service.count(session, [made, new_id()])
    assert await facets(api) == before


async def test_a_cursor_goes_on_whatever_facets_are_asked_for(api: httpx.AsyncClient) -> None:
    for name in ("Ada", "Bob", "Eve"):
        await api.post("/v1/candidates", json={"full_name": name, "tags": ["x"]})
    first = (await api.post("/v1/candidates/search", json={"facets": ["tags"], "limit": 2})).json()
    for facets in (["tags"], [], ["interests"]):
        asked = {"facets": facets, "cursor": first["next_cursor"]}
        assert len((await api.post("/v1/candidates/search", json=asked)).json()["data"]) == 1


async def test_words_in_use_are_listed_by_a_part_of_them(api: httpx.AsyncClient, drain: Drain) -> None:
    skills = [{"name": name} for name in ("Python", "ＰＹＴＨＯＮ 3", "Go")]
    await api.post("/v1/candidates", json={"full_name": "Ada", "skills": skills, "current_company": "株式会社青空"})
    await api.post("/v1/candidates", json={"full_name": "Bob", "skills": skills[:1]})
    await drain()
    first = (await api.get("/v1/vocabularies/skills", params={"q": "pyt", "limit": 1, "include": "total"})).json()
    assert (first["data"], first["total"]) == ([{"value": "Python", "count": 2}], 2)
    rest = {"q": "pyt", "cursor": first["next_cursor"], "include": "total"}
    assert [each["value"] for each in (await api.get("/v1/vocabularies/skills", params=rest)).json()["data"]] == [
        "ＰＹＴＨＯＮ 3"
    ]
    companies = (await api.get("/v1/vocabularies/companies", params={"q": "青空"})).json()["data"]
    assert companies == [{"value": "株式会社青空", "count": 1}]
    mismatch = await api.get("/v1/vocabularies/skills", params={**rest, "q": "py"})
    assert (mismatch.status_code, mismatch.json()["code"]) == (400, "cursor_mismatch")


@pytest.mark.parametrize("path", ["/v1/vocabularies/shoes", "/v1/vocabularies/skills?sort=x"])
async def test_there_are_no_other_vocabularies(api: httpx.AsyncClient, path: str) -> None:
    assert (await api.get(path)).status_code in {404, 422}
