"""The statements of lists and searches: what is asked, in which order, from which place on."""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    Text,
    and_,
    cast,
    exists,
    false,
    func,
    literal,
    literal_column,
    or_,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.candidates.models import Candidate, ExternalId, Record, Term
from app.candidates.terms import filter_term
from app.criteria import sql
from app.criteria.tree import Node
from app.directory.schemas import FACET_SAMPLE, FACET_VALUES, Filters
from app.directory.sorting import Place, Sort
from app.kit.paging import Paging
from app.kit.repository import Repository, ResourceRepository
from app.normalise.search import is_open
from app.pools.criteria_fields import ADAPTERS, FIELDS
from app.pools.criteria_fields import read as read_criteria
from app.pools.models import PoolMember

Condition = ColumnElement[bool]

_LEAVES: Final = {"tag": "tags", "skill": "skills.name", "interest": "interests", "source_type": "sources.type"}
_RANGES: Final[Mapping[str, Callable[[Any, Any], Condition]]] = {
    "gte": lambda column, value: column >= value,
    "lt": lambda column, value: column < value,
}


@dataclass(frozen=True, slots=True)
class Question:
    """What a page is asked for; `terms` are what a name must be filed under, `addressed` whom `q` points at exactly."""

    filters: Filters
    criteria: Node | None
    terms: Sequence[str] | None
    addressed: Sequence[UUID]
    moment: datetime


class DirectoryRepository(Repository[Candidate]):
    model = Candidate

    async def page(self, asked: Question, sort: Sort, after: Place | None, limit: int) -> list[Place]:
        """Return the next `limit` places: those with a value first, then, when they run out, those without."""
        column = getattr(Candidate, sort.column)
        found: list[Place] = []
        if after is None or after.value is not None:
            filled = self._found(asked).where(column.is_not(None)).add_columns(column)
            found = await self._places(_from(filled, sort, after).limit(limit))
        if len(found) < limit and column.nullable:
            empty = self._found(asked).where(column.is_(None)).add_columns(literal(None))
            rest = after if after is not None and after.value is None else None
            found += await self._places(_from_id(empty, sort, rest).limit(limit - len(found)))
        return found

    async def count(self, asked: Question, at_most: int) -> int:
        """Count what is found, up to one more than `at_most`."""
        some = self._found(asked).limit(at_most + 1).subquery()
        return int(
            await self.session.scalar(some.select().with_only_columns(func.count(), maintain_column_froms=True)) or 0
        )

    async def facets(self, asked: Question, names: Sequence[str]) -> tuple[list[Any], bool]:
        """Count values over the newest that are found; says also whether there are more than were counted."""
        values = (_FACETS[name].label(name) for name in dict.fromkeys(names))
        hits = self._found(asked).add_columns(*values).order_by(Candidate.created_at.desc(), Candidate.id)
        newest = hits.limit(FACET_SAMPLE + 1).cte("newest")
        sample = newest.select().limit(FACET_SAMPLE).subquery("hits")
        columns = (_none().label("facet"), _none().label("value"), func.count().label("n"))
        size = newest.select().with_only_columns(*columns, maintain_column_froms=True)
        counted = [_facet(name, sample) for name in dict.fromkeys(names)]
        rows: Sequence[Any] = (await self.session.execute(union_all(size, *counted))).all()
        total = next(row.n for row in rows if not row.facet)
        return [row for row in rows if row.facet], total > FACET_SAMPLE

    def _found(self, asked: Question) -> Select[Any]:
        conditions = [*_standing(asked.filters), *_filtered(asked), *_asked_for(asked)]
        return self.visible().with_only_columns(Candidate.id).where(*conditions)

    async def _places(self, statement: Select[Any]) -> list[Place]:
        return [Place(value, candidate_id) for candidate_id, value in (await self.session.execute(statement)).all()]


def _from(statement: Select[Any], sort: Sort, after: Place | None) -> Select[Any]:
    column = getattr(Candidate, sort.column)
    order = column.desc() if sort.descending else column.asc()
    statement = statement.order_by(order, Candidate.id.desc() if sort.id_descending else Candidate.id.asc())
    if after is None:
        return statement
    if sort.id_descending == sort.descending:
        here, there = tuple_(column, Candidate.id), tuple_(after.value, after.id)
        return statement.where(here < there if sort.descending else here > there)
    beyond = column < after.value if sort.descending else column > after.value
    same = and_(column == after.value, _after_id(sort, after))
    boundary = column <= after.value if sort.descending else column >= after.value
    return statement.where(boundary, or_(beyond, same))


def _from_id(statement: Select[Any], sort: Sort, after: Place | None) -> Select[Any]:
    statement = statement.order_by(Candidate.id.desc() if sort.id_descending else Candidate.id.asc())
    return statement if after is None else statement.where(_after_id(sort, after))


def _after_id(sort: Sort, after: Place) -> Condition:
    return Candidate.id < after.id if sort.id_descending else Candidate.id > after.id


