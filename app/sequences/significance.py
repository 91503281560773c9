"""Whether one wording really does better than another, or the difference may be chance.

Pearson's chi-squared test of homogeneity over "answered" against "did not", which for two wordings is the two-sided
z-test of two proportions. Below five expected of each kind (Cochran's rule) the approximation does not hold, and
nothing is said. How many more are needed is the usual sample size for two proportions at 80 % power.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

LEVEL: Final = 0.05
LEAST_EXPECTED: Final = 5.0
_Z_LEVEL: Final = 1.959964
_Z_POWER: Final = 0.841621

Verdict = Literal["too_few", "not_significant", "significant"]


@dataclass(frozen=True, slots=True)
class Arm:
    """One wording: to how many people it was sent, and how many of them answered."""

    key: str
    sent: int
    answered: int

    @property
    def rate(self) -> float:
        return self.answered / self.sent if self.sent else 0.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """What may be said: `best` leads so far, `p_value` is how often chance alone would do as much.

    `needed` is how many people each wording needs before a difference as large as the present one could be trusted;
    None while there is no difference.
    """

    verdict: Verdict
    best: str | None
    p_value: float | None
    needed: int | None


def compare(arms: Sequence[Arm]) -> Comparison:
    """Compare wordings; each of them counts people once."""
    used = [arm for arm in arms if arm.sent]
    best = max(used, key=lambda arm: arm.rate, default=None)
    worst = min(used, key=lambda arm: arm.rate, default=None)
    is_even = best is None or worst is None or best.rate == worst.rate
    name = None if best is None or is_even else best.key
    needed = None if best is None or worst is None or is_even else _needed(best.rate, worst.rate)
    sent, answered = sum(arm.sent for arm in used), sum(arm.answered for arm in used)
    if len(used) < len(arms) or any(_expected(arm.sent, answered, sent) < LEAST_EXPECTED for arm in used):
        return Comparison("too_few", name, None, needed)
    p_value = _chance_of(sum(_distance(arm, answered, sent) for arm in used), len(used) - 1)
    return Comparison("significant" if p_value < LEVEL else "not_significant", name, p_value, needed)


def _expected(size: int, answered: int, sent: int) -> float:
    return size * min(answered, sent - answered) / sent


def _distance(arm: Arm, answered: int, sent: int) -> float:
    share = answered / sent
    return (arm.answered - arm.sent * share) ** 2 / (arm.sent * share * (1 - share))


def _chance_of(distance: float, freedom: int) -> float:
    """Return the upper tail of the chi-squared distribution."""
    half = distance / 2
    tail, at = (math.erfc(math.sqrt(half)), 0.5) if freedom % 2 else (math.exp(-half), 1.0)
    while at < freedom / 2:
        tail += half**at * math.exp(-half) / math.gamma(at + 1)
        at += 1
    return min(tail, 1.0)


def _needed(high: float, low: float) -> int:
    middle = (high + low) / 2
    spread = _Z_LEVEL * math.sqrt(2 * middle * (1 - middle)) + _Z_POWER * math.sqrt(high * (1 - high) + low * (1 - low))
    return math.ceil((spread / (high - low)) ** 2)
