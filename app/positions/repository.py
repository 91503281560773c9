"""The statements of positions; who fits is found, weighed and ordered in one of them."""

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any
from uuid import UUID

from sqlalchemy import Double, Select, and_, case, func, literal, or_

from app.candidates.models import Candidate
from app.criteria import sql
from app.criteria.tree import Node
from app.kit.repository import Repository, ResourceRepository
from app.pools.criteria_fields import ADAPTERS
from app.positions.models import Position
from app.scores.criteria_fields import counted_by, value_at
from app.scores.models import Score


@dataclass(frozen=True, slots=True)
class Asked:
    """What a position asks at one moment (aware; its zone gives the calendar day)."""

    criteria: Node
    wishes: Sequence[tuple[Node, float]]
    model: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """One person's place in the order; `met` says of each wish whether it holds."""

    fit: float
    score: float
    candidate_id: UUID
    met: tuple[bool, ...] = ()


class PositionRepository(ResourceRepository[Position]):
    model = Position


class MatchRepository(Repository[Candidate]):
    model = Candidate

    async def page(self, asked: Asked, after: Place | None, limit: int) -> list[Place]:
        """Return who meets the criteria: the best fit first, of equals the highest score, then the oldest."""
        found = self._found(asked).subquery()
        statement = found.select().order_by(found.c.fit.desc(), found.c.score.desc(), found.c.id).limit(limit)
        if after is not None:
            tie = and_(found.c.score == after.score, found.c.id > after.candidate_id)
            later = and_(found.c.fit == after.fit, or_(found.c.score < after.score, tie))
            statement = statement.where(or_(found.c.fit < after.fit, later))
        rows = (await self.session.execute(statement)).all()
        return [Place(row.fit, row.score, row.id, tuple(row[3:])) for row in rows]

    async def count(self, asked: Asked) -> int:
        """Count who meets the criteria, up to one more than a total says."""
        return await self.how_many(self._meeting(asked))

    def _meeting(self, asked: Asked) -> Select[Any]:
        standing = (Candidate.hidden_at.is_(None), Candidate.erased_at.is_(None), Candidate.merged_into.is_(None))
        people = self.visible().with_only_columns(Candidate.id).where(*standing)
        return people.where(sql.compiled(asked.criteria, ADAPTERS, asked.at))

    def _found(self, asked: Asked) -> Select[Any]:
        met = [
            func.coalesce(sql.compiled(node, ADAPTERS, asked.at), literal(value=False)).label(f"wish_{place}")
            for place, (node, _) in enumerate(asked.wishes)
        ]
        people = self._meeting(asked).add_columns(*met).subquery()
        weighed = [
            case((people.c[f"wish_{place}"], literal(weight, Double)), else_=literal(0.0, Double))
            for place, (_, weight) in enumerate(asked.wishes)
        ]
        fit = reduce(operator.add, weighed, literal(0.0, Double))
        score = func.coalesce(value_at(asked.at), 0.0)
        scored = people.outerjoin(Score, counted_by(asked.model, people.c.id))
        wishes = [people.c[f"wish_{place}"] for place in range(len(met))]
        columns = (fit.label("fit"), score.label("score"), people.c.id, *wishes)
        return people.select().with_only_columns(*columns).select_from(scored)
