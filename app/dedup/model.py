"""The weights: a model file of Splink, read for scoring one pair at a time (Fellegi and Sunter, 1969).

The weight of a level is log2(m / u) bits: how much more often the level is met by two records of one person (m) than by
records of two people (u). Where the value's frequency in the pool is known, that stands in the place of u.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

from app.kit import json

FLOOR: Final = -6.0
"""Bits: no single level speaks more strongly against than this."""
CAP: Final = 20.0
"""Bits: no single level speaks more strongly for than this."""
PSEUDO_RECORDS: Final = 5_000
"""So many records the shipped frequencies count as, and so large a pool is taken to be at least."""
DUPLICATES: Final = 0.8
"""Expected duplicates per record of a pool: prior = log2(0.8 / max(pool, 5,000))."""


class Weight(NamedTuple):
    """One level: `m`, its bits and, where the frequency of a value weighs, its column and the least believed share."""

    m: float
    bits: float
    counted: str | None
    least: float

    def at(self, share: float | None) -> float:
        """Return the bits for a value that such a share of the pool holds, in 0..1."""
        if self.counted is None or share is None:
            return self.bits
        return math.log2(self.m / max(share, self.least))


@dataclass(frozen=True)
class Model:
    """The weights of one model file by (comparison, level)."""

    version: str
    weights: Mapping[tuple[str, str], Weight]

    def bits(self, comparison: str, level: str, share: float | None = None) -> float:
        """Return the bits of a level; `share` (0..1) is that of the value, where its level counts values."""
        return self.weights[comparison, level].at(share)

    @cached_property
    def of_names(self) -> tuple[Weight, ...]:
        """The weights of the levels of names."""
        return tuple(weight for (of, _), weight in self.weights.items() if of == "name")


def read_model(settings: Mapping[str, Any], version: str) -> Model:
    """Read the JSON of a Splink model; its prior is not used. Raises KeyError where a level has no m or u."""
    weights = {
        (comparison["output_column_name"], level["label_for_charts"]): _weight(level)
        for comparison in settings["comparisons"]
        for level in comparison["comparison_levels"]
        if not level.get("is_null_level")
    }
    return Model(version, weights)


def _weight(level: Mapping[str, Any]) -> Weight:
    m, u = level["m_probability"], level["u_probability"]
    return Weight(
        m,
        math.log2(m / u),
        level.get("tf_adjustment_column"),
        level.get("tf_minimum_u_value", 0.0),
    )


def prior(pool: int) -> float:
    """Return the bits before any evidence, for a pool of so many candidates."""
    return math.log2(DUPLICATES / max(pool, PSEUDO_RECORDS))


def probability(weight: float) -> float:
    """Return 1 / (1 + 2^−weight), in 0..1; `weight` is in bits."""
    return 1.0 / (1.0 + math.exp2(-weight))


def frequency(holders: int, shipped: float, pool: int) -> float:
    """Return the share of a pool that holds a value.

    `holders` is how many candidates are known to hold it (taken to be at least one), `shipped` its share in the
    shipped frequencies, which count as 5,000 more records.
    """
    return (max(holders, 1) + shipped * PSEUDO_RECORDS) / (pool + PSEUDO_RECORDS)


@cache
def default_model() -> Model:
    """Return the model that ships with the service."""
    stored = json.loads(Path(__file__).with_name("default_model.json").read_bytes())
    return read_model(stored, "default-1")
