"""The statements of lists and searches: what is asked, in which order, from which place on."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal, or_, tuple_

from app.candidates.facts import LIVE
from app.candidates.models import Candidate, ExternalId, Record, Term
from app.criteria import sql
from app.criteria.tree import Node
from app.directory import document
from app.directory.errors import SavedSearchKeyTaken
from app.directory.facets import counts
from app.directory.models import SavedSearch
from app.directory.narrowing import needed, rest
from app.directory.schemas import FACET_SAMPLE, Filters
from app.directory.sorting import Place, Sort
from app.kit.columns import TENANT
from app.kit.db import Session
from app.kit.errors import AppError
from app.kit.paging import Paging
from app.kit.repository import Repository, ResourceRepository
from app.normalise.search import is_open
from app.pools.criteria_fields import ADAPTERS
from app.pools.criteria_fields import read as read_criteria
from app.pools.models import PoolMember

Condition = ColumnElement[bool]
Keys = tuple[ColumnElement[Any], ColumnElement[UUID]]
FILED_BY: Final = "created_at"
"""The order in which people are filed: of it alone it is no matter how what is asked lies in it."""
FEW: Final = 10_000
"""So many are looked up one by one, however they lie in the order asked for."""
MANY: Final = 100_000
"""So many are gathered into a set, and everybody is looked for in it in the order asked for.

