"""Lists, searches and reads of candidates over HTTP."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.candidates.models import Alias, Candidate
from app.kit.db import Database, count_statements
from app.kit.ids import new_id
from tests.conftest import TenantFixture
from tests.factories.people import add_people

START = datetime(2026, 1, 1, tzinfo=UTC)
PEOPLE: list[dict[str, Any]] = [
    {
        "full_name": "佐藤 花子",
        "family_name": "佐藤",
        "given_name": "花子",
        "family_name_kana": "サトウ",
        "given_name_kana": "ハナコ",
        "tags": ["Backend", "remote"],
        "skills": [{"name": "Python", "level": 4, "years": 5}],
        "interests": ["databases"],
        "sources": [{"type": "event_participant", "name": "Tech Night", "occurred_on": "2026-05-20", "detail": None}],
        "current_company": "Example KK",
        "years_of_experience": 5,
        "location": {"country_code": "JP", "region": None, "city": "Tokyo"},
    },
    {
        "full_name": "髙橋 一郎",
        "family_name": "髙橋",
        "given_name": "一郎",
        "family_name_kana": "タカハシ",
        "tags": ["backend"],
        "skills": [{"name": "python", "level": 2, "years": 1}, {"name": "Go", "level": None, "years": None}],
        "location": {"country_code": "JP", "region": None, "city": "Osaka"},
    },
    {"full_name": "渡邉 次郎", "family_name": "渡邉", "given_name": "次郎", "family_name_kana": "ワタナベ"},
    {"full_name": "Ken Sato", "family_name": "Sato", "given_name": "Ken", "years_of_experience": 12.5},
]


@pytest.fixture
async def people(database: Database, tenant: TenantFixture) -> list[str]:
    """Four people, a minute apart."""
    rows = [{**person, "created_at": START + timedelta(minutes=place)} for place, person in enumerate(PEOPLE)]
    async with database.transaction(tenant.caller) as session:
        return [str(each) for each in await add_people(session, *rows)]


async def found(api: httpx.AsyncClient, people: list[str], **query: Any) -> list[int]:
    """Return which people a list holds, by their place in `people`, in the order of the list."""
    answer = await api.get("/v1/candidates", params=query)
    assert answer.status_code == 200, answer.text
    return [people.index(each["id"]) for each in answer.json()["data"]]


async def test_a_candidate_is_read_under_its_etag(api: httpx.AsyncClient, people: list[str]) -> None:
    answer = await api.get(f"/v1/candidates/{people[0]}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["ETag"] == '"v1"'
    candidate = answer.json()
    assert candidate["full_name"] == "佐藤 花子"
    assert candidate["skills"] == [{"name": "Python", "level": 4, "years": 5.0}]
    assert candidate["can_contact"] is False
    again = await api.get(f"/v1/candidates/{people[0]}", headers={"If-None-Match": '"v1"'})
    assert (again.status_code, again.content) == (304, b"")


async def test_unknown_malformed_and_foreign_ids_are_404(
    api: httpx.AsyncClient, people: list[str], new_tenant: Any, client_of: Callable[[str], httpx.AsyncClient]
) -> None:
    assert (await api.get(f"/v1/candidates/{new_id()}")).status_code == 404
    assert (await api.get("/v1/candidates/x")).status_code == 404
    stranger = client_of((await new_tenant()).key)
    assert (await stranger.get(f"/v1/candidates/{people[0]}")).status_code == 404
    assert (await stranger.get("/v1/candidates")).json()["data"] == []


async def test_an_old_id_answers_the_survivor(
    api: httpx.AsyncClient, people: list[str], database: Database, tenant: TenantFixture
) -> None:
    old = new_id()
    async with database.transaction(tenant.caller) as session:
        session.add(Candidate(id=old, full_name="old", merged_into=UUID(people[0])))
        await session.flush()
        session.add(Alias(old_id=old, candidate_id=UUID(people[0])))
    answer = await api.get(f"/v1/candidates/{old}")
    assert answer.headers["Content-Location"] == f"/v1/candidates/{people[0]}"
    assert answer.json()["id"] == people[0]
    assert answer.json()["merged_ids"] == [str(old)]
    for part in ("records", "touchpoints", "score", "consents", "brief", "export"):
        below = await api.get(f"/v1/candidates/{old}/{part}")
        assert below.headers["Content-Location"] == f"/v1/candidates/{people[0]}/{part}"
    assert await found(api, people) == [3, 2, 1, 0]


async def test_hidden_people_are_listed_only_when_asked_for(
    api: httpx.AsyncClient, people: list[str], database: Database, tenant: TenantFixture
) -> None:
    async with database.transaction(tenant.caller) as session:
        await session.run("update candidates set hidden_at = now() where id = :id", id=UUID(people[1]))
    assert await found(api, people) == [3, 2, 0]
    assert await found(api, people, status="hidden") == [1]
    assert await found(api, people, status=["hidden", "active"]) == [3, 2, 1, 0]
    assert (await api.get(f"/v1/candidates/{people[1]}")).status_code == 404


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ({"tag": "BACKEND"}, [1, 0]),
        ({"tag": ["remote", "none"]}, [0]),
        ({"tag": "backend", "skill": "go"}, [1]),
        ({"interest": "ｄａｔａｂａｓｅｓ"}, [0]),
        ({"source_type": "event_participant"}, [0]),
        ({"source": "Tech Night"}, [0]),
        ({"created_at_gte": "2026-01-01T00:01:00Z", "created_at_lt": "2026-01-01T00:03:00Z"}, [2, 1]),
        ({"last_interaction_at_gte": "2026-01-01T00:01:00Z"}, []),
        ({"external_id": "greenhouse:7"}, []),
        ({"pool_id": "01999999-0000-7000-8000-000000000000"}, []),
        ({"sort": "created_at"}, [0, 1, 2, 3]),
        ({"sort": "years_of_experience"}, [0, 3, 1, 2]),
        ({"sort": "-years_of_experience"}, [3, 0, 2, 1]),
        ({"sort": "family_name_kana"}, [0, 1, 2, 3]),
    ],
)
async def test_filters_and_sorts(api: httpx.AsyncClient, people: list[str], query: Any, places: list[int]) -> None:
    assert await found(api, people, **query) == places


@pytest.mark.parametrize(
    ("q", "places"),
    [
        ("佐藤", [0]),
        ("サトウ", [3, 0]),
        ("さとう", [3, 0]),
        ("Sato", [3, 0]),
        ("satoh", [3, 0]),
        ("ｓａｔｏ", [3, 0]),
        ("髙橋", [1]),
        ("高橋", [1]),
        ("ﾀｶﾊｼ", [1]),
        ("たかはし", [1]),
        ("渡邉", [2]),
        ("渡辺", [2]),
        ("花", [0]),
        ("佐藤花子", [0]),
        ("hanako sat", [0]),
        ("python", [1, 0]),
        ("example", [0]),
        ("nobody", []),
        ("・・", []),
        (" ", [3, 2, 1, 0]),
    ],
)
async def test_q_finds_names_in_every_spelling(
    api: httpx.AsyncClient, people: list[str], q: str, places: list[int]
) -> None:
    assert await found(api, people, q=q) == places
    answer = await api.post("/v1/candidates/search", json={"q": q})
    assert [people.index(each["id"]) for each in answer.json()["data"]] == places


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"limit": 0}, 422, "limit_out_of_range"),
        ({"limit": 201}, 422, "limit_out_of_range"),
        ({"nonsense": 1}, 422, "unknown_parameter"),
        ({"sort": "phone"}, 400, "sort_not_allowed"),
        ({"cursor": "abc"}, 400, "cursor_invalid"),
        ({"external_id": "greenhouse"}, 422, "invalid_filter"),
        ({"pool_id": "x"}, 422, "invalid"),
        ({"status": "erased"}, 422, "invalid"),
        ({"created_at_gte": "yesterday"}, 422, "invalid"),
    ],
)
async def test_what_a_list_refuses(api: httpx.AsyncClient, query: Any, status: int, code: str) -> None:
    answer = await api.get("/v1/candidates", params=query)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_cursor_is_bound_to_filters_and_sort_but_not_to_the_limit(
    api: httpx.AsyncClient, people: list[str]
) -> None:
    first = (await api.get("/v1/candidates", params={"limit": 1, "sort": "full_name", "include": "total"})).json()
    assert (first["has_more"], first["total"], first["total_is_capped"]) == (True, len(people), False)
    rest = {"cursor": first["next_cursor"], "sort": "full_name", "include": "total"}
    more = (await api.get("/v1/candidates", params=rest)).json()
    assert (len(more["data"]), more["has_more"], more["next_cursor"]) == (3, False, None)
    for changed in ({"sort": "-full_name"}, {"tag": "x"}, {"include": None}):
        params = {name: value for name, value in {**rest, **changed}.items() if value is not None}
        answer = await api.get("/v1/candidates", params=params)
        assert (answer.status_code, answer.json()["code"]) == (400, "cursor_mismatch")
    assert "total" not in (await api.get("/v1/candidates")).json()


async def test_search_takes_criteria_text_total_and_facets(api: httpx.AsyncClient, people: list[str]) -> None:
    body: dict[str, Any] = {
        "criteria": {"all": [{"field": "skills.name", "op": "has", "value": "PYTHON"}]},
        "sort": "full_name",
        "include": ["total"],
        "facets": [
            "tags",
            "skills.name",
            "sources.type",
            "current_company",
            "location.city",
            "interests",
            "score.tier",
        ],
    }
    answer = await api.post("/v1/candidates/search", json=body)
    assert answer.status_code == 200, answer.text
    page = answer.json()
    assert [people.index(each["id"]) for each in page["data"]] == [0, 1]
    assert page["total"] == 2
    assert page["facets"] == {
        "tags": [{"value": value, "count": 1} for value in ("Backend", "backend", "remote")],
        "skills.name": [{"value": value, "count": 1} for value in ("Go", "Python", "python")],
        "sources.type": [{"value": "event_participant", "count": 1}],
        "current_company": [{"value": "Example KK", "count": 1}],
        "location.city": [{"value": "Osaka", "count": 1}, {"value": "Tokyo", "count": 1}],
        "interests": [{"value": "databases", "count": 1}],
        "score.tier": [{"value": "cold", "count": 2}],
    }
    assert "facets_are_capped" not in page


async def test_search_pages_by_its_body(api: httpx.AsyncClient, people: list[str]) -> None:
    seen: list[int] = []
    cursor: str | None = None
    while True:
        body = {"criteria": {"all": []}, "limit": 3, "cursor": cursor, "facets": ["tags"]}
        page = (await api.post("/v1/candidates/search", json=body)).json()
        seen += [people.index(each["id"]) for each in page["data"]]
        assert bool(page["facets"]) is (cursor is None)
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [3, 2, 1, 0]


@pytest.mark.parametrize(
    ("criteria", "pointer", "code"),
    [
        ({"field": "shoe_size", "op": "eq", "value": 1}, "/criteria/field", "unknown_field"),
        ({"all": [{"field": "tags", "op": "gt", "value": "a"}]}, "/criteria/all/0/op", "unknown_op"),
        ({"not": [{"field": "birth_date", "op": "eq", "value": "x"}]}, "/criteria/not/0/value", "wrong_type"),
    ],
)
async def test_wrong_criteria_are_422_with_their_pointer(
    api: httpx.AsyncClient, criteria: Any, pointer: str, code: str
) -> None:
    answer = await api.post("/v1/candidates/search", json={"criteria": criteria})
    assert answer.status_code == 422
    assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [(pointer, code)]


@pytest.mark.parametrize(
    ("leaf", "places"),
    [
        ({"field": "family_name", "op": "eq", "value": "高橋"}, [1]),
        ({"field": "family_name", "op": "in", "value": ["渡辺", "SATO"]}, [3, 2]),
        ({"field": "full_name", "op": "contains", "value": "橋一"}, [1]),
        ({"field": "family_name_kana", "op": "eq", "value": "たかはし"}, [1]),
        ({"field": "family_name", "op": "ne", "value": "渡邊"}, [3, 1, 0]),
        ({"field": "skills", "op": "has", "value": {"name": "python", "years_gte": 3}}, [0]),
        ({"field": "location.city", "op": "eq", "value": "Osaka"}, [1]),
        ({"field": "current_company", "op": "exists", "value": False}, [3, 2, 1]),
        ({"field": "pool", "op": "exists"}, []),
        ({"field": "version", "op": "gt", "value": 1}, []),
        ({"field": "version", "op": "eq", "value": 1}, [3, 2, 1, 0]),
    ],
)
async def test_criteria_ask_profile_fields(
    api: httpx.AsyncClient, people: list[str], leaf: Any, places: list[int]
) -> None:
    answer = await api.post("/v1/candidates/search", json={"criteria": leaf})
    assert [people.index(each["id"]) for each in answer.json()["data"]] == places


async def test_a_search_names_the_place_of_a_pool_that_is_not_there(api: httpx.AsyncClient) -> None:
    tree = {"any": [{"not": [{"field": "pool", "op": "has_any", "value": ["nowhere"]}]}]}
    answer = await api.post("/v1/candidates/search", json={"criteria": tree})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert [each["pointer"] for each in answer.json()["errors"]] == ["/criteria/any/0/not/0/value"]


@pytest.mark.usefixtures("people")
async def test_a_page_costs_the_same_statements_however_many_it_shows(
    api: httpx.AsyncClient, database: Database, tenant: TenantFixture
) -> None:
    async def cost(**query: Any) -> int:
        seen: list[str] = []
        stop = count_statements(database.engine, seen)
        try:
            assert (await api.get("/v1/candidates", params=query)).status_code == 200
        finally:
            stop()
        return len(seen)

    async def least(**query: Any) -> int:
        """The first may have to find the caller again, whose key is remembered for a while only."""
        return min([await cost(**query) for _ in range(2)])

    few = await least(limit=1)
    async with database.transaction(tenant.caller) as session:
        await add_people(session, *({"full_name": f"P{place}"} for place in range(60)))
    assert await least(limit=50) <= few
    assert few <= 12


def value_of(column: str, year: float | None) -> Any:
    """Return a value of the column that rises with the year, and is missing where it may be."""
    if column == "updated_at":
        return START + timedelta(days=year or 0)
    if year is None:
        return None
    moment = START + timedelta(days=year)
    values = {"years_of_experience": year, "full_name": f"Name {year}", "birth_date": moment.date()}
    return values.get(column, moment)


SORTS = st.sampled_from(["updated_at", "full_name", "birth_date", "last_interaction_at", "years_of_experience"])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    years=st.lists(st.none() | st.sampled_from([0.0, 1.5, 3.0]), min_size=1, max_size=9),
    limit=st.integers(1, 4),
    descending=st.booleans(),
    column=SORTS,
)
async def test_walking_the_pages_visits_everybody_once_nulls_last(
    api: httpx.AsyncClient,
    database: Database,
    tenant: TenantFixture,
    years: list[float | None],
    limit: int,
    descending: bool,
    column: str,
) -> None:
    async with database.transaction(tenant.caller) as session:
        await session.run("delete from terms")
        await session.run("delete from candidates")
        ids = await add_people(session, *({column: value_of(column, year)} for year in years))
    known = {str(each): value_of(column, year) for each, year in zip(ids, years, strict=True)}
    seen: list[str] = []
    cursor: str | None = None
    while True:
        query: dict[str, Any] = {"sort": f"-{column}" if descending else column, "limit": limit}
        page = (await api.get("/v1/candidates", params=query | ({"cursor": cursor} if cursor else {}))).json()
        seen += [each["id"] for each in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    filled = sorted((each for each in known if known[each] is not None), key=lambda each: (known[each], each))
    empty = sorted(each for each in known if known[each] is None)
    assert seen == (filled[::-1] + empty[::-1] if descending else filled + empty)
