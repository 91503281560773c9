from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.scores.curve import Curve

T0 = datetime(2026, 11, 1, tzinfo=UTC)
CURVES = st.builds(
    Curve,
    fit=st.sampled_from([0.0, 10.0, -5.5, 20.0, 49.9]),
    amount=st.floats(-100, 100).filter(lambda amount: abs(amount) > 0.001),
    since=st.integers(0, 1000).map(lambda hours: T0 + timedelta(hours=hours)),
    half_life_days=st.sampled_from([0.5, 7.0, 30.0, 365.0]),
)
CONSTANTS = (-20.0, 0.0, 20.0, 50.0)


def at(days: float) -> datetime:
    return T0 + timedelta(days=days)


def test_a_falling_value_leaves_after_the_moment() -> None:
    curve = Curve(fit=10, amount=80, since=T0, half_life_days=30)
    assert curve.next_crossing((20, 50), T0) == at(30)
    assert curve.value(at(30)) == 50
    assert curve.next_crossing((20, 50), at(31)) == at(90)
    assert curve.next_crossing((20, 50), at(91)) is None


def test_a_rising_value_enters_at_the_moment() -> None:
    curve = Curve(fit=30, amount=-40, since=T0, half_life_days=30)
    assert curve.next_crossing((0, 20, 30), T0) == T0 + timedelta(days=30 * 0.4150374992788438)
    assert curve.next_crossing((20, 30), T0) == at(60)
    assert curve.next_crossing((20, 30), at(60)) is None  # 30 is approached and never reached


def test_no_interest_and_times_beyond_the_calendar_have_no_crossing() -> None:
    assert Curve(fit=20, amount=0, since=T0, half_life_days=30).next_crossing((20,), T0) is None
    assert Curve(fit=0, amount=1, since=T0, half_life_days=36_500).next_crossing((1e-30,), T0) is None
    assert Curve(fit=0, amount=1, since=T0, half_life_days=36_500).next_crossing((1e-300,), T0) is None


def test_before_its_origin_a_curve_is_flat() -> None:
    curve = Curve(fit=0, amount=8, since=T0, half_life_days=0.0001)
    assert curve.value(T0 - timedelta(days=100_000)) == 8


@settings(max_examples=150)
@given(curve=CURVES, hours=st.integers(0, 24 * 90))
def test_the_closed_form_equals_bisection(curve: Curve, hours: int) -> None:
    now = curve.since + timedelta(hours=hours)
    found = curve.next_crossing(CONSTANTS, now)
    bisected = _bisected(curve, now, found)
    if found is None:
        assert bisected is None
    else:
        assert bisected is not None
        assert abs(found - bisected) < timedelta(seconds=1)


def _band(curve: Curve, moment: datetime) -> int:
    """Count the constants below; the fit is never crossed, but after fifty halvings a float does not show it."""
    return sum(curve.value(moment) >= constant for constant in CONSTANTS if constant != curve.fit)


def _bisected(curve: Curve, now: datetime, found: datetime | None) -> datetime | None:
    low, high = now, (found or now) + timedelta(days=20 * curve.half_life_days)
    first = _band(curve, low)
    if _band(curve, high) == first:
        return None
    while high - low > timedelta(microseconds=1):
        middle = low + (high - low) / 2
        changed = _band(curve, middle) != first
        low, high = (low, middle) if changed else (middle, high)
    return high


@settings(max_examples=150)
@given(one=CURVES, two=CURVES, days=st.sampled_from([0.0, 3.0, 20.0]))
def test_rank_keys_order_people_of_one_fit_at_every_time(one: Curve, two: Curve, days: float) -> None:
    other = Curve(one.fit, two.amount, two.since, one.half_life_days)
    moment = max(one.since, other.since) + timedelta(days=days * one.half_life_days / 30)
    left, right = one.interest(moment), other.interest(moment)
    if left != pytest.approx(right, rel=1e-9):
        assert (left > right) == (one.rank_key > other.rank_key)
