"""Which fit rules hold for whom, asked of the database for many people at once."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select

from app.candidates import criteria_fields as candidates
from app.candidates.criteria_fields import PERSON
from app.criteria.sql import Adapters, compiled
from app.criteria.tree import Node
from app.kit.db import Session
from app.touchpoints import criteria_fields as touchpoints

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
