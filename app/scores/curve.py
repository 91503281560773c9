"""A score over time, in closed form.

All interest decays alike, so one number is enough: value(t) = fit + I · 2^(-(t - t₀)/h). With I > 0 the value falls
towards fit, with I < 0 it rises towards it; it never crosses or reaches fit itself.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Curve:
    """`amount` is the interest at `since`; before `since` the curve is held at its first value."""

    fit: float
    amount: float
    since: datetime
    half_life_days: float

    def interest(self, at: datetime) -> float:
        return self.amount * decay(at - self.since, self.half_life_days)

    def value(self, at: datetime) -> float:
        return self.fit + self.interest(at)

    def next_crossing(self, constants: Iterable[float], now: datetime) -> datetime | None:
        """Give the next moment, not before `now`, at which the value equals one of the constants.

        A falling value leaves a band that begins there after that moment, a rising one enters it at that moment.
        None when there is none, or when it lies beyond the year 9999.
        """
        value = self.value(now)
        if self.amount > 0:
            ahead = max((each for each in constants if self.fit < each <= value), default=None)
        else:
            ahead = min((each for each in constants if value < each < self.fit), default=None)
        if ahead is None or self.amount == 0:
            return None
        return self._reaches(ahead, now)

    def _reaches(self, constant: float, now: datetime) -> datetime | None:
        halvings = math.log2(abs(self.amount)) - math.log2(abs(constant - self.fit))
        try:
            moment = self.since + timedelta(days=halvings * self.half_life_days)
        except OverflowError:
            return None
        return max(moment, now)

    @property
    def rank_key(self) -> float:
        """Give a number that orders people of one fit by value, the same at every time.

        value(t) - fit = ±2^(k - t/h) with k = log₂|I| + t₀/h: the order is that of k, and reversed below zero. k is
        mapped to (0, ∞) without loss of precision, so that the sign tells who is above and who below fit.
        """
        if self.amount == 0:
            return 0.0
        k = math.log2(abs(self.amount)) + (self.since - _EPOCH) / _DAY / self.half_life_days
        return math.copysign(k + 1 if k >= 0 else 1 / (1 - k), self.amount)


def decay(age: timedelta, half_life_days: float) -> float:
    """Give the part that is left after this age: 1 at once (and before), ½ after one half-life, never an overflow."""
    return math.exp2(-max(age / _DAY, 0.0) / half_life_days)
