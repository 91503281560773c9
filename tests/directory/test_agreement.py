"""Criteria have one meaning: search, predicate and pool agree about every person."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.criteria import predicate
from app.kit.clock import now
from app.kit.db import Database
from app.pools import membership
from app.pools.criteria_fields import FIELDS, read
from tests.conftest import TenantFixture
from tests.factories.people import add_people
from tests.scale import scaled

pytestmark = pytest.mark.more
EXAMPLES: Final = scaled(15, 1_000)
PEOPLE_OF_A_LOT: Final = 6
NOW: Final = datetime(2026, 1, 15, 12, tzinfo=UTC)

WORDS = st.sampled_from(["Python", "ＰＹＴＨＯＮ", "python", "go", "Go", "データ分析", "ﾃﾞｰﾀ分析", ""])
NAMES = st.sampled_from(["佐藤", "左藤", "髙橋", "高橋", "渡邉", "渡辺", "Sato", "SATŌ", "さとう", "サトウ", "o'Brien"])
CITIES = st.sampled_from(["東京", "大阪", "Osaka", "osaka"])
YEARS = st.sampled_from([0.0, 1.0, 3.5, 10.0])
DAYS = st.integers(0, 900).map(lambda days: (NOW - timedelta(days=days)).date())
MOMENTS = st.integers(0, 900).map(lambda days: NOW - timedelta(days=days))
TYPES = st.sampled_from(["event", "form", "Event"])


def maybe(some: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | some


def several(some: st.SearchStrategy[Any], key: Callable[[Any], Any] | None = None) -> st.SearchStrategy[list[Any]]:
    return st.lists(some, max_size=3, unique_by=key or (lambda item: item))


PERSON = st.fixed_dictionaries(
    {
        "full_name": maybe(NAMES),
        "family_name": maybe(NAMES),
        "family_name_kana": maybe(st.sampled_from(["サトウ", "タカハシ"])),
        "other_names": several(NAMES),
        "birth_date": maybe(DAYS),
        "headline": maybe(WORDS),
        "current_company": maybe(WORDS),
        "location": maybe(
            st.fixed_dictionaries({"country_code": maybe(st.just("JP")), "region": st.none(), "city": maybe(CITIES)})
        ),
        "skills": several(
            st.fixed_dictionaries({"name": WORDS, "level": maybe(st.integers(1, 5)), "years": maybe(YEARS)}),
            lambda item: item["name"],
        ),
        "years_of_experience": maybe(YEARS),
        "interests": several(WORDS),
        "tags": several(WORDS),
        "sources": several(
            st.fixed_dictionaries(
                {"type": TYPES, "name": maybe(WORDS), "occurred_on": maybe(DAYS.map(str)), "detail": st.none()}
            ),
            lambda item: (item["type"], item["name"]),
        ),
        "custom_fields": st.dictionaries(st.sampled_from(["a", "b"]), WORDS | YEARS | st.booleans(), max_size=2),
        "last_interaction_at": maybe(MOMENTS),
    }
)
VALUES: Final[dict[str, st.SearchStrategy[Any]]] = {
    "number": YEARS,
    "date": DAYS.map(str),
    "datetime": MOMENTS.map(datetime.isoformat),
    "bool": st.booleans(),
    "scalar": WORDS | YEARS | st.booleans(),
}
NAMED: Final = {"location.city": CITIES, "sources.type": TYPES, "sources.name": WORDS, "score.tier": st.just("cold")}
ELEMENTS: Final[dict[str, st.SearchStrategy[Any]]] = {
    "skills": st.fixed_dictionaries({}, optional={"name": WORDS, "level_gte": st.integers(1, 5), "years_gte": YEARS}),
    "sources": st.fixed_dictionaries({}, optional={"type": TYPES, "name": WORDS}),
    "touchpoints": st.fixed_dictionaries({}, optional={"types": st.just(["call"]), "within_days": st.integers(1, 900)}),
}
ASKED: Final = [
    "full_name", "family_name", "family_name_kana", "other_names", "birth_date", "headline", "current_company",
    "location.city", "location.country_code", "skills.name", "skills.level", "skills", "years_of_experience",
    "interests", "tags", "sources.type", "sources.name", "sources.occurred_on", "sources", "custom_fields.a",
    "custom_fields.b", "last_interaction_at", "score.tier", "score.value", "touchpoints", "status", "version",
]  # fmt: skip


@st.composite
def leaf(draw: st.DrawFn) -> dict[str, Any]:
    """Ask any field by any of its ops with a value of its kind."""
    field = FIELDS.find(draw(st.sampled_from(ASKED)))
    assert field is not None
    op = draw(st.sampled_from(sorted(field.ops)))
    one = NAMED.get(field.name, VALUES.get(field.kind, NAMES if "name" in field.name else WORDS))
    value: st.SearchStrategy[Any] = one
    if op == "exists":
        value = st.booleans()
    elif op.endswith("_days"):
        value = st.integers(0, 900)
    elif op in {"in", "not_in", "has_any", "has_all"}:
        value = st.lists(one, max_size=3)
    elif field.kind == "element":
        value = ELEMENTS[field.name]
    elif op == "contains" or (field.kind == "scalar" and op not in {"eq", "ne", "has"}):
        value = WORDS
    return {"field": field.name, "op": op, "value": draw(value)}


TREES = st.recursive(
    leaf(),
    lambda inner: st.builds(
        lambda key, nodes: {key: nodes}, st.sampled_from(["all", "any", "not"]), st.lists(inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(people=st.lists(PERSON, min_size=1, max_size=PEOPLE_OF_A_LOT), trees=st.lists(TREES, min_size=1, max_size=6))
async def test_search_predicate_and_pool_agree(
    api: httpx.AsyncClient,
    database: Database,
    tenant: TenantFixture,
    drain: Callable[[], Awaitable[int]],
    people: list[dict[str, Any]],
    trees: list[dict[str, Any]],
) -> None:
    ids = await replaced(database, tenant, people)
    pools = [await pool_of(api, f"p{place}-{ids[0]}", tree) for place, tree in enumerate(trees)]
    await drain()
    for tree, pool in zip(trees, pools, strict=True):
        answer = await api.post("/v1/candidates/search", json={"criteria": tree, "limit": 200})
        found = shown(answer, "id")
        assert found == await meeting(database, tenant, ids, tree), tree
        assert found == shown(await api.get(f"/v1/pools/{pool}/members", params={"limit": 200}), "candidate_id"), tree


async def pool_of(api: httpx.AsyncClient, key: str, criteria: dict[str, Any]) -> str:
    made = await api.post("/v1/pools", json={"key": key, "name": "P", "criteria": criteria})
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


async def replaced(database: Database, tenant: TenantFixture, people: list[dict[str, Any]]) -> list[UUID]:
    """Put these people in the place of those who are there."""
    async with database.transaction(tenant.caller) as session:
        for table in ("pool_members", "pools", "scores", "terms", "counted", "candidates", "due"):
            await session.run(f"delete from {table}")  # noqa: S608 (constants)
        return await add_people(session, *people)


async def meeting(database: Database, tenant: TenantFixture, ids: list[UUID], tree: dict[str, Any]) -> set[str]:
    """Say who meets the criteria, by looking at each."""
    node, moment = read(tree, ""), now().astimezone(ZoneInfo("Asia/Tokyo"))
    async with database.transaction(tenant.caller) as session:
        known = await membership.facts(session, ids, [node], moment)
    return {str(each) for each, facts in known.items() if predicate.holds(node, facts, moment)}


def shown(answer: httpx.Response, key: str) -> set[str]:
    assert answer.status_code == 200, answer.text
    return {each[key] for each in answer.json()["data"]}