People of one name lie together among the names: on the way to them each of the others would be asked for its terms.
"""

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

    @property
    def is_of_everybody(self) -> bool:
        """Whether nothing is asked: what is first is told by the index of the order, however many there are."""
        return self.filters == Filters() and self.criteria is None and self.terms is None

    @property
    def is_of_names(self) -> bool:
        """Whether nothing is asked but under which terms they are filed."""
        is_bare = self.filters == Filters() and self.criteria is None
        return is_bare and bool(self.terms) and not self.addressed


@dataclass(frozen=True, slots=True)
class Counted:
    """What a search counts: (facet, value, people) of each value, whether there are more people, the newest of them."""

    values: Sequence[Any]
    is_capped: bool
    newest: Sequence[Place] | None


class DirectoryRepository(Repository[Candidate]):
    """What is found by one question."""

    model = Candidate

    def __init__(self, session: Session, asked: Question) -> None:
        super().__init__(session)
        self.asked = asked

    async def page(self, sort: Sort, after: Place | None, limit: int) -> list[Place]:
        """Return the next `limit` places: those with a value first, then, when they run out, those without."""
        await self.session.plan(by_keys=self.asked.is_of_everybody)
        if self.asked.is_of_names and sort.column == FILED_BY:
            return await self._named(sort, after, limit)
        column = getattr(Candidate, sort.column)
        people, keys = self._found, (column, Candidate.id.expression)
        filings, place = (MANY + 1, 0) if sort.column == FILED_BY else await self._fewest()
        if FEW < filings <= MANY:
            people = self._people(gathered=place)
        elif filings <= FEW:
            met = people.add_columns(column.label("place")).cte("met").prefix_with("materialized")
            people, keys = met.select().with_only_columns(met.c.id), (met.c.place, met.c.id)
        found: list[Place] = []
        if after is None or after.value is not None:
            filled = people.where(keys[0].is_not(None)).add_columns(keys[0])
            found = await self._places(_from(filled, keys, sort, after).limit(limit))
        if len(found) < limit and column.nullable:
            empty = people.where(keys[0].is_(None)).add_columns(literal(None))
            rest = after if after is not None and after.value is None else None
            found += await self._places(_from_id(empty, keys[1], sort, rest).limit(limit - len(found)))
        return found

    async def _named(self, sort: Sort, after: Place | None, limit: int) -> list[Place]:
        """Return the next places of whoever is filed under the terms, in the order in which people are filed."""
        condition, order = sort.filled(after)
        terms, values = [], dict[str, str]()
        for place, term in enumerate(self.asked.terms or ()):
            values |= {f"term_{place}": term, **({f"last_{place}": _last(term)} if is_open(term) else {})}
            met = f"t.term >= :term_{place} and t.term <= :last_{place}" if is_open(term) else f"t.term = :term_{place}"
            terms.append(f"exists (select from terms t where t.candidate_id = c.id and {met})")
        rows = await self.session.rows(
            f"""select c.id, c.{sort.column} as place from candidates c
                where {LIVE} and {condition} and {" and ".join(terms)} order by {order} limit :limit""",  # noqa: S608 (constants)
            **values,
            **({} if after is None else {"value": after.value, "id": after.id}),
            limit=limit,
        )
        return [Place(row["place"], row["id"]) for row in rows]

    async def documents(self, ids: Sequence[UUID]) -> list[Any]:
        """Return candidates as the database writes them (`document.COLUMNS`)."""
        await self.session.plan(by_keys=True)
        return await self.session.rows(
            f"""select {document.COLUMNS} from candidates c
                where c.tenant_id = {TENANT} and c.id = any(:ids) and {LIVE}""",  # noqa: S608 (constants)
            **document.asked(self.asked.moment),
            ids=list(ids),
        )

    async def everybody(self, sort: Sort, after: Place | None, limit: int) -> list[Any]:
        """Return the next of all people as the database writes them (`document.COLUMNS`), with their `place`."""
        rows: list[Any] = []
        if after is None or after.value is not None:
            rows = await self._walk(sort.filled(after), sort, after, limit)
        if len(rows) < limit and getattr(Candidate, sort.column).nullable:
            rest = after if after is not None and after.value is None else None
            rows += await self._walk(sort.empty(rest), sort, rest, limit - len(rows))
        return rows

    async def _walk(self, said: tuple[str, str], sort: Sort, after: Place | None, limit: int) -> list[Any]:
        condition, order = said
        return await self.session.rows(
            f"""select {document.COLUMNS}, c.{sort.column} as place from candidates c
                where {LIVE} and {condition} order by {order} limit :limit""",  # noqa: S608 (constants)
            **document.asked(self.asked.moment),
            **({} if after is None else {"value": after.value, "id": after.id}),
            limit=limit,
        )

    async def _fewest(self) -> tuple[int, int]:
        """Count the filings of the handle that has fewest, up to one more than `MANY`; return which handle that is.

        The planner cannot see that a name and its place among names go together, and would walk past everybody.
        """
        known = TermRepository(self.session)
        counted = [(await known.count(handle, MANY), place) for place, handle in enumerate(_handles(self.asked))]
        return min(counted, default=(MANY + 1, 0))

    async def count(self, at_most: int) -> int:
        """Count what is found, up to one more than `at_most`."""
        some = self._found.limit(at_most + 1).subquery()
        return int(
            await self.session.scalar(some.select().with_only_columns(func.count(), maintain_column_froms=True)) or 0
        )

    async def facets(self, names: Sequence[str], first: int) -> Counted:
        """Count values over the newest that are found, and return the `first` of them."""
        rows = (await self.session.execute(counts(self._found, names, first))).all()
        total = next(row.people for row in rows if not row.facet and row.id is None)
        return Counted(
            values=[row for row in rows if row.facet],
            is_capped=total > FACET_SAMPLE,
            newest=[Place(row.created_at, row.id) for row in rows if row.id is not None],
        )

    @cached_property
    def _found(self) -> Select[Any]:
        return self._people()

    def _people(self, gathered: int | None = None) -> Select[Any]:
        """Select who is found, looking for them in a set of those whom the handle at the place `gathered` holds."""
        narrowed = _narrowed(self.asked, TermRepository(self.session), gathered)
        conditions = [*_standing(self.asked.filters), *narrowed, *_filtered(self.asked)]
        return self.visible().with_only_columns(Candidate.id).where(*conditions)

    async def _places(self, statement: Select[Any]) -> list[Place]:
        return [Place(value, candidate_id) for candidate_id, value in (await self.session.execute(statement)).all()]


def _from(statement: Select[Any], keys: Keys, sort: Sort, after: Place | None) -> Select[Any]:
    column, key = keys
    order = column.desc() if sort.descending else column.asc()
    statement = statement.order_by(order, key.desc() if sort.id_descending else key.asc())
    if after is None:
        return statement
    if sort.id_descending == sort.descending:
        here, there = tuple_(column, key), tuple_(after.value, after.id)
        return statement.where(here < there if sort.descending else here > there)
    beyond = column < after.value if sort.descending else column > after.value
    same = and_(column == after.value, _after_id(key, sort, after))
    boundary = column <= after.value if sort.descending else column >= after.value
    return statement.where(boundary, or_(beyond, same))


def _from_id(statement: Select[Any], key: ColumnElement[UUID], sort: Sort, after: Place | None) -> Select[Any]:
    statement = statement.order_by(key.desc() if sort.id_descending else key.asc())
    return statement if after is None else statement.where(_after_id(key, sort, after))


def _after_id(key: ColumnElement[UUID], sort: Sort, after: Place) -> Condition:
    return key < after.id if sort.id_descending else key > after.id


def _standing(filters: Filters) -> list[Condition]:
    kept: list[Condition] = [Candidate.erased_at.is_(None), Candidate.merged_into.is_(None)]
    if not filters.status or set(filters.status) == {"active"}:
        return [*kept, Candidate.hidden_at.is_(None)]
    return kept if "active" in filters.status else [*kept, Candidate.hidden_at.is_not(None)]


def _nodes(asked: Question) -> Iterator[Node]:
    """Yield what is asked as criteria: the filters that are leaves of one, and the criteria themselves."""
    for name, field in _LEAVES.items():
        if wanted := getattr(asked.filters, name):
            yield read_criteria({"field": field, "op": "has_any", "value": wanted}, "")
    if asked.filters.source:
        named = ("sources.name", "external_ids.source")
        yield read_criteria(
            {"any": [{"field": each, "op": "has_any", "value": asked.filters.source} for each in named]}, ""
        )
    if asked.criteria is not None:
        yield asked.criteria


def _filtered(asked: Question) -> Iterator[Condition]:
    filters = asked.filters
    for node in _nodes(asked):
        if (left := rest(node)) is not None:
            yield sql.compiled(left, ADAPTERS, asked.moment)
    if filters.external_id:
        given = tuple_(ExternalId.source, ExternalId.external_id).in_(filters.external_id)
        yield exists().where(ExternalId.candidate_id == Candidate.id, given)
    if filters.pool_id:
        yield exists().where(PoolMember.candidate_id == Candidate.id, PoolMember.pool_id.in_(filters.pool_id))
    for column in ("created_at", "updated_at", "last_interaction_at"):
        for end, compare in _RANGES.items():
            if (value := getattr(filters, f"{column}_{end}")) is not None:
                yield compare(getattr(Candidate, column), value)


def _handles(asked: Question) -> Iterator[Condition]:
    """Yield what an index of terms can answer of what is asked; whoever is found is filed under each."""
    if not asked.addressed:
        yield from map(_begins, asked.terms or ())
    for node in _nodes(asked):
        yield from (Term.term.in_(sorted(terms)) for terms in needed(node))


def _narrowed(asked: Question, terms: "TermRepository", gathered: int | None) -> Iterator[Condition]:
    """Yield the conditions under which a candidate's terms meet what is asked."""
    for place, handle in enumerate(_handles(asked)):
        if place == gathered:  # a condition that is no join, and a limit that says that the set is small enough
            yield Candidate.id.in_(terms.filed(handle).limit(MANY)).is_(True)
        else:
            yield exists().where(handle, Term.candidate_id == Candidate.id)
    if asked.terms is not None and not asked.terms:
        yield Candidate.id.in_(asked.addressed)
    elif asked.terms and asked.addressed:
        named = and_(*(exists().where(_begins(term), Term.candidate_id == Candidate.id) for term in asked.terms))
        yield or_(named, Candidate.id.in_(asked.addressed))


def _begins(term: str) -> Condition:
    """Say that it is this term, or one that begins so where that is enough: one range of an index."""
    return and_(Term.term >= term, Term.term <= _last(term)) if is_open(term) else Term.term == term


def _last(term: str) -> str:
    """Return the last of the terms that begin so."""
    return term + chr(sys.maxunicode)


class TermRepository(Repository[Term]):
    model = Term

    def filed(self, handle: Condition) -> Select[Any]:
        """Select the people of the filings that a handle takes hold of."""
        return self.visible().with_only_columns(Term.candidate_id).where(handle)

    async def count(self, handle: Condition, at_most: int) -> int:
        """Count the filings that a handle takes hold of, up to one more than `at_most`."""
        some = self.filed(handle).limit(at_most + 1).subquery()
        counted = some.select().with_only_columns(func.count(), maintain_column_froms=True)
        return int(await self.session.scalar(counted) or 0)


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
