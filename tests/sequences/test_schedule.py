"""When things happen: laws of waits and pauses."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.consent.window import WEEKDAYS
from app.sequences import schedule

MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (the strategy adds the zone)
ZONES = st.sampled_from(["Asia/Tokyo", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"])
CLOCKS = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59))
DAYS = st.lists(st.sampled_from(WEEKDAYS), unique=True)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("PT1S", 1), ("P1DT2H3M4S", 93784), ("P2W", 1209600), ("PT90M", 5400), ("PT0S", 0), ("P7D", 604800)],
)
def test_durations_are_read(text: str, seconds: int) -> None:
    assert schedule.duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "P", "PT", "P1M", "P1Y", "1D", "P-1D", "P1.5D", "P1DT", "P٣D", "P9999W"])
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        schedule.duration(text)


@given(MOMENTS, CLOCKS, DAYS, ZONES)
def test_the_next_local_time_is_the_first_after_the_moment(
    since: datetime, clock: str, days: list[str], zone: str
) -> None:
    found = schedule.next_local(since, clock, days, zone)
    local = found.astimezone(ZoneInfo(zone))
    assert found > since
    assert found - since <= timedelta(days=8, hours=2)
    assert not days or WEEKDAYS[local.weekday()] in days
    hour, minute = map(int, clock.split(":"))
    is_skipped = local.replace(tzinfo=None) != local.replace(hour=hour, minute=minute, tzinfo=None)
    assert not is_skipped or zone not in {"Asia/Tokyo", "UTC"}


@given(MOMENTS, st.integers(1, 50), st.floats(0.01, 3600), st.floats(0, 1, exclude_max=True))
def test_pauses_double_up_to_an_hour_and_spread_by_a_fifth(
    moment: datetime, failures: int, base_s: float, chance: float
) -> None:
    pause = (schedule.retry_at(moment, failures, base_s, chance) - moment).total_seconds()
    middle = min(base_s * 2 ** (failures - 1), 3600)
    assert 0.8 * middle - 1e-5 <= pause <= 1.2 * middle + 1e-5
