"""The timeline: one way in for all doors, and how what was unmatched finds its person.

What a touchpoint says of its person is a function of the set: nothing here depends on the order of arrival. What two
transactions cannot see of each other is settled by the due work that each of them leaves behind.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import get_args
from uuid import UUID

from app.candidates import service as candidates
from app.kit import outbox
from app.kit.db import Session
from app.kit.paging import Paging
from app.kit.schemas import Page, ProblemField
from app.touchpoints import events
from app.touchpoints.arrival import Ingested, Outcome, best_named, ingest, refused
from app.touchpoints.batch import Item, Refused
from app.touchpoints.errors import TouchpointNotFound
from app.touchpoints.models import Touchpoint
from app.touchpoints.repository import TouchpointRepository
from app.touchpoints.row import NewTouchpoint
from app.touchpoints.schemas import (
    Filter,
    TouchpointBatch,
    TouchpointIn,
    TouchpointItem,
    TouchpointRead,
    TouchpointUpdate,
    UnmatchedRead,
)
from app.touchpoints.settlement import JUDGED_FIELDS
from app.touchpoints.signals import TouchpointSignal, signals

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

__all__ = ["Ingested", "best_named", "ingest"]


async def create(session: Session, body: TouchpointIn) -> tuple[TouchpointRead, bool]:
    """Store one touchpoint; return what is stored of it, and whether it is new.

    Raises PersonNotFound, UnknownType, InvalidEmail, InvalidPhone.
    """
    [answer] = await ingest(session, [body])
    if answer.refusal is not None:
        raise answer.refusal
    if answer.stored is not None:
        return read(answer.stored), True
    return read(await get(session, answer.id)), False


async def create_many(session: Session, items: Sequence[Item]) -> TouchpointBatch:
    """Store what is readable of `items`, and answer each by itself."""
    answers = iter(await ingest(session, [each for each in items if isinstance(each, TouchpointIn)]))
    found = [refused(each.error) if isinstance(each, Refused) else next(answers) for each in items]
    counts = Counter(each.outcome for each in found)
    return TouchpointBatch(
        counts={**{name: counts[name] for name in OUTCOMES}, "total": len(found)},
        items=[_item(place, each, answer) for place, (each, answer) in enumerate(zip(items, found, strict=True))],
    )


async def get(session: Session, touchpoint_id: UUID | None, *, lock: bool = False) -> Touchpoint:
    """Return a touchpoint; raises TouchpointNotFound."""
    found = None if touchpoint_id is None else await TouchpointRepository(session).get(touchpoint_id, lock=lock)
    if found is None:
        raise TouchpointNotFound
    return found


async def judge(session: Session, touchpoint: Touchpoint, body: TouchpointUpdate) -> TouchpointRead:
    """Take a person's verdict, for ever; the score follows."""
    if (touchpoint.actor, touchpoint.actor_by) != (body.actor, "person"):
        touchpoint.actor, touchpoint.actor_by = body.actor, "person"
        touchpoint.actor_reasons, touchpoint.actor_rule_version = ["person"], None
        await session.flush()
        await outbox.record(session, events.updated(touchpoint, JUDGED_FIELDS))
    return read(touchpoint)


async def last_of(session: Session, ids: Sequence[UUID]) -> dict[UUID, TouchpointRead]:
    """Return the newest touchpoint of each candidate that has one."""
    found = [read(each) for each in await TouchpointRepository(session).newest_of(ids)]
    return {each.candidate_id: each for each in found if each.candidate_id is not None}


async def signals_of(session: Session, ids: Sequence[UUID]) -> dict[UUID, list[TouchpointSignal]]:
    """Return what scores count, of each candidate that has touchpoints."""
    return signals(await TouchpointRepository(session).of_candidates(ids), {})


def read(touchpoint: Touchpoint | NewTouchpoint) -> TouchpointRead:
    """Return a touchpoint as it is answered."""
    return TouchpointRead.model_validate(touchpoint)


async def list_newest(
    session: Session, paging: Paging, narrowed: Filter, candidate_ids: Sequence[UUID]
) -> Page[TouchpointRead]:
    """Return touchpoints in the order in which they came, the last first."""
    repository = TouchpointRepository(session)
    live = await candidates.resolve_many(session, candidate_ids)
    asked = replace(narrowed, candidate_ids=tuple(live.get(each, each) for each in candidate_ids))
    after = paging.after("touchpoints", asdict(asked))
    rows = await repository.all(repository.newest_first(asked, _last(after)).limit(paging.limit + 1))
    total = await repository.total(repository.newest_first(asked, None)) if paging.include_total else None
    return paging.page(rows, read, lambda row: [row.id], "touchpoints", asdict(asked), total=total)


async def list_unmatched(session: Session, paging: Paging) -> Page[UnmatchedRead]:
    """Return the touchpoints without a person, the last that came first."""
    repository = TouchpointRepository(session)
    after = paging.after("unmatched")
    rows = await repository.all(repository.unknown(_last(after)).limit(paging.limit + 1))
    total = await repository.total(repository.unknown(None)) if paging.include_total else None
    return paging.page(rows, UnmatchedRead.model_validate, lambda row: [row.id], "unmatched", total=total)


async def list_timeline(session: Session, paging: Paging, narrowed: Filter, candidate_id: UUID) -> Page[TouchpointRead]:
    """Return the touchpoints of one candidate, the last that happened first."""
    repository = TouchpointRepository(session)
    asked = replace(narrowed, candidate_ids=(candidate_id,))
    keys = paging.after("timeline", asdict(asked))
    after = (datetime.fromisoformat(keys[0]), UUID(keys[1])) if keys else None
    rows = await repository.all(repository.timeline(asked, after).limit(paging.limit + 1))
    total = await repository.total(repository.timeline(asked, None)) if paging.include_total else None
    return paging.page(
        rows, read, lambda row: [row.occurred_at.isoformat(), row.id], "timeline", asdict(asked), total=total
    )


def _last(keys: Sequence[str] | None) -> UUID | None:
    return UUID(keys[0]) if keys else None


def _item(index: int, sent: Item, answer: Ingested) -> TouchpointItem:
    problems = () if answer.refusal is None else answer.refusal.errors
    errors = [ProblemField.model_validate(each) for each in problems]
    return TouchpointItem(index, sent.client_ref, answer.status, answer.outcome, answer.id, errors)
