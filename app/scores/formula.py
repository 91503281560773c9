"""The score's mathematics: from the set of a person's touchpoints to contributions that sum to the value.

interest(t) = Σ wᵢ·pᵢ·2^(-(t - tᵢ)/h) over the touchpoints that count, fit = Σ of the fit rules that hold, value = both.
A function of the set: no order of arrival and no repetition changes anything.
"""

import math
from collections import deque
from collections.abc import Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Literal

from app.criteria.fold import fold
from app.scores.curve import Curve, decay
from app.scores.definition import Definition, Rule

Actor = Literal["human", "machine", "unknown"]

_NEGLIGIBLE = 1e-12  # of a cap: what remains of it by binary rounding alone


@dataclass(frozen=True, slots=True)
class Signal:
    """What the formula needs of one touchpoint; `occurred_at` is aware."""

    id: str
    type: str
    occurred_at: datetime
    source: str
    external_id: str | None = None
    topics: tuple[str, ...] = ()
    actor: Actor = "human"
    message_id: str | None = None
    url: str | None = None
    event_id: str | None = None


@dataclass(frozen=True, slots=True)
class Contribution:
    """One part of a score; a part of the fit has neither touchpoint nor time and does not decay."""

    kind: Literal["interest", "fit", "penalty"]
    rule: str
    touchpoint_id: str | None
    points: float
    decayed_points: float
    occurred_at: datetime | None


@dataclass(frozen=True, slots=True)
class Score:
    """A score at one time; `contributions` sum to `value`."""

    value: float
    fit: float
    interest: float
    tier: str
    tier_changes_at: datetime | None
    contributions: tuple[Contribution, ...]
    curve: Curve


def score(model: Definition, signals: Iterable[Signal], held: Collection[str], at: datetime) -> Score:
    """Give the score at a time, from the touchpoints up to then and the names of the fit rules that hold."""
    counted = _counted(model, signals, at)
    curve = _curve(model, counted, held, at)
    return Score(
        value=curve.value(at),
        fit=curve.fit,
        interest=curve.interest(at),
        tier=model.tier_of(curve.value(at)),
        tier_changes_at=curve.next_crossing(model.bounds, at),
        contributions=(*_fit(model, held), *(_decayed(model, each, at) for each in counted)),
        curve=curve,
    )


def curve_of(model: Definition, signals: Iterable[Signal], held: Collection[str], at: datetime) -> Curve:
    """Give the curve of the same score, which is all that is stored."""
    return _curve(model, _counted(model, signals, at), held, at)


@dataclass(frozen=True, slots=True)
class Counted:
    """A touchpoint that a rule counts, with its points after weight and cap."""

    rule: Rule
    signal: Signal
    points: float


def count(model: Definition, signals: Iterable[Signal]) -> Iterator[Counted]:
    """Apply the rules, the slots and the caps; rows of zero are omitted.

    In order of time, so that what comes later never changes what came before.
    """
    counters: dict[str, _Counter] = {}
    for signal in _ordered(each for each in signals if each.type in model.rules):
        for rule in model.rules[signal.type]:
            counter = counters.get(rule.name) or counters.setdefault(rule.name, _Counter(rule, model))
            if points := counter.count(signal):
                yield Counted(rule, signal, points)


def _counted(model: Definition, signals: Iterable[Signal], at: datetime) -> list[Counted]:
    return list(count(model, (each for each in signals if each.occurred_at <= at)))


def _ordered(signals: Iterable[Signal]) -> list[Signal]:
    """Order by (time, source, external id), the id only where there is none; repetitions are one."""
    once = {_place(each): each for each in signals}
    return [once[place] for place in sorted(once)]


def _place(signal: Signal) -> tuple[datetime, str, str, bool]:
    if signal.external_id is None:
        return signal.occurred_at, signal.source, signal.id, False
    return signal.occurred_at, signal.source, signal.external_id, True


@dataclass(slots=True)
class _Counter:
    """One rule while it counts: the slots that are taken, and what lies in the window of its cap."""

    rule: Rule
    model: Definition
    taken: set[Hashable] = field(default_factory=set)
    window: deque[tuple[datetime, float]] = field(default_factory=deque)

    def count(self, signal: Signal) -> float:
        points = self.model.weights[signal.actor] * self.rule.points
        if points == 0 or not self._concerns(signal) or (slot := self._slot(signal)) in self.taken:
            return 0.0
        self.taken.add(slot)
        return self._clipped(points, signal.occurred_at)

    def _concerns(self, signal: Signal) -> bool:
        topics = self.rule.topics
        return not topics or any(fold(topic) in topics for topic in signal.topics)

    def _slot(self, signal: Signal) -> Hashable:
        match self.rule.once_per:
            case "day":
                return _local_day(signal.occurred_at, self.model)
            case "message_link" if signal.message_id and signal.url:
                return signal.message_id.strip().strip("<>"), signal.url
            case "event" if signal.event_id:
                return signal.event_id
            case _:
                return None, signal.id

    def _clipped(self, points: float, moment: datetime) -> float:
        limit = self.rule.limit
        if limit is None:
            return points
        while self.window and moment - self.window[0][0] >= limit.span:
            self.window.popleft()
        room = limit.points - math.fsum(used for _, used in self.window)
        if room <= limit.points * _NEGLIGIBLE:
            return 0.0
        used = min(abs(points), room)
        self.window.append((moment, used))
        return math.copysign(used, points)


def _local_day(moment: datetime, model: Definition) -> date:
    try:
        return moment.astimezone(model.zone).date()
    except OverflowError:  # the first or last hours of the calendar
        return moment.date()


def _fit(model: Definition, held: Collection[str]) -> Iterator[Contribution]:
    for rule, points in model.fit.items():
        if rule in held and points:
            yield Contribution("fit", rule, None, points, points, None)


def _decayed(model: Definition, counted: Counted, at: datetime) -> Contribution:
    signal = counted.signal
    return Contribution(
        kind="interest" if counted.points > 0 else "penalty",
        rule=counted.rule.name,
        touchpoint_id=signal.id,
        points=counted.points,
        decayed_points=_left(model, counted, at),
        occurred_at=signal.occurred_at,
    )


def _left(model: Definition, counted: Counted, at: datetime) -> float:
    return counted.points * decay(at - counted.signal.occurred_at, model.half_life_days)


def _curve(model: Definition, counted: list[Counted], held: Collection[str], at: datetime) -> Curve:
    """Take the last counted touchpoint as the origin: the same set gives the same curve whenever it is made."""
    since = counted[-1].signal.occurred_at if counted else at
    return Curve(
        fit=math.fsum(each.points for each in _fit(model, held)),
        amount=math.fsum(_left(model, each, since) for each in counted),
        since=since.astimezone(UTC),
        half_life_days=model.half_life_days,
    )
