"""Pairs that are judged by the levels that they meet: there are few combinations of levels, and each is judged once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from math import inf
from typing import Any, Final, NamedTuple

from app.dedup.frequencies import share
from app.dedup.levels import CONTRADICTING, LEVELS, birth_level, employer_level, name_level
from app.dedup.model import Weight, frequency, probability
from app.dedup.rules import FEATURES, STRONG, Decision, Knowledge, is_automatic
from app.kit import json
from app.normalise.names import NameFeatures, load_name

Row = Mapping[str, Any]
"""A pair as `blocks` tells it."""
Levels = tuple[str | None, ...]
"""The level of each feature, in their order; None where there is nothing to compare."""

_SHARED: Final = {True: "shared", False: "not_shared", None: None}


class Combination(NamedTuple):
    """What the rules say of one combination of levels, whatever it weighs; `counted` are the features that count."""

    bits: tuple[float, ...]
    counted: Mapping[int, Weight]
    may_link: bool
    is_asked: bool


@dataclass(frozen=True, slots=True)
class Combinations:
    """The judge of two candidates with a name and one record each, where no rule of the tenant's own holds."""

    known: Knowledge
    met: dict[Levels, Combination] = field(default_factory=dict)

    def judge(self, row: Row) -> tuple[Decision, float]:
        """Return what the door would decide on a pair, and what it weighs in bits."""
        levels = _levels(row)
        found = self.met.get(levels)
        if found is None:
            found = self.met[levels] = self._combination(levels)
        bits = [*found.bits, self.known.prior]
        for place, level in found.counted.items():
            bits[place] = level.at(self._share(row, str(level.counted)))
        weight = sum(bits)
        likely = probability(weight)
        if found.may_link and likely >= self.known.policy.auto_threshold:
            return "same", weight
        is_possible = found.is_asked or likely >= self.known.policy.review_threshold
        return "possible" if is_possible else "different", weight

    def _combination(self, levels: Levels) -> Combination:
        told = dict(zip(FEATURES, levels, strict=True))
        weights = [self.known.model.weights[each, level] if level else None for each, level in told.items()]
        agreeing = frozenset(each for each, level in told.items() if level and LEVELS[each, level].verdict == "agree")
        contradicts = told["name"] in CONTRADICTING
        return Combination(
            tuple(weight.bits if weight else 0.0 for weight in weights),
            {place: weight for place, weight in enumerate(weights) if weight and weight.counted},
            not contradicts and is_automatic(told["name"], inf, agreeing, self.known.policy),
            contradicts and not agreeing.isdisjoint(STRONG),
        )

    def _share(self, row: Row, column: str) -> float | None:
        """Return the larger share of the pool that holds one of two values, in 0..1."""
        held = {(row[f"{side}_{column}"], row[f"{side}_{column}_n"]) for side in ("left", "right")}
        shares = (frequency(n, share(column, value), self.known.pool) for value, n in held if value is not None)
        return max(shares, default=None)


def _levels(row: Row) -> Levels:
    return (
        row["name_level"] or name_level(_read(row["left_name"]), _read(row["right_name"])),
        _SHARED[row["email"]],
        _SHARED[row["mobile"]],
        _SHARED[row["fixed_phone"]],
        _SHARED[row["profile_url"]],
        birth_level(row["left_birth_date"], row["right_birth_date"]).level,
        employer_level(row["left_employer"], row["right_employer"]).level,
        None,
    )


@lru_cache(maxsize=10_000)
def _read(name: str) -> NameFeatures:
    return load_name(json.loads(name))
