"""One meaning in three places: what SQL finds, what the predicate says, and who is kept as a member."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.criteria.predicate import holds
from app.kit.db import Database, Session, count_statements
from app.kit.ids import new_id
from app.pools import membership
from app.pools.criteria_fields import FIELDS
from app.pools.models import Pool
from app.pools.repository import MemberRepository, PersonRepository
from app.scores.models import Score
from app.touchpoints.models import Touchpoint
from tests.conftest import TenantFixture
from tests.factories.people import add_people

NOW = datetime.now(UTC)
WORDS = st.sampled_from(
    ["Python", "ＰＹＴＨＯＮ", "go", "高橋", "髙橋", "渡邉 ", "サトウ", "さとう", "Ōno", "ono", "a", ""]
)
NUMBERS = st.sampled_from([0, 1, 2.5, 20])
DAYS = st.integers(-2, 40).map(lambda days: (NOW - timedelta(days=days)).date())
MOMENTS = st.integers(-48, 24 * 40).map(lambda hours: NOW - timedelta(hours=hours, minutes=7))
SCALARS = WORDS | NUMBERS | st.booleans()
SKILL = st.fixed_dictionaries({"name": WORDS, "level": st.none() | st.integers(1, 5), "years": st.none() | NUMBERS})
PERSON = st.fixed_dictionaries(
    {
        "family_name": st.none() | WORDS,
        "other_names": st.lists(WORDS, max_size=2),
        "headline": st.none() | WORDS,
        "birth_date": st.none() | DAYS,
        "years_of_experience": st.none() | NUMBERS.map(float),
        "location": st.none()
        | st.fixed_dictionaries({"country_code": st.none() | WORDS, "region": WORDS, "city": WORDS}),
        "tags": st.lists(WORDS, max_size=2),
        "skills": st.lists(SKILL, max_size=2),
        "sources": st.lists(
            st.fixed_dictionaries({"type": WORDS, "occurred_on": DAYS.map(date.isoformat)}), max_size=2
        ),
        "custom_fields": st.dictionaries(st.sampled_from(["a", "b"]), SCALARS | st.lists(SCALARS, max_size=2)),
        "last_interaction_at": st.none() | MOMENTS,
    }
)
TOUCH = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["call", "note"]),
        "topics": st.lists(WORDS, max_size=2),
        "occurred_at": MOMENTS,
        "actor": st.sampled_from(["human", "machine", "unknown"]),
    }
)
SCORE = st.fixed_dictionaries({"fit": NUMBERS, "interest": NUMBERS, "tier": st.sampled_from(["cold", "hot"])})
CROWD = st.lists(st.tuples(PERSON, st.lists(TOUCH, max_size=2), st.none() | SCORE), min_size=1, max_size=5)
NAMES = [*FIELDS.known, "custom_fields.a", "score.other.value"]
SIMPLE: dict[str, st.SearchStrategy[Any]] = {
    "text": WORDS,
    "folded": WORDS,
    "number": NUMBERS,
    "date": DAYS.map(date.isoformat),
    "datetime": MOMENTS.map(datetime.isoformat),
    "scalar": SCALARS,
}
ELEMENTS: dict[str, st.SearchStrategy[Any]] = {
    "skills": st.fixed_dictionaries({}, optional={"name": WORDS, "level_gte": NUMBERS, "years_gte": NUMBERS}),
    "touchpoints": st.fixed_dictionaries(
        {},
        optional={
            "types": st.lists(st.sampled_from(["call", "note"]), max_size=2),
            "topics_any": st.lists(WORDS, max_size=2),
            "within_days": st.integers(0, 40),
            "min_count": st.integers(1, 2),
        },
    ),
}


def value(kind: str, op: str) -> st.SearchStrategy[Any]:
    if op == "exists":
        return st.booleans()
    if op.endswith("_days"):
        return st.integers(0, 40) | st.just(7.25)
    if op in {"in", "not_in", "has_any", "has_all"}:
        return st.lists(SIMPLE[kind], max_size=3)
    if kind == "scalar":
        return WORDS if op == "contains" else WORDS | NUMBERS
    return SIMPLE[kind]


@st.composite
def leaf(draw: st.DrawFn) -> dict[str, Any]:
    field = FIELDS.find(draw(st.sampled_from(NAMES)))
    assert field is not None
    op = draw(st.sampled_from(sorted(field.ops)))
    is_element = field.kind == "element" and op == "has"
    asked = ELEMENTS.get(field.name, st.just({"type": "a"} if "type" in field.members else {})) if is_element else None
    return {"field": field.name, "op": op, "value": draw(asked if asked is not None else value(field.kind, op))}


TREES: st.SearchStrategy[dict[str, Any]] = st.recursive(
    leaf(),
    lambda inner: st.builds(
        lambda key, nodes: {key: nodes}, st.sampled_from(["all", "any", "not"]), st.lists(inner, max_size=3)
    ),
    max_leaves=5,
)


async def populate(session: Session, crowd: list[Any]) -> None:
    for table in ("pool_members", "pools", "scores", "touchpoints", "terms", "candidates", "due"):
        await session.run(f"delete from {table}")  # noqa: S608 (constants)
    ids = await add_people(session, *(person for person, _, _ in crowd))
    for candidate_id, (_, touches, score) in zip(ids, crowd, strict=True):
        for touch in touches:
            session.add(Touchpoint(candidate_id=candidate_id, source="test", actor_by="given", data={}, **touch))
        if score is not None:
            curve = {"since": NOW - timedelta(days=3), "half_life_days": 30.0, "rank_key": 0.0, "computed_at": NOW}
            session.add(Score(model_key="default", model_version=1, candidate_id=candidate_id, **curve, **score))
    await session.flush()


def pool_of(criteria: dict[str, Any], key: str) -> Pool:
    return Pool(
        key=key,
        name=key,
        criteria=criteria,
        required_fields=[],
        score_model="default",
        channel="email",
        purpose="recruiting",
    )


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(crowd=CROWD, trees=st.lists(TREES, min_size=1, max_size=5))
async def test_sql_predicate_and_members_agree(
    database: Database, tenant: TenantFixture, crowd: list[Any], trees: list[dict[str, Any]]
) -> None:
    async with database.transaction(tenant.caller) as session:
        await populate(session, crowd)
        pools = [pool_of(tree, f"p{place}") for place, tree in enumerate(trees)]
        nested = pool_of({"not": [{"field": "pool", "op": "has", "value": "p0"}]}, "nested")
        for pool in (*pools, nested):
            pool.tenant_id = session.tenant_id
            session.add(pool)
        await session.flush()
        moment = await membership.local_now(session)
        nodes = [membership.node_of(pool) for pool in pools]
        people = [row.id for row in await session.rows("select id from candidates")]
        known = await membership.facts(session, people, nodes, moment)
        for pool, node in zip(pools, nodes, strict=True):
            expected = {each for each in people if holds(node, known[each], moment)}
            assert set(await PersonRepository(session).meeting(node, moment, None, 100)) == expected, pool.criteria
            await membership.rebuild(session, pool)
        await membership.rebuild(session, nested)
        rebuilt = await snapshot(session, people)
        assert {each for pool_id, each in rebuilt if pool_id == pools[0].id} == {
            each for each in people if holds(nodes[0], known[each], moment)
        }
        await session.run("delete from pool_members")
        await membership.recompute(session, people)
        assert await snapshot(session, people) == rebuilt


async def snapshot(session: Session, people: list[Any]) -> set[Any]:
    return {(each.pool_id, each.candidate_id) for each in await MemberRepository(session).of_people(people)}


async def test_people_and_pools_cost_no_statements_of_their_own(database: Database, tenant: TenantFixture) -> None:
    async def cost(people: int, pools: int) -> int:
        async with database.transaction(tenant.caller) as session:
            await populate(session, [({"tags": ["a"]}, [], None)] * people)
            for _ in range(pools):
                session.add(pool_of({"field": "tags", "op": "has", "value": "a"}, str(new_id())))
            await session.flush()
            ids = [row.id for row in await session.rows("select id from candidates")]
            seen: list[str] = []
            stop = count_statements(database.engine, seen)
            try:
                await membership.recompute(session, ids)
            finally:
                stop()
            return len(seen)

    few = await cost(1, 1)
    assert await cost(30, 7) == few
    assert few <= 12
