"""Everybody in the order of value, out of an index that knows no time.

People of one fit keep their order for ever, so each fit is a row of people that the index holds in order, and a list
joins as many rows as there are fits. *Height* is the value once more, made of the key of that index: it never
contradicts the index, as a value that was rounded elsewhere can.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from app.scores.curve import Curve

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_SLACK = 1e-9  # of a value: more than rounding can make of it; what is a hair beyond is asked again by its value

_ROUNDING = 8  # the last bits of a key in which two ways of making it may differ


@dataclass(frozen=True, slots=True)
class Place:
    """Where a list stands: the row that was told last."""

    height: float
    fit: float
    rank_key: float
    candidate_id: UUID


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the people of one fit: values from `low` up to `high`, rank keys from `first` to `last`."""

    fit: float
    low: float
    high: float
    first: float
    last: float


def height(elapsed: str, row: str = "") -> str:
    """Say a value in SQL, made of the columns of a score (`row` is `s.` where they are called so); see `elapsed`."""
    key = f"abs({row}rank_key)"
    k = f"case when {key} >= 1 then {key} - 1 else 1 - 1 / {key} end"
    interest = f"power(cast(2 as float8), least(greatest({k} - {elapsed}, -900), 900))"
    return f"{row}fit + case when {row}rank_key = 0 then 0 else sign({row}rank_key) * {interest} end"


def elapsed(at: datetime, half_life_days: float) -> float:
    """Give the half-lives from 1970 to a time: 2 to the k, less these, is the interest then (see Curve.rank_key)."""
    return (at - _EPOCH) / _DAY / half_life_days


def stretches(
    fits: Sequence[float],
    bands: Sequence[tuple[float, float]],
    at: datetime,
    half_life_days: float,
    after: Place | None,
    *,
    lowest_first: bool,
) -> Iterator[Stretch]:
    """List where in the index the people are whose value at that time is in one of the bands, beyond a place."""
    for fit in fits:
        for low, high in bands:
            first = _rank(fit, low, -_SLACK, at, half_life_days)
            last = _rank(fit, high, _SLACK, at, half_life_days)
            if after is not None and lowest_first:
                first = max(first, _beyond(fit, after, -_SLACK, at, half_life_days))
            elif after is not None:
                last = min(last, _beyond(fit, after, _SLACK, at, half_life_days))
            yield Stretch(fit, low, high, first, last)


def _beyond(fit: float, after: Place, slack: float, at: datetime, half_life_days: float) -> float:
    """Give the rank key at which people of this fit can follow a place; its equals are not beyond it."""
    if fit == after.fit:
        return math.nextafter(after.rank_key, math.copysign(math.inf, -slack))
    return _rank(fit, after.height, slack, at, half_life_days)


def _rank(fit: float, value: float, slack: float, at: datetime, half_life_days: float) -> float:
    if math.isinf(value):
        return value
    key = Curve(fit, value + slack * (1 + abs(value)) - fit, at, half_life_days).rank_key
    return key + math.copysign(_ROUNDING * math.ulp(key), slack)
