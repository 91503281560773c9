"""From a person's timeline to the row that is stored of their score, and to what is answered of it."""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, Final, Self
from uuid import UUID

from app.criteria.tree import Node
from app.scores import fit
from app.scores.curve import Curve
from app.scores.definition import Definition
from app.scores.formula import Score, Signal, curve_of, score
from app.scores.schemas import ContributionRead, ScoreModelDefinition, ScoreRead, ScoreRow
from app.touchpoints.signals import TouchpointSignal

BEYOND: Final = timedelta(milliseconds=1)
"""A falling value leaves its tier after the moment of crossing: so much later it surely has."""
_OF_SIGNAL: Final = attrgetter(*(each.name for each in fields(Signal)))


@dataclass(frozen=True, slots=True)
class Serving:
    """One version of a model, ready for counting; one that is not published yet is counted beside, and not answered."""

    model: Definition
    version: int
    fit: Mapping[str, Node]
    is_published: bool

    @classmethod
    def of(cls, definition: object, version: int, timezone: str, *, is_published: bool) -> Self:
        """Read a stored definition; `timezone` is the tenant's."""
        written = ScoreModelDefinition.model_validate(definition)
        return cls(Definition.of(written, timezone), version, fit.read(written.fit_rules), is_published)

    @property
    def lowest(self) -> str:
        return self.model.tiers[0].key

    def score(
        self, timeline: Iterable[TouchpointSignal], profile: Mapping[str, Any], at: datetime, now: datetime
    ) -> Score:
        """Count what happened up to `at`; fit is as of `now`."""
        listed = list(timeline)
        return self.score_held(listed, fit.held(self.fit, profile, listed, now.astimezone(self.model.zone)), at)

    def score_held(self, timeline: Iterable[TouchpointSignal], held: Collection[str], at: datetime) -> Score:
        """Count the same for whom these fit rules are known to hold."""
        return score(self.model, _signals(timeline), held, at)

    def tier(self, timeline: Iterable[TouchpointSignal], held: Collection[str], at: datetime) -> str:
        """Name the tier alone."""
        return self.model.tier_of(curve_of(self.model, _signals(timeline), held, at).value(at))

    def fit_points(self, ids: Iterable[UUID], held: Mapping[UUID, Collection[str]]) -> dict[UUID, float]:
        """Sum for each of these people what the fit rules give that hold for them."""
        points = dict.fromkeys(ids, 0.0)
        points.update((person, self._fit(rules)) for person, rules in held.items())
        return points

    def _fit(self, held: Collection[str]) -> float:
        return math.fsum(points for rule, points in self.model.fit.items() if rule in held)


def _signals(timeline: Iterable[TouchpointSignal]) -> Iterator[Signal]:
    """Yield what the formula needs; `asdict` took four times as long as the formula itself."""
    return (Signal(*_OF_SIGNAL(each)) for each in timeline)


def row(
    serving: Serving,
    candidate_id: UUID,
    found: Score,
    constants: Collection[float],
    arrival: datetime | None,
    at: datetime,
) -> dict[str, Any]:
    """Return what is stored of a score; `constants` are compared with it, at `arrival` the next touchpoint counts."""
    crossing = found.curve.next_crossing({*serving.model.bounds, *constants}, at)
    events = [each for each in (crossing and crossing + BEYOND, arrival) if each is not None]
    return {
        "model_key": serving.model.key,
        "model_version": serving.version,
        "candidate_id": candidate_id,
        "fit": found.curve.fit,
        "interest": found.curve.amount,
        "since": found.curve.since,
        "half_life_days": found.curve.half_life_days,
        "rank_key": found.curve.rank_key,
        "tier": found.tier,
        "tier_changes_at": found.tier_changes_at,
        "next_event_at": min(events, default=None),
        "computed_at": at,
    }


def next_arrival(timeline: Sequence[TouchpointSignal], at: datetime) -> datetime | None:
    """Return when the next touchpoint of the future happens."""
    return min((each.occurred_at for each in timeline if each.occurred_at > at), default=None)


def read(serving: Serving, candidate_id: UUID, found: Score, at: datetime) -> ScoreRead:
    """Return a score as it is answered, with its parts."""
    return ScoreRead(
        candidate_id=candidate_id,
        model=serving.model.key,
        model_version=serving.version,
        value=found.value,
        fit=found.fit,
        interest=found.interest,
        tier=found.tier,
        as_of=at,
        tier_changes_at=found.tier_changes_at,
        contributions=[ContributionRead.model_validate(each) for each in found.contributions],
    )


def curve(stored: Any) -> Curve:  # noqa: ANN401 (a row)
    """Return the curve that a row of scores keeps."""
    return Curve(stored.fit, stored.interest, stored.since, stored.half_life_days)


def read_row(serving: Serving, stored: Any, at: datetime) -> ScoreRow:  # noqa: ANN401 (a row)
    """Return a stored score as it is answered in lists."""
    return ScoreRow(
        candidate_id=stored.candidate_id,
        model=serving.model.key,
        model_version=serving.version,
        value=stored.value,
        fit=stored.fit,
        interest=stored.value - stored.fit,
        tier=serving.model.tier_of(stored.value),
        as_of=at,
        tier_changes_at=curve(stored).next_crossing(serving.model.bounds, at),
    )
