"""Dates as Japanese files hold them."""

import re
from datetime import date, timedelta

from app.normalise.text import clean

# First days: Imperial ordinance of 1868 (Meiji, counted from the first day of that year); ordinance of 1912-07-30
# (Taisho); of 1926-12-25 (Showa); cabinet order no. 1 of 1989 (Heisei, in force 01-08); no. 143 of 2019 (Reiwa, 05-01).
_ERAS = {
    "明治": (date(1868, 1, 25), date(1912, 12, 31)),
    "大正": (date(1912, 7, 30), date(1926, 12, 31)),
    "昭和": (date(1926, 12, 25), date(1989, 12, 31)),
    "平成": (date(1989, 1, 8), date(2019, 12, 31)),
    "令和": (date(2019, 5, 1), date(9999, 12, 31)),
}
_ERA_LETTERS = dict(zip("mtshr", _ERAS, strict=True))
_ERA_SIGNS = dict(zip("明大昭平令", _ERAS, strict=True))
_TAIL = r"(?:\s*\([月火水木金土日](?:曜日?)?\))?(?:[t\s]+\d{1,2}[:時].*)?"
_WESTERN = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?" + _TAIL)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_ERA = re.compile(
    r"(明治|大正|昭和|平成|令和|[mtshr明大昭平令])[.\s]*(元|\d{1,2})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?"
    + _TAIL
)
_SERIAL = re.compile(r"(\d{1,7})(?:\.\d*)?")
_SERIAL_EPOCH = date(1899, 12, 30)
_LEAP_DAY_THAT_NEVER_WAS = 60
_DASH = re.compile("[‐‑‒–—―−ー]")


def parse_date(text: str, *, is_excel_serial: bool = False) -> date:
    """Read a day; a time of day behind it is ignored.

    2024-04-01, 2024/4/1, 2024.4.1, 2024年4月1日, 20240401, 令和6年4月1日, R6.4.1, 昭60.1.2; digits are Arabic.
    With `is_excel_serial` a bare number is days in the 1900 system of spreadsheets. Raises ValueError for anything
    else and for days that never were: 2023-02-29, 昭和元年12月24日 (before the era's first day), 平成32年 (after the
    calendar year in which the era ended).
    """
    cleaned = _DASH.sub("-", clean(text).lower())
    if is_excel_serial and (serial := _SERIAL.fullmatch(cleaned)):
        return _from_serial(int(serial[1]))
    if found := _WESTERN.fullmatch(cleaned) or _COMPACT.fullmatch(cleaned):
        return date(int(found[1]), int(found[2]), int(found[3]))
    if found := _ERA.fullmatch(cleaned):
        return _from_era(found)
    raise ValueError("not a date")


def _from_serial(days: int) -> date:
    """Count as in ECMA-376 part 1, 18.17.4.1: day 1 is 1900-01-01, and the 1900 system has a 29 February 1900."""
    if days in {0, _LEAP_DAY_THAT_NEVER_WAS}:
        raise ValueError("not a day of the calendar")
    try:
        return _SERIAL_EPOCH + timedelta(days=days + (days < _LEAP_DAY_THAT_NEVER_WAS))
    except OverflowError:
        raise ValueError("a serial beyond the calendar") from None


def _from_era(found: re.Match[str]) -> date:
    sign = found[1]
    era = _ERA_LETTERS.get(sign) or _ERA_SIGNS.get(sign) or sign
    first, last = _ERAS[era]
    year = 1 if found[2] == "元" else int(found[2])
    day = date(first.year + year - 1, int(found[3]), int(found[4]))
    if year < 1 or not first <= day <= last:
        raise ValueError("outside the era")
    return day
