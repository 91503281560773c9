"""The one place that asks what time it is."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def now() -> datetime:
    """Return this moment in UTC, to the microsecond."""
    return datetime.now(UTC)  # noqa: TID251 (this is the replacement that the ban names)


def today(timezone: str) -> date:
    """Return the calendar day in the IANA zone `timezone`."""
    return now().astimezone(ZoneInfo(timezone)).date()
