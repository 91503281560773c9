"""Walking a list while it grows: who was there at the beginning comes exactly once, in the order asked for."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.kit.db import Database
from tests.conftest import TenantFixture
from tests.factories.people import add_people
from tests.scale import scaled

pytestmark = pytest.mark.more
START: Final = datetime(2026, 1, 1, tzinfo=UTC)
SORTS: Final = (
    "created_at", "updated_at", "full_name", "family_name_kana", "birth_date", "last_interaction_at",
    "years_of_experience",
)  # fmt: skip

Grow = Callable[[], Awaitable[None]]


@st.composite
def person(draw: st.DrawFn) -> dict[str, Any]:
    """Somebody of whom any of what is sorted by may be missing, and may be the same as another's."""
    number = draw(st.integers(0, 3))
    values = {
        "full_name": f"Name {number}",
        "family_name_kana": "サシスセ"[number],
        "birth_date": (START + timedelta(days=number)).date(),
        "last_interaction_at": START + timedelta(hours=number),
        "years_of_experience": number / 2,
    }
    moments = {name: START + timedelta(minutes=draw(st.integers(0, 3))) for name in ("created_at", "updated_at")}
    kept = {name: value for name, value in values.items() if draw(st.booleans())}
    return {**kept, **moments, "tags": draw(st.sampled_from([[], ["x"], ["X", "y"]]))}


@settings(
    max_examples=scaled(25, 1_000),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    people=st.lists(person(), min_size=1, max_size=8),
    others=st.lists(person(), min_size=1, max_size=4),
    sort=st.sampled_from(SORTS),
    descending=st.booleans(),
    limit=st.integers(1, 4),
    filters=st.sampled_from([{}, {"tag": ["x"]}, {"tag": ["x", "y"], "status": ["active"]}, {"q": "name"}]),
    searches=st.booleans(),
)
async def test_candidates(
    api: httpx.AsyncClient,
    database: Database,
    tenant: TenantFixture,
    people: list[dict[str, Any]],
    others: list[dict[str, Any]],
    sort: str,
    descending: bool,
    limit: int,
    filters: dict[str, Any],
    searches: bool,
) -> None:
    async with database.transaction(tenant.caller) as session:
        await session.run("delete from terms")
        await session.run("delete from candidates")
        ids = [str(each) for each in await add_people(session, *people)]
    newcomers = iter(others)

    async def grow() -> None:
        async with database.transaction(tenant.caller) as session:
            await add_people(session, *([one] if (one := next(newcomers, None)) else []))

    asked = {**filters, "sort": f"-{sort}" if descending else sort, "limit": limit, "fields": ["id"]}
    seen = await (searched if searches and "tag" not in filters else walked)(api, "/v1/candidates", asked, grow)
    known = dict(zip(ids, people, strict=True))
    expected = {each for each, one in known.items() if _fits(one, filters)}
    assert sorted(each for each in seen if each in known) == sorted(expected)
    values = [known[each].get(sort) for each in seen if each in expected]
    filled = [value for value in values if value is not None]
    assert filled == sorted(filled, reverse=descending)
    assert values[len(filled) :] == [None] * (len(values) - len(filled))


def _fits(one: dict[str, Any], filters: dict[str, Any]) -> bool:
    wanted = set(filters.get("tag", ()))
    return ("q" not in filters or "full_name" in one) and (
        not wanted or bool(wanted & {*map(str.casefold, one["tags"])})
    )


async def walked(api: httpx.AsyncClient, path: str, asked: dict[str, Any], grow: Grow, key: str = "id") -> list[str]:
    """Follow the cursors of a list to its end, which grows between any two pages."""
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await api.get(path, params={**asked, **cursor})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert (page["next_cursor"] is None) is not page["has_more"]
        seen += [each[key] for each in page["data"]]
        if not page["has_more"]:
            return seen
        cursor = {"cursor": page["next_cursor"]}
        await grow()


async def searched(api: httpx.AsyncClient, path: str, asked: dict[str, Any], grow: Grow) -> list[str]:
    """Walk as `walked` does, by searches."""
    seen: list[str] = []
    body = {name: value for name, value in asked.items() if name != "status"}
    while True:
        answer = await api.post(f"{path}/search", json=body)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        seen += [each["id"] for each in page["data"]]
        if not page["has_more"]:
            return seen
        body["cursor"] = page["next_cursor"]
        await grow()


