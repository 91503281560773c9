"""When things happen: waits, retries, and how long a mail may be put off."""

import re
from collections.abc import Collection
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.consent.window import WEEKDAYS, Window, minutes

PATIENCE: Final = timedelta(days=14)
"""How long after its due time a mail may be put off before it is refused."""
MOST_FAILURES: Final = 12
LONGEST_PAUSE_S: Final = 3600.0
SPREAD: Final = 0.2
LONGEST_WAIT: Final = timedelta(days=3660)
_DURATION: Final = re.compile(
    r"P(?:(?P<weeks>\d{1,4})W)?(?:(?P<days>\d{1,4})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,5})H)?(?:(?P<minutes>\d{1,6})M)?(?:(?P<seconds>\d{1,8})S)?)?",
    re.ASCII,
)


def duration(text: str) -> timedelta:
    """Read an ISO 8601 duration of weeks, days, hours, minutes and seconds (`P1DT2H`), at most ten years.

    Months and years have no fixed length and are refused. Raises ValueError.
    """
    match = _DURATION.fullmatch(text)
    parts = {name: int(value) for name, value in match.groupdict().items() if value} if match else {}
    if not parts:
        raise ValueError
    length = timedelta(**parts)
    if length > LONGEST_WAIT:
        raise ValueError
    return length


def next_local(since: datetime, clock: str, weekdays: Collection[str], zone: str) -> datetime:
    """Return the first instant after `since`, in UTC, when it is `clock` (HH:MM) in `zone` on one of `weekdays`.

    No weekdays means any day. A time that the zone skips is taken at the moment when the clock goes on; of one that it
    repeats, the first counts.
    """
    place = ZoneInfo(zone)
    hour, minute = divmod(minutes(clock) % (24 * 60), 60)
    wanted = {WEEKDAYS.index(day) for day in weekdays} or set(range(7))
    day = since.astimezone(place).date()
    while True:
        moment = datetime.combine(day, time(hour, minute), place).astimezone(UTC)
        if moment > since and day.weekday() in wanted:
            return moment
        day += timedelta(days=1)


def retry_at(moment: datetime, failures: int, base_s: float, chance: float) -> datetime:
    """Return when to try again after the `failures`-th failure (from 1).

    The pause starts at `base_s` seconds and doubles up to an hour; `chance` in [0, 1) spreads it over ±20 %.
    """
    pause = min(base_s * 2.0 ** min(failures - 1, 30), LONGEST_PAUSE_S)
    return moment + timedelta(seconds=pause * (1 + SPREAD * (2 * chance - 1)))


def window_of(weekdays: Collection[str], opens: str, closes: str, *, skip_holidays: bool) -> Window:
    """Return the window of a definition, whose words are those of the tenant's window."""
    days = frozenset(WEEKDAYS.index(day) for day in weekdays)
    return Window(days, minutes(opens), minutes(closes), skip_holidays)
