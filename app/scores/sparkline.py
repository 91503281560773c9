"""A score over time as a line of blocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.scores.curve import decay

BLOCKS: Final = "▁▂▃▄▅▆▇█"
_SHORTEST: Final = timedelta(days=7)
_LONGEST: Final = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Part:
    """Points that began to count at a moment (aware)."""

    points: float
    since: datetime


def moments(parts: Sequence[Part], until: datetime, count: int) -> list[datetime]:
    """Give `count` moments evenly from shortly before the first part (at most a year ago) up to `until`."""
    first = min((each.since for each in parts), default=until)
    span = min(max((until - first) * 1.05, _SHORTEST), _LONGEST)
    return [until - span * ((count - 1 - place) / (count - 1)) for place in range(count)]


def values(fit: float, parts: Sequence[Part], half_life_days: float, at: Sequence[datetime]) -> list[float]:
    """Give the value at each moment: what counts later never changes what counted before."""
    return [
        fit + sum(each.points * decay(moment - each.since, half_life_days) for each in parts if each.since <= moment)
        for moment in at
    ]


def blocks(heights: Sequence[float], reach: float = 0.0) -> str:
    """Draw the values between the least and the greatest of them, zero and `reach`."""
    low, high = min(0.0, *heights), max(0.0, reach, *heights)
    scale = (len(BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(BLOCKS[round((each - low) * scale)] for each in heights)
