import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.scores.default_model import DEFAULT_MODEL
from app.scores.definition import Definition
from app.scores.formula import Counted, Score, Signal, count, curve_of, score
from app.scores.schemas import ScoreModelDefinition

T0 = datetime(2026, 11, 1, 12, tzinfo=UTC)
TIERS = [{"key": "cold", "from": None}, {"key": "warm", "from": 20}, {"key": "hot", "from": 50}]


def model(*rules: dict[str, Any], **more: Any) -> Definition:
    written: dict[str, Any] = {"key": "m", "half_life_days": 30, "interest_rules": list(rules), "tiers": TIERS}
    return Definition.of(ScoreModelDefinition.model_validate(written | more), "Asia/Tokyo")


def rule(points: float, **more: Any) -> dict[str, Any]:
    return {"rule": "clicked", "types": ["email_clicked"], "points": points} | more


def click(name: str, days: float = 0, **more: Any) -> Signal:
    given = {"source": "s", "external_id": name} | more
    return Signal(id=f"id-{name}", type="email_clicked", occurred_at=T0 + timedelta(days=days), **given)


def points(counting: Definition, *signals: Signal) -> dict[str, float]:
    return {each.signal.id.removeprefix("id-"): each.points for each in count(counting, signals)}


def now(counting: Definition, *signals: Signal, days: float = 0, held: tuple[str, ...] = ()) -> Score:
    return score(counting, signals, held, T0 + timedelta(days=days))


def test_interest_halves_with_every_half_life_and_fit_stays() -> None:
    fit = [{"rule": "python", "when": {"field": "tags", "op": "has", "value": "x"}, "points": 10}]
    counting = model(rule(16), fit_rules=fit)
    given = now(counting, click("a"), days=60, held=("python",))
    assert (given.fit, given.interest, given.value) == (10, 4, 14)
    assert [(each.kind, each.points, each.decayed_points) for each in given.contributions] == [
        ("fit", 10, 10),
        ("interest", 16, 4),
    ]


def test_nobody_did_anything() -> None:
    given = now(model(rule(5)))
    assert (given.value, given.tier, given.tier_changes_at, given.contributions) == (0, "cold", None, ())


def test_actors_weigh_and_a_machine_takes_no_slot() -> None:
    counting = model(rule(8, once_per="day", cap={"points": 10, "days": 7}), unknown_weight=0.25)
    machine, unknown = click("a", actor="machine"), click("b", 0.01, actor="unknown")
    assert points(counting, machine, unknown, click("c", 0.02), click("d", 1)) == {"b": 2, "d": 8}


def test_topics_are_compared_folded() -> None:
    counting = model(rule(1, topics=["ＡＩ", "web"]))
    assert points(counting, click("a", topics=("ai",)), click("b", topics=("x",)), click("c")) == {"a": 1}


def test_one_touchpoint_may_serve_several_rules() -> None:
    counting = model(rule(1), rule(2, rule="other"))
    assert [each.points for each in count(counting, [click("a")])] == [1, 2]


@pytest.mark.parametrize(
    ("once_per", "signals", "counted"),
    [
        ("touchpoint", [click("a"), click("b"), click("a")], {"a", "b"}),
        # 12:00Z + 0.1 d is still 1 November in Tokyo, + 0.125 d is not.
        ("day", [click("a"), click("b", 0.124), click("c", 0.125)], {"a", "c"}),
        (
            "message_link",
            [
                click("a", message_id="<m>", url="u"),
                click("b", 1, message_id="m", url="u"),
                click("c", 2, message_id="m", url="v"),
                click("d", 3, message_id="m"),
                click("e", 4, message_id="m"),
            ],
            {"a", "c", "d", "e"},
        ),
        (
            "event",
            [click("a", event_id="e"), click("b", 1, event_id="e"), click("c"), click("d")],
            {"a", "c", "d"},
        ),
    ],
)
def test_once_per(once_per: str, signals: list[Signal], counted: set[str]) -> None:
    assert points(model(rule(1, once_per=once_per)), *signals).keys() == counted


def test_ties_go_by_source_then_external_id_by_code_point() -> None:
    counting = model(rule(1, once_per="day"))
    assert points(counting, click("a", source="b"), click("b", source="Z")).keys() == {"b"}
    assert points(counting, click("é"), click("z"), click("Z")).keys() == {"Z"}
    unnamed = Signal("0", "email_clicked", T0, "s")
    assert points(counting, click("1"), unnamed).keys() == {"0"}


@pytest.mark.parametrize(("each", "first", "last"), [(3, 3, 1), (-3, -3, -1)])
def test_a_cap_clips_the_last_one_in_a_rolling_window(each: float, first: float, last: float) -> None:
    counting = model(rule(each, cap={"points": 7, "days": 2}))
    found = points(counting, click("a"), click("b", 1), click("c", 1.5), click("d", 1.9), click("e", 2))
    assert found == {"a": first, "b": first, "c": last, "e": first}


