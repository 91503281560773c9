"""What must hold of scores whatever happens, against the database: sets, not orders; one formula in two languages."""

import math
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.kit.clock import now
from app.kit.db import Database, Session
from app.kit.ids import new_id
from app.scores import census, counting, holding, recount, service
from app.scores.counting import Serving
from app.touchpoints import service as touchpoints
from app.touchpoints import settlement
from app.touchpoints.schemas import TouchpointIn
from tests.conftest import TenantFixture
from tests.scale import scaled

NewTenant = Callable[[], Awaitable[TenantFixture]]

pytestmark = pytest.mark.more
THOROUGHLY: Final = settings(
    max_examples=scaled(20, 500),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
BEGIN: Final = datetime(2026, 9, 1, tzinfo=UTC)
AGENTS: Final = ("Mozilla/5.0", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/131.0 Safari/537.36", "")
TYPES: Final = (
    "email_delivered", "email_clicked", "email_clicked", "email_opened", "event_attended", "page_viewed", "rejected",
)  # fmt: skip


def _evidence(agent: str | None) -> dict[str, Any] | None:
    return None if agent is None else {"user_agent": agent}


HAPPENED = st.lists(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(TYPES),
            "occurred_at": st.integers(0, 20).map(lambda each: (BEGIN + timedelta(seconds=each * 3)).isoformat())
            | st.integers(0, 60).map(lambda each: (BEGIN + timedelta(hours=each * 12)).isoformat()),
            "source": st.sampled_from(["a", "b"]),
            "topics": st.lists(st.sampled_from(["AI", "ai", "ｗｅｂ"]), max_size=2, unique=True),
            "data": st.fixed_dictionaries(
                {},
                optional={
                    "message_id": st.sampled_from(["m", "<m>", "n"]),
                    "url": st.sampled_from(["u", "v", "w"]),
                    "event": st.just({"id": "e"}),
                },
            ),
            "evidence": st.sampled_from([None, *AGENTS]).map(_evidence),
        }
    ),
    max_size=10,
)
RULES = st.lists(
    st.fixed_dictionaries(
        {
            "types": st.lists(st.sampled_from(TYPES), min_size=1, max_size=3, unique=True),
            "topics": st.none() | st.sampled_from([["ＡＩ"], ["web", "x"]]),
            "points": st.sampled_from([5.0, 0.1, -2.0, -0.3, 30.0, 0.0]),
            "once_per": st.sampled_from(["touchpoint", "day", "message_link", "event"]),
            "cap": st.none()
            | st.fixed_dictionaries({"points": st.sampled_from([0.0, 0.5, 10.0]), "days": st.just(0.5)}),
        }
    ),
    min_size=1,
    max_size=3,
)


@pytest.fixture
async def tenants(new_tenant: NewTenant) -> list[TenantFixture]:
    """Two tenants, to whom the same events can be told."""
    return [await new_tenant(), await new_tenant()]


async def make_people(session: Session, count: int) -> list[UUID]:
    ids = [new_id() for _ in range(count)]
    await session.run("insert into candidates (id, full_name) select unnest(cast(:ids as uuid[])), 'Name'", ids=ids)
    return ids


def told(person: UUID, happened: Sequence[dict[str, Any]], run: str) -> list[TouchpointIn]:
    return [
        TouchpointIn.model_validate({"candidate_id": person, "external_id": f"{run}:{place}", **each})
        for place, each in enumerate(happened)
    ]


async def outcome(session: Session, person: UUID) -> tuple[list[Any], Any, list[Any], float]:
    """Return the timeline, the stored row and the answered parts, without what is a matter of arrival."""
    timeline = await session.rows(
        """select type, occurred_at, source, external_id, topics, data, actor, actor_reasons
           from touchpoints where candidate_id = :id order by occurred_at, source, external_id""",
        id=person,
    )
    [row] = await session.rows(
        """select fit, interest, case when interest <> 0 then since end as since, tier from scores
           where candidate_id = :id""",
        id=person,
    )
    read = (await service.scores_of(session, [person], at=BEGIN + timedelta(days=40)))[person]
    parts = [each.model_dump(exclude={"touchpoint_id"}) for each in read.contributions]
    assert math.fsum(each["decayed_points"] for each in parts) == pytest.approx(read.value, abs=1e-9)
    return [tuple(each) for each in timeline], tuple(row), parts, read.value


