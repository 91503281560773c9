"""Comparisons for the columns of any file: their levels in SQL, for Splink, and in Python, for our scorer."""

from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler

Values = Sequence[str | None]


class Rung(NamedTuple):
    """One level with its condition; `counted` is the position of the column whose frequency weighs with it.

    In a condition {al} and {ar} are the left and right value of the first column, {bl} and {br} of the second.
    """

    name: str
    sql: str
    counted: int | None = None


class Kind(NamedTuple):
    """Levels in the order in which they are tried, the last being all else; `level` finds the same one in Python.

    `level` gives None where `missing`, a condition like those of the levels, holds.
    """

    missing: str
    rungs: Sequence[Rung]
    level: Callable[[Values, Values], str | None]


def _condition(sql: str, columns: Sequence[str]) -> str:
    names = dict(zip("abc", columns, strict=False))
    sides = {f"{letter}{side}": f'"{name}_{side}"' for letter, name in names.items() for side in "lr"}
    return sql.format(**sides)


def conditions(kind: Kind, columns: Sequence[str]) -> dict[str, str]:
    """Return level → SQL, with `missing` first."""
    rungs = {rung.name: _condition(rung.sql, columns) for rung in kind.rungs}
    return {"missing": _condition(kind.missing, columns)} | rungs


@lru_cache(maxsize=500_000)
def _winkler(a: str, b: str) -> float:
    return JaroWinkler.similarity(a, b)


@lru_cache(maxsize=500_000)
def _edits(a: str, b: str) -> int:
    return DamerauLevenshtein.distance(a, b)


def _exact(left: Values, right: Values) -> str | None:
    if left[0] is None or right[0] is None:
        return None
    return "equal" if left[0] == right[0] else "differs"


def _alike(left: Values, right: Values) -> str | None:
    a, b = left[0], right[0]
    if a is None or b is None:
        return None
    if a == b:
        return "equal"
    similarity = _winkler(a, b)
    return "alike" if similarity >= 0.92 else "similar" if similarity >= 0.85 else "differs"


def _edited(left: Values, right: Values) -> str | None:
    a, b = left[0], right[0]
    if a is None or b is None:
        return None
    if a == b:
        return "equal"
    edits = _edits(a, b)
    return "one_edit" if edits <= 1 else "two_edits" if edits <= 2 else "differs"


@lru_cache(maxsize=200_000)
def _day(text: str) -> int | None:
    try:
        return date.fromisoformat(text).toordinal()
    except ValueError:
        return None


def _dated(left: Values, right: Values) -> str | None:
    a, b = left[0], right[0]
    if a is None or b is None:
        return None
    if a == b:
        return "equal"
    if f"{a[:5]}{a[8:10]}-{a[5:7]}" == b:
        return "swapped"
    if _edits(a, b) <= 1:
        return "one_edit"
    days = _day(a), _day(b)
    apart = abs(days[0] - days[1]) if days[0] is not None and days[1] is not None else None
    if apart is None or apart > 3_650:
        return "differs"
    return "a_month" if apart <= 31 else "a_year" if apart <= 366 else "a_decade"


def _named(left: Values, right: Values) -> str | None:
    """Compare (forename, surname, both)."""
    forename, surname = (left[0], right[0]), (left[1], right[1])
    if None in forename and None in surname:
        return None
    if left[2] is not None and left[2] == right[2]:
        return "equal"
    if left[0] is not None and left[1] is not None and left[0] == right[1] and left[1] == right[0]:
        return "swapped"
    alike = [_winkler(a, b) if a is not None and b is not None else 0.0 for a, b in (forename, surname)]
    tried = (("alike", min(alike) >= 0.92), ("similar", min(alike) >= 0.85), ("surname", alike[1] == 1.0))
    return next((level for level, holds in tried if holds), "forename" if alike[0] == 1.0 else "differs")


def _posted(left: Values, right: Values) -> str | None:
    """Compare British postcodes by (whole, sector, district)."""
    if left[0] is None or right[0] is None:
        return None
    for level, a, b in zip(("equal", "sector", "district"), left, right, strict=True):
        if a == b:
            return level
    return "one_edit" if _edits(left[0], right[0]) <= 1 else "differs"


_NO_A: Final = "{al} is null or {ar} is null"
_ELSE: Final = Rung("differs", "ELSE")
_DAYS: Final = "abs(try_cast({al} as date) - try_cast({ar} as date)) <= "
_EDITS: Final = "damerau_levenshtein({al}, {ar}) <= "
_EQUAL: Final = Rung("equal", "{al} = {ar}", 0)

KINDS: Final[dict[str, Kind]] = {
    "exact": Kind(_NO_A, (_EQUAL, _ELSE), _exact),
    "alike": Kind(
        _NO_A,
        (
            _EQUAL,
            Rung("alike", "jaro_winkler_similarity({al}, {ar}) >= 0.92"),
            Rung("similar", "jaro_winkler_similarity({al}, {ar}) >= 0.85"),
            _ELSE,
        ),
        _alike,
    ),
    "edited": Kind(_NO_A, (_EQUAL, Rung("one_edit", f"{_EDITS}1"), Rung("two_edits", f"{_EDITS}2"), _ELSE), _edited),
    "dated": Kind(
        _NO_A,
        (
            _EQUAL,
            Rung("swapped", "{al}[1:5] || {al}[9:10] || '-' || {al}[6:7] = {ar}"),
            Rung("one_edit", f"{_EDITS}1"),
            Rung("a_month", f"{_DAYS}31"),
            Rung("a_year", f"{_DAYS}366"),
            Rung("a_decade", f"{_DAYS}3650"),
            _ELSE,
        ),
        _dated,
    ),
    "named": Kind(
        "({al} is null or {ar} is null) and ({bl} is null or {br} is null)",
        (
            Rung("equal", "{cl} = {cr}", 2),
            Rung("swapped", "{al} = {br} and {bl} = {ar}"),
            Rung(
                "alike",
                "jaro_winkler_similarity({al}, {ar}) >= 0.92 and jaro_winkler_similarity({bl}, {br}) >= 0.92",
            ),
            Rung(
                "similar",
                "jaro_winkler_similarity({al}, {ar}) >= 0.85 and jaro_winkler_similarity({bl}, {br}) >= 0.85",
            ),
            Rung("surname", "{bl} = {br}", 1),
            Rung("forename", "{al} = {ar}", 0),
            _ELSE,
        ),
        _named,
    ),
    "posted": Kind(
        _NO_A,
        (
            _EQUAL,
            Rung("sector", "{bl} = {br}", 1),
            Rung("district", "{cl} = {cr}", 2),
            Rung("one_edit", f"{_EDITS}1"),
            _ELSE,
        ),
        _posted,
    ),
}
"""By name: `named` takes forename, surname and both; `posted` postcode, sector and district; the others one column."""
