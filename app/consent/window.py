"""When a contact may leave: half-open windows `[from, to)` on the wall clock of the person's zone.

An instant is inside when its wall clock is: an hour that a zone skips is no opening, one that it repeats opens twice.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import holidays

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HORIZON_DAYS: Final = 400
"""How far an opening is looked for: beyond a year, so that a window of one weekday passes its holidays."""
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Window:
    """`opens` (below 1440) and `closes` (up to it) are minutes from midnight.

    Closing at or before opening means on the next day.

    `weekdays` are those on which it opens, Monday 0; none named means every day.
    """

    weekdays: frozenset[int]
    opens: int
    closes: int
    skip_holidays: bool = True


@dataclass(frozen=True, slots=True)
class Calendar:
    """Where the person is: an IANA zone and an ISO 3166-1 alpha-2 country, whose public holidays count."""

    zone: str
    country_code: str


def minutes(clock: str) -> int:
    """Read `HH:MM`, 00:00 to 24:00, as minutes from midnight; raises ValueError."""
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)


def is_holiday(day: date, country_code: str) -> bool:
    """Whether `day` is a public holiday of the country; a country that is not known has none."""
    calendar = _holidays(country_code)
    return calendar is not None and day in calendar


def is_open(moment: datetime, windows: Sequence[Window], calendar: Calendar) -> bool:
    """Whether `moment` is inside all `windows`."""
    local = moment.astimezone(ZoneInfo(calendar.zone))
    return all(_covers(window, local, calendar.country_code) for window in windows)


def is_in_hours(moment: datetime, windows: Sequence[Window], calendar: Calendar) -> bool:
    """Whether `moment` is inside all `windows` as they would be without holidays."""
    local = moment.astimezone(ZoneInfo(calendar.zone))
    return all(_covers(window, local, None) for window in windows)


def is_on_holiday(moment: datetime, windows: Sequence[Window], calendar: Calendar) -> bool:
    """Whether `moment` falls on a public holiday that one of `windows` skips."""
    day = moment.astimezone(ZoneInfo(calendar.zone)).date()
    return any(window.skip_holidays for window in windows) and is_holiday(day, calendar.country_code)


def next_opening(moment: datetime, windows: Sequence[Window], calendar: Calendar) -> datetime | None:
    """Return the first instant from `moment` on that is inside all `windows`, in UTC; None when none is near."""
    if is_open(moment, windows, calendar):
        return moment.astimezone(UTC)
    zone = ZoneInfo(calendar.zone)
    first = moment.astimezone(zone).date() - _DAY
    for number in range(HORIZON_DAYS):
        edges = (edge for edge in _edges(first + number * _DAY, windows, zone) if edge > moment)
        found = min((edge for edge in edges if is_open(edge, windows, calendar)), default=None)
        if found is not None:
            return found
    return None


def _covers(window: Window, local: datetime, country_code: str | None) -> bool:
    wall = timedelta(hours=local.hour, minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    opens, closes = timedelta(minutes=window.opens), timedelta(minutes=window.closes)
    today = local.date()
    if opens < closes:
        return opens <= wall < closes and _opens_on(window, today, country_code)
    return (wall >= opens and _opens_on(window, today, country_code)) or (
        wall < closes and _opens_on(window, today - _DAY, country_code)
    )


def _opens_on(window: Window, day: date, country_code: str | None) -> bool:
    if window.weekdays and day.weekday() not in window.weekdays:
        return False
    return not (window.skip_holidays and country_code is not None and is_holiday(day, country_code))


def _edges(day: date, windows: Sequence[Window], zone: ZoneInfo) -> Iterator[datetime]:
    """Yield every instant of `day` at which a window may open: its hour, midnight, a change of the zone's offset."""
    midnight = datetime.combine(day, time(), zone)
    for minute in {0, *(window.opens for window in windows)}:
        for fold in (0, 1):
            yield (midnight + timedelta(minutes=minute)).replace(fold=fold).astimezone(UTC)
    start, end = midnight.astimezone(UTC), (midnight + _DAY).replace(fold=1).astimezone(UTC)
    if start.astimezone(zone).utcoffset() != end.astimezone(zone).utcoffset():
        yield _change(start, end, zone)


def _change(start: datetime, end: datetime, zone: ZoneInfo) -> datetime:
    """Return the second between `start` and `end` from which on the zone has its new offset."""
    old = start.astimezone(zone).utcoffset()
    low, high = 0, int((end - start).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if (start + timedelta(seconds=middle)).astimezone(zone).utcoffset() == old:
            low = middle
        else:
            high = middle
    return start + timedelta(seconds=high)


@lru_cache(maxsize=256)
def _holidays(country_code: str) -> holidays.HolidayBase | None:
    try:
        return holidays.country_holidays(country_code)
    except NotImplementedError:
        return None