def _standing(filters: Filters) -> list[Condition]:
    kept: list[Condition] = [Candidate.erased_at.is_(None), Candidate.merged_into.is_(None)]
    if not filters.status or set(filters.status) == {"active"}:
        return [*kept, Candidate.hidden_at.is_(None)]
    return kept if "active" in filters.status else [*kept, Candidate.hidden_at.is_not(None)]


def _filtered(asked: Question) -> Iterable[Condition]:
    filters = asked.filters
    for name, field in _LEAVES.items():
        if wanted := getattr(filters, name):
            if "hidden" not in filters.status:
                yield _filed_under(*(filter_term(name, value) for value in wanted))
            node = read_criteria({"field": field, "op": "has_any", "value": wanted}, "", FIELDS)
            yield sql.compiled(node, ADAPTERS, asked.moment)
    if filters.source:
        named = ("sources.name", "external_ids.source")
        either = {"any": [{"field": name, "op": "has_any", "value": filters.source} for name in named]}
        yield sql.compiled(read_criteria(either, "", FIELDS), ADAPTERS, asked.moment)
    if filters.external_id:
        given = tuple_(ExternalId.source, ExternalId.external_id).in_(filters.external_id)
        yield exists().where(ExternalId.candidate_id == Candidate.id, given)
    if filters.pool_id:
        yield exists().where(PoolMember.candidate_id == Candidate.id, PoolMember.pool_id.in_(filters.pool_id))
    for column in ("created_at", "updated_at", "last_interaction_at"):
        for end, compare in _RANGES.items():
            if (value := getattr(filters, f"{column}_{end}")) is not None:
                yield compare(getattr(Candidate, column), value)


def _asked_for(asked: Question) -> Iterable[Condition]:
    if asked.criteria is not None:
        yield sql.compiled(asked.criteria, ADAPTERS, asked.moment)
    if asked.terms is None:
        return
    filed = and_(*map(_found_by, asked.terms)) if asked.terms else false()
    yield or_(filed, Candidate.id.in_(asked.addressed)) if asked.addressed else filed


def _found_by(term: str) -> Condition:
    """Say that a candidate is filed under this term, or under one that begins so: one range of an index."""
    if not is_open(term):
        return _filed_under(term)
    return exists().where(Term.term >= term, Term.term <= term + chr(sys.maxunicode), Term.candidate_id == Candidate.id)


def _filed_under(*terms: str) -> Condition:
    """Say that a candidate is found by any of these terms: the part of a condition that an index serves."""
    return exists().where(Term.term.in_(terms), Term.candidate_id == Candidate.id)


_TIER: Final = """(select s.tier from scores s where s.candidate_id = candidates.id and s.model_key = 'default'
  and s.model_version = coalesce(
    (select m.version from score_models m where m.key = 'default' and m.state = 'published'), 1))"""
_FACETS: Final[Mapping[str, ColumnElement[Any]]] = {
    "tags": Candidate.tags.expression,
    "interests": Candidate.interests.expression,
    "skills.name": Candidate.skills.expression,
    "sources.type": Candidate.sources.expression,
    "current_company": Candidate.current_company.expression,
    "location.city": Candidate.location["city"].astext,
    "score.tier": literal_column(_TIER, Text),
}
"""Where the values of a facet are; those of `skills.name` and `sources.type` are members of objects."""


def _none() -> ColumnElement[str]:
    return literal("", Text)


def _facet(name: str, hits: Subquery) -> Select[Any]:
    value, rows = _values(name, hits)
    held = rows.with_only_columns(hits.c.id, cast(value, Text).label("value")).distinct().subquery()
    people = func.count()
    counted = (
        held.select()
        .with_only_columns(literal(name, Text).label("facet"), held.c.value, people.label("n"))
        .where(held.c.value.is_not(None))
        .group_by(held.c.value)
        .order_by(people.desc(), held.c.value.collate("C"))
        .limit(FACET_VALUES)
        .subquery()
    )
    return counted.select()


def _values(name: str, hits: Subquery) -> tuple[ColumnElement[Any], Select[Any]]:
    column, member = hits.c[name], name.partition(".")[2]
    if name in ("tags", "interests"):
        item: ColumnElement[Any] = func.jsonb_array_elements_text(column, type_=Text).column_valued(
            joins_implicitly=True
        )
        return item, hits.select().with_only_columns(hits.c.id, item)
    if name in ("skills.name", "sources.type"):
        item = func.jsonb_array_elements(column, type_=JSONB).column_valued(joins_implicitly=True)
        return item[member].astext, hits.select().with_only_columns(hits.c.id, item)
    return column, hits.select()


class RecordRepository(ResourceRepository[Record]):
    model = Record

    async def of(self, candidate_id: UUID, paging: Paging, *bound_to: Any) -> tuple[list[Record], int | None]:  # noqa: ANN401 (filters are any JSON values)
        """Return the statements about one person, the newest first, and how many there are when that was asked."""
        return await self.newest(self.visible().where(Record.candidate_id == candidate_id), paging, *bound_to)