def test_a_cap_leaves_no_crumbs() -> None:
    counting = model(rule(0.1, cap={"points": 0.3, "days": 7}))
    assert len(points(counting, *(click(str(each), each / 10) for each in range(9)))) == 3


def test_the_future_counts_from_its_moment_on() -> None:
    counting, coming = model(rule(20)), click("b", 1)
    assert now(counting, coming).value == 0
    assert now(counting, coming, days=1).value == 20


def test_long_spans_do_not_overflow() -> None:
    counting = model(rule(20), half_life_days=0.0001)
    old = Signal("1", "email_clicked", datetime.min.replace(tzinfo=UTC), "s")
    last = score(counting, [old], (), datetime.max.replace(tzinfo=UTC))
    assert (last.value, last.tier, last.tier_changes_at) == (0, "cold", None)
    assert math.isfinite(last.curve.rank_key)


def test_the_ends_of_the_calendar_have_a_day() -> None:
    counting = model(rule(1, once_per="day"))
    assert list(count(counting, [Signal("1", "email_clicked", datetime.max.replace(tzinfo=UTC), "s")]))


def test_the_default_model_ranks_deeds_above_looks() -> None:
    counting = Definition.of(DEFAULT_MODEL, "Asia/Tokyo")

    def tier(*types: str) -> str:
        return now(counting, *(Signal(str(i), each, T0, "s") for i, each in enumerate(types))).tier

    assert tier("email_opened", "email_clicked", "page_viewed") == "cold"
    assert tier("email_replied") == tier("event_attended") == tier("casual_interview") == "warm"
    assert tier("event_attended", "email_replied") == "hot"
    assert tier("event_attended", "email_replied", "email_complained") == "cold"


SIGNALS = st.lists(
    st.builds(
        lambda number, hours, **more: Signal(
            id=f"id-{number}", occurred_at=T0 + timedelta(hours=hours), **more, external_id=f"x{number}"
        ),
        st.integers(0, 10**6),
        st.integers(0, 24 * 30),
        type=st.sampled_from(["email_clicked", "email_opened"]),
        source=st.sampled_from(["a", "b"]),
        actor=st.sampled_from(["human", "unknown", "machine"]),
        message_id=st.sampled_from(["m", "<m>", None]),
        url=st.sampled_from(["u", "v", None]),
        event_id=st.sampled_from(["e", None]),
    ),
    max_size=25,
    unique_by=lambda each: each.id,
)
RULES = st.lists(
    st.fixed_dictionaries(
        {
            "types": st.sampled_from([["email_clicked"], ["email_clicked", "email_opened"]]),
            "points": st.sampled_from([5, 0.1, -2, -0.3, 7.7]),
            "once_per": st.sampled_from(["touchpoint", "day", "message_link", "event"]),
            "cap": st.none()
            | st.fixed_dictionaries({"points": st.sampled_from([0, 0.5, 3, 10]), "days": st.sampled_from([0.5, 1, 7])}),
        }
    ),
    min_size=1,
    max_size=3,
)


def numbered(rules: list[dict[str, Any]]) -> Definition:
    return model(*({"rule": f"r{index}"} | each for index, each in enumerate(rules)))


@settings(max_examples=100)
@given(rules=RULES, signals=SIGNALS, data=st.data())
def test_any_order_and_any_repetition_give_the_same(
    rules: list[dict[str, Any]], signals: list[Signal], data: st.DataObject
) -> None:
    repeated = signals + (data.draw(st.lists(st.sampled_from(signals), max_size=5)) if signals else [])
    shuffled = data.draw(st.permutations(repeated))
    at = T0 + timedelta(days=20)
    assert score(numbered(rules), shuffled, (), at) == score(numbered(rules), signals, (), at)


@settings(max_examples=100)
@given(rules=RULES, signals=SIGNALS, hours=st.integers(0, 24 * 400))
def test_contributions_sum_to_the_value_and_so_does_the_curve(
    rules: list[dict[str, Any]], signals: list[Signal], hours: int
) -> None:
    counting, at = numbered(rules), T0 + timedelta(hours=hours)
    given = score(counting, signals, (), at)
    assert math.fsum(each.decayed_points for each in given.contributions) == pytest.approx(given.value, abs=1e-9)
    assert curve_of(counting, signals, (), at) == given.curve
    later = at + timedelta(days=11)
    if all(each.occurred_at <= at for each in signals):
        assert given.curve.value(later) == pytest.approx(score(counting, signals, (), later).value, abs=1e-9)


@settings(max_examples=100)
@given(rules=RULES, signals=SIGNALS)
def test_no_window_holds_more_than_its_cap(rules: list[dict[str, Any]], signals: list[Signal]) -> None:
    counting = numbered(rules)
    counted = list(count(counting, signals))
    for each in counted:
        if limit := each.rule.limit:
            start = each.signal.occurred_at - limit.span
            window = (other for other in counted if other.rule is each.rule and _within(other, start, each))
            assert math.fsum(abs(other.points) for other in window) <= limit.points + 1e-9


def _within(other: Counted, start: datetime, each: Counted) -> bool:
    return start < other.signal.occurred_at <= each.signal.occurred_at