@pytest.mark.parametrize("limit", [1, 2, 3])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/custom-fields", {"key": "k{n}", "name": "K", "type": "text"}),
        ("/v1/saved-searches", {"key": "k{n}", "name": "K"}),
        ("/v1/pools", {"key": "k{n}", "name": "K", "criteria": {"any": []}}),
        ("/v1/contents", {"key": "k{n}", "kind": "article", "title": "K", "url": "https://example.com/{n}"}),
        ("/v1/suppressions", {"channel": "email", "value": "k{n}@example.com", "reason": "manual"}),
    ],
)
async def test_lists_of_what_is_kept(api: httpx.AsyncClient, path: str, body: dict[str, Any], limit: int) -> None:
    made = 0

    async def grow() -> None:
        nonlocal made
        made += 1
        filled = {
            name: value.replace("{n}", str(made)) if isinstance(value, str) else value for name, value in body.items()
        }
        assert (answer := await api.post(path, json=filled)).status_code == 201, answer.text

    for _ in range(5):
        await grow()
    known = [each["id"] for each in (await api.get(path)).json()["data"]]
    seen = await walked(api, path, {"limit": limit}, grow)
    assert [each for each in seen if each in known] == known


@pytest.mark.parametrize("limit", [1, 2])
async def test_records_words_members_and_touchpoints(
    api: httpx.AsyncClient, drain: Callable[[], Awaitable[int]], limit: int
) -> None:
    made = 0

    async def grow() -> None:
        nonlocal made
        made += 1
        path = f"/v1/candidates/by-external-id/x/{made % 2}"
        person = (await api.put(path, json={"full_name": f"N{made % 2}", "tags": [f"t{made}"]})).json()["id"]
        signal = {"candidate_id": person, "type": "call", "occurred_at": f"2026-01-0{made}T00:00:00Z", "source": "x"}
        await api.post("/v1/touchpoints", json=signal)
        await api.post("/v1/candidates", json={"full_name": f"Other {made}"})
        await drain()

    pool = (await api.post("/v1/pools", json={"key": "k", "name": "K", "criteria": {"all": []}})).json()["id"]
    for _ in range(4):
        await grow()
    one = (await api.get("/v1/candidates", params={"external_id": "x:1"})).json()["data"][0]["id"]
    for path, key in (
        (f"/v1/candidates/{one}/records", "record_id"),
        ("/v1/vocabularies/tags", "value"),
        (f"/v1/pools/{pool}/members", "candidate_id"),
        (f"/v1/candidates/{one}/touchpoints", "id"),
        ("/v1/touchpoints", "id"),
    ):
        made = min(made, 8)
        known = [each[key] for each in (await api.get(path)).json()["data"]]
        seen = await walked(api, path, {"limit": limit}, grow, key)
        assert [each for each in seen if each in known] == known, path


@pytest.mark.parametrize(
    ("path", "first", "other"),
    [
        ("/v1/candidates", {}, {"sort": "full_name"}),
        ("/v1/candidates", {"tag": "x"}, {"tag": "y"}),
        ("/v1/candidates", {"tag": "x"}, {}),
        ("/v1/candidates", {"q": "name"}, {"q": "nam"}),
        ("/v1/candidates", {}, {"include": "total"}),
        ("/v1/candidates", {}, {"created_at_gte": "2020-01-01T00:00:00Z"}),
    ],
)
async def test_a_cursor_with_other_filters_is_refused(
    api: httpx.AsyncClient,
    database: Database,
    tenant: TenantFixture,
    path: str,
    first: dict[str, Any],
    other: dict[str, Any],
) -> None:
    async with database.transaction(tenant.caller) as session:
        await add_people(session, *({"full_name": "Name", "tags": ["x", "y"]} for _ in range(3)))
    cursor = (await api.get(path, params={**first, "limit": 1})).json()["next_cursor"]
    refused = await api.get(path, params={**other, "cursor": cursor})
    assert (refused.status_code, refused.json()["code"]) == (400, "cursor_mismatch")
    assert (await api.get(path, params={**first, "cursor": cursor, "limit": 200})).status_code == 200
