"""Keeping the stored scores right: for those whom something happened to, and for everybody."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.candidates import service as candidates
from app.kit import outbox
from app.kit.clock import now
from app.kit.db import Session
from app.kit.outbox import Wake
from app.scores import census, counting, events, holding, registry, repository
from app.scores.counting import Serving
from app.touchpoints import service as touchpoints
from app.touchpoints import settlement

TOLERANCE: Final = 1e-9
"""In points: within it, two ways of counting agree."""


async def recompute(session: Session, ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """Count these people anew by every model; return when each is to be looked at again.

    Tells whose tier changed. In a bounded number of statements.
    """
    living = await _living(session, ids)
    at = now()
    constants = await _constants(session)
    again: dict[UUID, datetime] = {}
    for one in await registry.serving(session) if living else ():
        held = await holding.held(session, one.fit, living, at.astimezone(one.model.zone))
        counted = await census.count(session, one, one.fit_points(living, held), constants[one.model.key], at)
        await _tell(session, one, counted.moved)
        _earlier(again, counted.again)
        if counted.left:
            await settlement.judge_again(session, counted.left)
            _earlier(again, await _exactly(session, one, counted.left, held, constants[one.model.key], at))
        _earlier(again, await holding.changes(session, one.fit, living, at.astimezone(one.model.zone)))
    deeds = await settlement.newly_in_contact(session, ids)
    await outbox.schedule(session, *(Wake("member", each) for each in ids), *(Wake("deeds", each) for each in deeds))
    return again


async def recount(session: Session, ids: Sequence[UUID]) -> int:
    """Count these people anew, and have them looked at again when their time comes; return how many they are."""
    await _look_again(session, await recompute(session, ids))
    return len(ids)


async def prove(session: Session, ids: Sequence[UUID]) -> int:
    """Count these people by the formula alone, and write that; return how many scores had been otherwise."""
    living = await _living(session, ids)
    await settlement.judge_again(session, living)
    at = now()
    constants = await _constants(session)
    again: dict[UUID, datetime] = {}
    before = {(row.candidate_id, row.model_key): row for row in await repository.stored(session, living)}
    for one in await registry.serving(session) if living else ():
        held = await holding.held(session, one.fit, living, at.astimezone(one.model.zone))
        _earlier(again, await _exactly(session, one, living, held, constants[one.model.key], at))
        _earlier(again, await holding.changes(session, one.fit, living, at.astimezone(one.model.zone)))
    after = {(row.candidate_id, row.model_key): row for row in await repository.stored(session, living)}
    await _look_again(session, again)
    return sum(not _agree(before.get(pair), row, at) for pair, row in after.items())


async def _living(session: Session, ids: Sequence[UUID]) -> list[UUID]:
    """Return who of `ids` is counted; the others have no score."""
    gone = await repository.gone(session, ids)
    if not gone:
        return list(ids)
    await repository.drop(session, gone)
    return [each for each in ids if each not in gone]


async def _exactly(
    session: Session,
    one: Serving,
    ids: Sequence[UUID],
    held: Mapping[UUID, Collection[str]],
    constants: Collection[float],
    at: datetime,
) -> dict[UUID, datetime]:
    """Count by the formula and write; return when to look again."""
    timelines = await touchpoints.signals_of(session, ids)
    rows = [
        counting.row(
            one,
            person,
            one.score_held(timelines.get(person, ()), held.get(person, ()), at),
            constants,
            counting.next_arrival(timelines.get(person, ()), at),
            at,
        )
        for person in ids
    ]
    await _tell(session, one, await repository.write(session, rows))
    return {row["candidate_id"]: row["next_event_at"] for row in rows if row["next_event_at"] is not None}


async def _tell(session: Session, one: Serving, written: Sequence[Any]) -> None:
    """Tell whose tier is another, unless the version does not serve yet."""
    if one.is_published:
        await tell_tiers(session, one.model.key, one.lowest, written)


async def tell_tiers(session: Session, key: str, lowest: str, written: Sequence[Any]) -> int:
    """Tell whose tier is another than before, which was the lowest for whom nothing was counted; return how many."""
    changed = [row for row in written if (row.before or lowest) != row.after]
    versions = await candidates.versions(session, [row.candidate_id for row in changed])
    changes = ((row.candidate_id, versions.get(row.candidate_id), row.before or lowest, row.after) for row in changed)
    told = [events.tier_changed(person, version, key, *tiers) for person, version, *tiers in changes]
    await outbox.record(session, *told)
    return len(told)


async def _constants(session: Session) -> defaultdict[str, set[float]]:
    found: defaultdict[str, set[float]] = defaultdict(set)
    for row in await repository.thresholds(session):
        found[row.model_key].add(row.value)
    return found


async def _look_again(session: Session, again: Mapping[UUID, datetime]) -> None:
    await outbox.schedule(session, *(Wake("score", person, moment) for person, moment in again.items()))


def _earlier(found: dict[UUID, datetime], more: Mapping[UUID, datetime]) -> None:
    for person, moment in more.items():
        found[person] = min(moment, found.get(person, moment))


def _agree(before: Any, after: Any, at: datetime) -> bool:  # noqa: ANN401 (rows)
    if before is None or before.tier != after.tier:
        return False
    return abs(counting.curve(before).value(at) - counting.curve(after).value(at)) <= TOLERANCE
