"""Windows on the wall clock, over every zone's changes of offset."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.consent.window import Calendar, Window, is_holiday, is_in_hours, is_on_holiday, is_open, minutes, next_opening

OFFICE = Window(frozenset(range(5)), minutes("09:00"), minutes("18:00"))
TOKYO = Calendar("Asia/Tokyo", "JP")
ZONES = ["Asia/Tokyo", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Africa/Cairo"]
COUNTRIES = {"Asia/Tokyo": "JP", "Europe/Berlin": "DE", "America/New_York": "US"}

windows = st.builds(
    Window,
    st.frozensets(st.integers(0, 6), max_size=6),
    st.integers(0, 47).map(lambda half: half * 30),
    st.integers(0, 48).map(lambda half: half * 30),
    skip_holidays=st.booleans(),
)
calendars = st.sampled_from(ZONES).map(lambda zone: Calendar(zone, COUNTRIES.get(zone, "XX")))
FIRST = datetime(2025, 1, 1, tzinfo=UTC)
moments = st.timedeltas(timedelta(0), timedelta(days=1000)).map(lambda passed: FIRST + passed)
TRANSITIONS = [
    (zone, datetime(2026, month, day, hour, tzinfo=UTC))
    for zone, month, day, hour in (
        ("Europe/Berlin", 3, 29, 1),
        ("Europe/Berlin", 10, 25, 1),
        ("America/New_York", 3, 8, 7),
        ("America/New_York", 11, 1, 6),
        ("Australia/Lord_Howe", 4, 4, 15),
        ("America/Santiago", 9, 6, 4),
    )
]


def tokyo(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Tokyo"))


@given(moments, st.lists(windows, max_size=2), calendars, st.integers(1, 10_000))
def test_the_next_opening_is_the_first_instant_inside(
    moment: datetime, own: list[Window], calendar: Calendar, part: int
) -> None:
    found = next_opening(moment, own, calendar)
    if found is None:
        assert len(own) == 2, "only windows that exclude each other never open"
        return
    assert found >= moment
    assert is_open(found, own, calendar)
    for probe in (*(moment + (found - moment) * n / 50 for n in range(50)), moment + (found - moment) * part / 10_001):
        assert probe >= found or not is_open(probe, own, calendar)
    assert next_opening(found, own, calendar) == found


@given(st.sampled_from(TRANSITIONS), st.integers(-240, 240), windows)
def test_changes_of_the_clock_open_no_window_early_or_late(
    transition: tuple[str, datetime], offset: int, own: Window
) -> None:
    zone, change = transition
    moment = change + timedelta(minutes=offset)
    calendar = Calendar(zone, "XX")
    found = next_opening(moment, [own], calendar)
    assert found is not None
    until = min(found, moment + timedelta(hours=30))
    probe = moment
    while probe < until:
        assert not is_open(probe, [own], calendar)
        probe += timedelta(minutes=5)
    assert is_open(found, [own], calendar)
    assert found == moment or not is_open(found - timedelta(microseconds=1), [own], calendar)


@pytest.mark.parametrize(
    ("asked", "opens"),
    [
        ("2026-11-20T08:59:59", "2026-11-20T09:00:00"),
        ("2026-11-20T09:00:00", "2026-11-20T09:00:00"),
        ("2026-11-20T17:59:59", "2026-11-20T17:59:59"),
        ("2026-11-20T18:00:00", "2026-11-24T09:00:00"),  # Friday evening; Monday the 23rd is a public holiday
        ("2026-12-31T19:00:00", "2027-01-04T09:00:00"),  # New Year's Day is a Friday
        ("2026-09-18T18:00:00", "2026-09-24T09:00:00"),  # 21 to 23 September 2026: two holidays and the day between
    ],
)
def test_office_hours_in_tokyo(asked: str, opens: str) -> None:
    assert next_opening(tokyo(asked), [OFFICE], TOKYO) == tokyo(opens)


def test_a_window_that_passes_midnight_belongs_to_the_day_on_which_it_opens() -> None:
    night = Window(frozenset({4}), minutes("22:00"), minutes("02:00"), skip_holidays=False)
    assert is_open(tokyo("2026-11-21T01:59:59"), [night], TOKYO)
    assert not is_open(tokyo("2026-11-21T02:00:00"), [night], TOKYO)
    assert not is_open(tokyo("2026-11-20T01:00:00"), [night], TOKYO)
    assert next_opening(tokyo("2026-11-21T02:00:00"), [night], TOKYO) == tokyo("2026-11-27T22:00:00")


def test_windows_narrow_each_other_and_may_exclude_each_other() -> None:
    weekend = Window(frozenset({5, 6}), 0, 1440)
    morning = Window(frozenset(), minutes("08:00"), minutes("10:00"))
    assert next_opening(tokyo("2026-11-20T07:00:00"), [OFFICE, morning], TOKYO) == tokyo("2026-11-20T09:00:00")
    assert next_opening(tokyo("2026-11-20T07:00:00"), [OFFICE, weekend], TOKYO) is None
    assert next_opening(tokyo("2026-11-20T07:00:00"), [], TOKYO) == tokyo("2026-11-20T07:00:00")


def test_holidays_are_those_of_the_country() -> None:
    labour_thanksgiving = tokyo("2026-11-23T12:00:00")
    assert is_on_holiday(labour_thanksgiving, [OFFICE], TOKYO)
    assert is_in_hours(labour_thanksgiving, [OFFICE], TOKYO)
    assert not is_open(labour_thanksgiving, [OFFICE], TOKYO)
    assert is_open(labour_thanksgiving, [OFFICE], Calendar("Asia/Tokyo", "DE"))
    assert is_open(labour_thanksgiving, [Window(frozenset(), 540, 1080, skip_holidays=False)], TOKYO)
    assert is_holiday(date(2027, 3, 22), "JP"), "a substitute holiday"
    assert not is_holiday(date(2026, 11, 23), "XX")
