"""The statements of lists and searches: what is asked, in which order, from which place on."""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, literal, or_, tuple_

from app.candidates.models import Candidate, ExternalId, Record, Term
from app.criteria import sql
from app.criteria.tree import Node
from app.directory.errors import SavedSearchKeyTaken
from app.directory.facets import FACETS, TIER, counts
from app.directory.models import SavedSearch
from app.directory.narrowing import needed
from app.directory.schemas import FACET_SAMPLE, FACET_VALUES, Filters
from app.directory.sorting import Place, Sort
from app.kit.db import Session
from app.kit.errors import AppError
from app.kit.paging import TOTAL_MAX, Paging
from app.kit.repository import Repository, ResourceRepository
from app.normalise.search import is_open
from app.pools.criteria_fields import ADAPTERS
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
        rows: Sequence[Any] = (await self.session.execute(counts(self._found(asked), names))).all()
        total = next(row.people for row in rows if not row.facet)
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
            yield from _meeting({"field": field, "op": "has_any", "value": wanted}, asked.moment)
    if filters.source:
        named = ("sources.name", "external_ids.source")
        either = {"any": [{"field": name, "op": "has_any", "value": filters.source} for name in named]}
        yield from _meeting(either, asked.moment)
    if filters.external_id:
        given = tuple_(ExternalId.source, ExternalId.external_id).in_(filters.external_id)
        yield exists().where(ExternalId.candidate_id == Candidate.id, given)
    if filters.pool_id:
        yield exists().where(PoolMember.candidate_id == Candidate.id, PoolMember.pool_id.in_(filters.pool_id))
    for column in ("created_at", "updated_at", "last_interaction_at"):
        for end, compare in _RANGES.items():
            if (value := getattr(filters, f"{column}_{end}")) is not None:
                yield compare(getattr(Candidate, column), value)


def _meeting(criteria: object, moment: datetime) -> Iterable[Condition]:
    return _criteria(read_criteria(criteria, ""), moment)


def _criteria(node: Node, moment: datetime) -> Iterable[Condition]:
    """Say the criteria, and beside them what of them an index of terms can answer."""
    yield from (_filed_under(*sorted(terms)) for terms in needed(node))
    yield sql.compiled(node, ADAPTERS, moment)


def _asked_for(asked: Question) -> Iterable[Condition]:
    if asked.criteria is not None:
        yield from _criteria(asked.criteria, asked.moment)
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


class RecordRepository(ResourceRepository[Record]):
    model = Record

    async def of(self, candidate_id: UUID, paging: Paging, *bound_to: Any) -> tuple[list[Record], int | None]:  # noqa: ANN401 (filters are any JSON values)
        """Return the statements about one person, the newest first, and how many there are when that was asked."""
        return await self.newest(self.visible().where(Record.candidate_id == candidate_id), paging, *bound_to)


class SavedSearchRepository(ResourceRepository[SavedSearch]):
    model = SavedSearch
    conflicts: ClassVar[dict[str, type[AppError]]] = {"uq_saved_searches_key": SavedSearchKeyTaken}

    async def remove(self, row: SavedSearch) -> None:
        await self.session.delete(row)
        await self.session.flush()


async def pools_of(session: Session, ids: Sequence[UUID]) -> list[Any]:
    """Return (candidate_id, id, key, name) of the pools that these people are in, by key."""
    return await session.rows(
        """select m.candidate_id, p.id, p.key, p.name from pool_members m
           join pools p on p.id = m.pool_id and p.archived_at is null
           where m.candidate_id = any(:ids) order by p.key""",
        ids=list(ids),
    )


class CountRepository:
    """The kept counts: with which values each person stands in them, and how many people stand with each value."""

    def __init__(self, session: Session) -> None:
        self.session = session

    async def settle(self, ids: Sequence[UUID]) -> None:
        """Count these people as they are now instead of as they were."""
        await self.session.run(_SETTLE, ids=list(ids))
        await self.session.run("delete from facet_counts where field = any(:fields) and people <= 0", fields=_FIELDS)

    async def top(self, fields: Sequence[str]) -> list[Any]:
        """Return (facet, value, people) of the most frequent values of all people."""
        return await self.session.rows(
            """select f.field as facet, c.value, c.people from unnest(cast(:fields as text[])) as f(field)
               cross join lateral (select value, people from facet_counts where field = f.field and people > 0
                 order by people desc, value limit :most) c""",
            fields=list(fields),
            most=FACET_VALUES,
        )

    async def values(self, field: str, part: str, after: str, limit: int) -> list[Any]:
        """Return (value, people) of the values that hold this (folded) part, in the order of the values."""
        return await self.session.rows(
            f"""select value, people from facet_counts
               where field = :field and value > :after and people > 0
                 and {_HOLDS} order by value limit :limit""",  # noqa: S608 (a constant)
            field=field,
            after=after,
            part=part,
            limit=limit,
        )

    async def how_many(self, field: str, part: str) -> int:
        """Count the values that hold this (folded) part, up to one more than a total says."""
        return int(
            await self.session.value(
                f"""select count(*) from (select from facet_counts
                    where field = :field and people > 0 and {_HOLDS} limit :most) as held""",  # noqa: S608 (a constant)
                field=field,
                part=part,
                most=TOTAL_MAX + 1,
            )
        )


_HOLDS: Final = "strpos(normalize(casefold(normalize(value, NFKC) collate pg_unicode_fast), NFKC), :part) > 0"
_FIELDS: Final = list(FACETS)
_SETTLE: Final = f"""
with asked as (
  select id from unnest(cast(:ids as uuid[])) as id
), people as (
  select c.id, c.tags, c.interests, c.skills, c.sources, c.current_company, c.location ->> 'city' as city,
    {TIER.format(person="c.id")} as tier
  from asked join candidates c on c.id = asked.id
    and c.hidden_at is null and c.erased_at is null and c.merged_into is null
), fresh as (
  select distinct p.id, t.field, t.value from people p cross join lateral (
    select 'tags', jsonb_array_elements_text(p.tags)
    union all select 'interests', jsonb_array_elements_text(p.interests)
    union all select 'skills.name', item ->> 'name' from jsonb_array_elements(p.skills) as item
    union all select 'sources.type', item ->> 'type' from jsonb_array_elements(p.sources) as item
    union all select 'current_company', p.current_company
    union all select 'location.city', p.city
    union all select 'score.tier', p.tier
  ) as t(field, value) where t.value is not null
), before as (
  select pair ->> 0 as field, pair ->> 1 as value
  from asked join counted c on c.candidate_id = asked.id cross join lateral jsonb_array_elements(c.held) as pair
), different as (
  select field, value, sum(n) as people from (
    select field, value, 1 as n from fresh union all select field, value, -1 from before
  ) as all_of group by field, value having sum(n) <> 0
), marked as (
  insert into counted (candidate_id, held)
  select id, jsonb_agg(jsonb_build_array(field, value)) from fresh group by id
  on conflict (tenant_id, candidate_id) do update set held = excluded.held
), unmarked as (
  delete from counted using asked
  where candidate_id = asked.id and not exists (select from fresh where fresh.id = asked.id)
)
insert into facet_counts (field, value, people)
select field, value, people from different order by field, value
on conflict (tenant_id, field, value) do update set people = facet_counts.people + excluded.people
"""  # noqa: S608 (constants)
