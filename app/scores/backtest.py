"""A draft over history: whose tier it would change, and how well its tiers of then foretold what happened since."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Self
from uuid import UUID

from app.kit.clock import now
from app.kit.db import Session
from app.scores import holding, registry, repository
from app.scores.counting import Serving
from app.scores.errors import ScoreModelNotFound
from app.tenancy import service as tenancy
from app.touchpoints import service as touchpoints
from app.touchpoints.signals import TouchpointSignal

OUTCOMES: Final = ("email_replied", "meeting", "casual_interview", "applied", "hired")
"""What a tier should foretell, unless others are asked for."""

LISTED_MAX: Final = 10_000
"""So many people whose tier would change are named; all are counted."""

_UNNUMBERED: Final = 0


@dataclass(frozen=True, slots=True)
class Trial:
    """What is compared: the draft as it was when the trial began, and what serves; both times are aware."""

    draft: Serving
    published: Serving | None
    begin: datetime
    end: datetime
    outcomes: Sequence[str]

    @classmethod
    async def of(cls, session: Session, arguments: Mapping[str, Any]) -> Self:
        """Read the arguments of the job."""
        timezone = (await tenancy.read(session)).timezone
        try:
            published = await registry.find(session, arguments["key"])
        except ScoreModelNotFound:
            published = None
        return cls(
            draft=Serving.of(arguments["draft"], _UNNUMBERED, timezone, is_published=False),
            published=published,
            begin=datetime.fromisoformat(arguments["from"]),
            end=datetime.fromisoformat(arguments["to"]),
            outcomes=arguments["outcome_types"],
        )


@dataclass(slots=True)
class Findings:
    """What has come of a trial so far."""

    moves: Counter[tuple[str | None, str]] = field(default_factory=Counter)
    candidates: list[dict[str, Any]] = field(default_factory=list)
    people: Counter[str] = field(default_factory=Counter)
    happened: Counter[tuple[str, str]] = field(default_factory=Counter)

    def moved(self, candidate_id: UUID, before: str | None, after: str) -> None:
        if before != after:
            self.moves[before, after] += 1
            if len(self.candidates) < LISTED_MAX:
                self.candidates.append({"candidate_id": str(candidate_id), "from": before, "to": after})

    def foretold(self, tier: str, happened: Iterable[str]) -> None:
        self.people[tier] += 1
        self.happened.update((type_, tier) for type_ in happened)

    def result(self, trial: Trial) -> dict[str, Any]:
        """Return the result of the job."""
        moves = sorted(self.moves.items(), key=lambda each: (-each[1], each[0][0] or "", each[0][1]))
        tiers = [each.key for each in trial.draft.model.tiers]
        return {
            "tier_changes": [{"from": before, "to": after, "count": count} for (before, after), count in moves],
            "candidates": self.candidates,
            "outcomes": [self._outcome(type_, tier) for type_ in trial.outcomes for tier in tiers],
            "model_version": trial.published and trial.published.version,
        }

    def _outcome(self, type_: str, tier: str) -> dict[str, Any]:
        people, happened = self.people[tier], self.happened[type_, tier]
        rate = happened / people if people else None
        return {"type": type_, "tier": tier, "people": people, "happened": happened, "rate": rate}


async def examine(session: Session, trial: Trial, ids: Sequence[UUID], findings: Findings) -> None:
    """Add these people to the findings, as far as they are people still; nothing is written."""
    gone = await repository.gone(session, ids)
    living = [each for each in ids if each not in gone]
    timelines = await touchpoints.signals_of(session, living)
    by_draft = await _held(session, trial.draft, living)
    by_published = {} if trial.published is None else await _held(session, trial.published, living)
    for person in living:
        timeline = timelines.get(person, [])
        before, held = None, by_draft.get(person, ())
        if trial.published is not None:
            before = trial.published.tier(timeline, by_published.get(person, ()), trial.end)
        findings.moved(person, before, trial.draft.tier(timeline, held, trial.end))
        findings.foretold(trial.draft.tier(timeline, held, trial.begin), _happened(trial, timeline))


async def _held(session: Session, one: Serving, ids: Sequence[UUID]) -> dict[UUID, frozenset[str]]:
    return await holding.held(session, one.fit, ids, now().astimezone(one.model.zone))


def _happened(trial: Trial, timeline: Iterable[TouchpointSignal]) -> set[str]:
    """Name what happened after the begin and up to the end; what a machine did is no outcome."""
    since = {each.type for each in timeline if each.actor != "machine" and trial.begin < each.occurred_at <= trial.end}
    return since.intersection(trial.outcomes)
