"""Which fit rules hold for whom, and until when, asked for many people at once."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select

from app.candidates import criteria_fields as candidates
from app.candidates import service as people_of
from app.candidates.criteria_fields import PERSON
from app.criteria import flips
from app.criteria.sql import Adapters, compiled
from app.criteria.tree import Node
from app.kit.db import Session
from app.touchpoints import criteria_fields as touchpoints
from app.touchpoints import service as timelines_of

ADAPTERS: Final[Adapters] = {**candidates.ADAPTERS, **touchpoints.ADAPTERS}


async def held(
    session: Session, rules: Mapping[str, Node], ids: Sequence[UUID], at: datetime
) -> dict[UUID, frozenset[str]]:
    """Name the rules that hold for each of these people; the zone of `at` gives the calendar day."""
    if not rules:
        return {}
    asked = select(PERSON, *(compiled(node, ADAPTERS, at) for node in rules.values())).where(PERSON.in_(ids))
    return {
        person: frozenset(name for name, holds in zip(rules, answers, strict=True) if holds)
        for person, *answers in (await session.execute(asked)).all()
    }


async def changes(
    session: Session, rules: Mapping[str, Node], ids: Sequence[UUID], at: datetime
) -> dict[UUID, datetime]:
    """Return when the passing of time may next change which of the rules hold for whom."""
    timed = [node for node in rules.values() if flips.is_timed(node)]
    if not timed:
        return {}
    people = await people_of.facts(session, ids)
    timelines = await timelines_of.signals_of(session, list(people))
    found: dict[UUID, datetime] = {}
    for person, profile in people.items():
        facts = {**profile, **touchpoints.facts(timelines.get(person, ()))}
        moments = [moment for node in timed if (moment := flips.next_change(node, facts, at)) is not None]
        if moments:
            found[person] = min(moments)
    return found