@THOROUGHLY
@given(happened=HAPPENED, data=st.data())
async def test_any_order_repetition_and_division_of_a_set_is_that_set(
    database: Database, tenants: list[TenantFixture], happened: list[dict[str, Any]], data: st.DataObject
) -> None:
    run = str(new_id())
    repeated = [*range(len(happened)), *data.draw(st.lists(st.sampled_from(range(len(happened) or 1)), max_size=4))]
    shuffled = data.draw(st.permutations([each for each in repeated if each < len(happened)]))
    parted = data.draw(st.integers(0, len(shuffled)))
    found = []
    for tenant, batches in ((tenants[0], [range(len(happened))]), (tenants[1], [shuffled[:parted], shuffled[parted:]])):
        async with database.transaction(tenant.caller) as session:
            [person] = await make_people(session, 1)
        items = told(person, happened, run)
        for batch in batches:
            async with database.transaction(tenant.caller) as session:
                await touchpoints.ingest(session, [items[place] for place in batch])
        async with database.transaction(tenant.caller) as session:
            await settlement.settle(session, [person])
            await recount.recompute(session, [person])
            found.append(await outcome(session, person))
    assert found[0] == found[1]


def serving(rules: list[dict[str, Any]], half_life_days: float) -> Serving:
    written = {
        "key": "law",
        "half_life_days": half_life_days,
        "interest_rules": [{"rule": f"r{place}", **each} for place, each in enumerate(rules)],
        "fit_rules": [
            {"rule": "known", "when": {"field": "full_name", "op": "exists", "value": True}, "points": 3.5},
            {"rule": "never", "when": {"field": "tags", "op": "has", "value": "none"}, "points": 9.0},
        ],
        "tiers": [{"key": "low", "from": None}, {"key": "mid", "from": 4.0}, {"key": "high", "from": 20.0}],
    }
    return Serving.of(written, 1, "Asia/Tokyo", is_published=True)


@THOROUGHLY
@given(
    rules=RULES,
    crowd=st.lists(HAPPENED, min_size=1, max_size=5),
    half_life_days=st.sampled_from([0.0001, 0.5, 30.0, 1e9]),
    constants=st.sets(st.sampled_from([-5.0, 3.5, 7.0, 100.0])),
    days=st.sampled_from([3, 11, 31, 800]),
)
async def test_the_statement_and_the_formula_are_one(
    database: Database,
    tenant: TenantFixture,
    rules: list[dict[str, Any]],
    crowd: list[list[dict[str, Any]]],
    half_life_days: float,
    constants: set[float],
    days: int,
) -> None:
    one, at = serving(rules, half_life_days), BEGIN + timedelta(days=days)
    async with database.transaction(tenant.caller) as session:
        people = await make_people(session, len(crowd))
        for person, happened in zip(people, crowd, strict=True):
            await touchpoints.ingest(session, told(person, happened, str(new_id())))
        held = await holding.held(session, one.fit, people, at)
        assert set(held.values()) == {frozenset({"known"})}
        counted = await census.count(session, one, one.fit_points(people, held), constants, at)
        rows = await session.rows(
            "select * from scores where model_key = 'law' and candidate_id = any(:ids)", ids=people
        )
        stored = {row.candidate_id: row for row in rows}
        assert stored.keys() == set(people) - set(counted.left)
        timelines = await touchpoints.signals_of(session, people)
        for person, row in stored.items():
            timeline = timelines.get(person, [])
            score = one.score_held(timeline, held[person], at)
            arrival = counting.next_arrival(timeline, at)
            _same(row, counting.row(one, person, score, constants, arrival, at), at)
            assert counted.again.get(person) == row.next_event_at


def _same(row: Any, expected: dict[str, Any], at: datetime) -> None:
    assert (row.fit, row.since, row.half_life_days, row.computed_at) == tuple(
        expected[name] for name in ("fit", "since", "half_life_days", "computed_at")
    )
    assert row.interest == pytest.approx(expected["interest"], abs=1e-9)
    assert row.tier == expected["tier"]
    if abs(row.interest) > 1e-6:
        assert row.rank_key == pytest.approx(expected["rank_key"], rel=1e-9)
    for name in ("tier_changes_at", "next_event_at"):
        found, wanted = getattr(row, name), expected[name]
        assert (found is None) == (wanted is None), (name, found, wanted)
        if found is not None:
            assert abs(found - wanted) <= timedelta(milliseconds=1), (name, found, wanted)
            assert found >= at


async def test_a_sweep_by_the_formula_finds_nothing_to_mend(database: Database, tenant: TenantFixture) -> None:
    async with database.transaction(tenant.caller) as session:
        people = await make_people(session, 20)
        for place, person in enumerate(people):
            for count in range(place):
                moment = now() - timedelta(days=count * 3)
                body = {"candidate_id": person, "type": TYPES[count % len(TYPES)], "occurred_at": moment, "source": "s"}
                await touchpoints.ingest(session, [TouchpointIn.model_validate(body)])
        await recount.recount(session, people)
    async with database.transaction(tenant.caller) as session:
        assert await recount.prove(session, people) == 0
        await session.run("update scores set interest = interest + 0.000001 where candidate_id = :id", id=people[9])
        assert await recount.prove(session, people) == 1
