"""What one cell says: a day, years, a list of words, a place, the end of a selection."""

import math
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date
from typing import Any, Final

from app.candidates.custom_fields import Definition, FieldType
from app.normalise.dates import parse_date
from app.normalise.text import clean

_SERIAL: Final = re.compile(r"\d{5}(\.\d*)?")
_SEPARATOR: Final = re.compile(r"[、，,;；|\n・]|(?<!I)(?<!CI)(?<!PL)(?<!UI)(?<!TCP)(?<!S)[/／]")
_CONTACTS: Final = re.compile(r"[、，,;；|\n]|\s/\s")
_YEARS: Final = re.compile(
    r"(?:約|およそ)?\s*(\d{1,3}(?:\.\d+)?)\s*(?:年間?|years?|yrs?)?\s*(?:(\d{1,2})\s*[ヶかカケ箇]?月|(半))?\s*(?:以上|程度|ほど|弱|強|\+)?"
)
_NONE_YET: Final = frozenset({"未経験", "なし", "無し", "無"})
_REGION: Final = re.compile(r"(?:〒?\d{3}-?\d{4}\s*)?(東京都|北海道|(?:京都|大阪)府|..県|...県)?\s*(.*)")
_CITY: Final = re.compile(
    r"((?:四日市|廿日市|野々市|八日市|市川|市原|余市|.)?[^\d\s市区町村]*?(?:市[^\d\s市区町村]{1,4}区|市|区|[町村]))"
)

RESULTS: Final[Mapping[str, str]] = {
    "内定辞退": "offer_declined",
    "オファー辞退": "offer_declined",
    "内定承諾": "hired",
    "入社": "hired",
    "採用決定": "hired",
    "採用": "hired",
    "hired": "hired",
    "内定": "offered",
    "オファー": "offered",
    "offered": "offered",
    "辞退": "offer_declined",
    "選考辞退": "offer_declined",
    "面接辞退": "offer_declined",
    "declined": "offer_declined",
    "offerdeclined": "offer_declined",
    "withdrawn": "offer_declined",
    "不採用": "rejected",
    "不合格": "rejected",
    "見送り": "rejected",
    "お見送り": "rejected",
    "採用見送り": "rejected",
    "選考中止": "rejected",
    "書類落ち": "rejected",
    "書類選考落ち": "rejected",
    "書類不合格": "rejected",
    "面接不合格": "rejected",
    "一次不合格": "rejected",
    "二次不合格": "rejected",
    "最終不合格": "rejected",
    "落選": "rejected",
    "rejected": "rejected",
    "notselected": "rejected",
}
"""The word in the file → the type of touchpoint. Who withdrew ended it themselves, as who declines an offer does: they
count as `offer_declined`, so that no cooling-off after a rejection is held against them."""


def day(text: str) -> date:
    """Read a day, also a spreadsheet's serial of five digits (from 1927 on); raises ValueError."""
    return parse_date(text, is_excel_serial=_SERIAL.fullmatch(clean(text)) is not None)


def years(text: str) -> float:
    """Read years of experience: 5, 5年, 5.5, 3年6ヶ月, 約10年以上, 2年半, 未経験; else raises ValueError."""
    cleaned = clean(text).lower()
    if cleaned in _NONE_YET:
        return 0.0
    found = _YEARS.fullmatch(cleaned)
    if found is None:
        raise ValueError("not a number of years")
    months = 6 if found[3] else int(found[2] or 0)
    total = round(float(found[1]) + months / 12, 2)
    if total > 100:  # noqa: PLR2004 (a life)
        raise ValueError("more years than a life has")
    return total


def words(text: str) -> list[str]:
    """Split a list of words at 、 , / ・ and their kin; CI/CD, I/O, PL/SQL, TCP/IP, UI/UX and S/4HANA stay whole."""
    return list(dict.fromkeys(word for part in _SEPARATOR.split(text) if (word := part.strip())))


def contacts(text: str) -> list[str]:
    """Split a cell that holds several addresses or numbers."""
    return list(dict.fromkeys(part.strip() for part in _CONTACTS.split(text) if part.strip()))


def place(address: str) -> dict[str, str]:
    """Take prefecture and city from a Japanese address; the rest of an address is nobody's business here."""
    cleaned = clean(address)
    found = _REGION.match(cleaned)
    region, rest = (found[1], found[2]) if found else (None, cleaned)
    city = _CITY.match(rest)
    return {name: value for name, value in (("region", region), ("city", city[1] if city else None)) if value}


def result(text: str) -> str | None:
    """Return the type of touchpoint that a selection's result means, None for a word that is not known."""
    return RESULTS.get(re.sub(r"[\s_\-]", "", clean(text).lower()))


TRUTHS: Final[Mapping[str, bool]] = {
    **dict.fromkeys(("true", "yes", "y", "1", "はい", "有", "有り", "あり", "可", "○", "〇", "◯"), True),
    **dict.fromkeys(("false", "no", "n", "0", "いいえ", "無", "無し", "なし", "不可", "×"), False),
}


def as_defined(text: str, definition: Definition | None) -> Any:  # noqa: ANN401 (any JSON value)
    """Return what a cell says of a custom field, of the type it is defined with; else as it is written."""
    reader = _READERS.get(definition.type) if definition else None
    if reader is not None:
        with suppress(ValueError, KeyError):
            return reader(text)
    return text


def _number(text: str) -> float:
    number = float(clean(text).replace(",", ""))
    if not math.isfinite(number):
        raise ValueError("not finite")
    return number


_READERS: Final[Mapping[FieldType, Callable[[str], Any]]] = {
    "number": _number,
    "boolean": lambda text: TRUTHS[clean(text).lower()],
    "date": lambda text: day(text).isoformat(),
    "choices": words,
}
