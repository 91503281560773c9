"""A score model made ready for counting: types, topics and zone looked up once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Self
from zoneinfo import ZoneInfo

from app.criteria.fold import fold
from app.scores.schemas import Cap, InterestRule, OncePer, ScoreModelDefinition


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `points`, by absolute value, in any window (t - span, t]."""

    points: float
    span: timedelta


@dataclass(frozen=True, slots=True)
class Rule:
    """One interest rule; `topics` are folded, an empty set asks for none."""

    name: str
    types: frozenset[str]
    topics: frozenset[str]
    points: float
    once_per: OncePer
    limit: Limit | None


@dataclass(frozen=True, slots=True)
class TierBound:
    key: str
    starts_at: float


@dataclass(frozen=True, slots=True)
class Definition:
    """A score model; `rules` are by touchpoint type, `tiers` rise, and the first starts at minus infinity."""

    key: str
    half_life_days: float
    zone: ZoneInfo
    weights: Mapping[str, float]
    rules: Mapping[str, tuple[Rule, ...]]
    fit: Mapping[str, float]
    tiers: tuple[TierBound, ...]

    @classmethod
    def of(cls, written: ScoreModelDefinition, timezone: str) -> Self:
        """Read a valid model; `timezone` is the tenant's, for a model without its own."""
        return cls(
            key=written.key,
            half_life_days=written.half_life_days,
            zone=ZoneInfo(written.timezone or timezone),
            weights={"human": 1.0, "unknown": written.unknown_weight, "machine": 0.0},
            rules=_by_type([_rule(each) for each in written.interest_rules]),
            fit={each.rule: each.points for each in written.fit_rules},
            tiers=tuple(
                TierBound(each.key, float("-inf") if each.starts_at is None else each.starts_at)
                for each in written.tiers
            ),
        )

    @property
    def bounds(self) -> tuple[float, ...]:
        """Give the values at which a tier begins, rising."""
        return tuple(each.starts_at for each in self.tiers[1:])

    def tier_of(self, value: float) -> str:
        """Name the tier of a value: the highest whose `starts_at` (inclusive) is reached."""
        return next(each.key for each in reversed(self.tiers) if value >= each.starts_at)


def _rule(written: InterestRule) -> Rule:
    return Rule(
        name=written.rule,
        types=frozenset(written.types),
        topics=frozenset(fold(each) for each in written.topics or ()),
        points=written.points,
        once_per=written.once_per,
        limit=_limit(written.cap),
    )


def _by_type(rules: list[Rule]) -> dict[str, tuple[Rule, ...]]:
    types = {type_ for rule in rules for type_ in rule.types}
    return {type_: tuple(rule for rule in rules if type_ in rule.types) for type_ in types}


def _limit(cap: Cap | None) -> Limit | None:
    return None if cap is None else Limit(cap.points, timedelta(days=cap.days))
