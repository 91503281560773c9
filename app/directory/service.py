"""Finding and reading candidates, over everything that is known of them."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from app.candidates import person
from app.candidates import service as candidates
from app.candidates.features import said
from app.candidates.fields import CONTACTS, KEYS
from app.candidates.person import Profile
from app.candidates.schemas import CandidateRead
from app.consent import service as consent
from app.criteria.fold import fold
from app.directory.counting import CountRepository
from app.directory.document import written
from app.directory.repository import (
    Counted,
    DirectoryRepository,
    Question,
    RecordRepository,
    pools_of,
)
from app.directory.schemas import (
    CandidatePage,
    CandidateSearch,
    Filters,
    PoolName,
    RecordRead,
    View,
    WordRead,
)
from app.directory.sorting import DEFAULT, Place, Sort, parse_sort
from app.kit.clock import now
from app.kit.db import Session
from app.kit.errors import Overtaken
from app.kit.json import Written
from app.kit.paging import TOTAL_MAX, Paging
from app.kit.schemas import Page
from app.normalise.emails import parse_email
from app.normalise.phones import parse_phone
from app.normalise.search import query_terms
from app.pools import service as pools
from app.scores import service as scores
from app.scores.schemas import ScoreRow
from app.tenancy import service as tenancy
from app.touchpoints import service as touchpoints

Shown = dict[str, Any]
"""The members of CandidateShown. It is written as it is: schemas would read and write each of a list again."""
ALWAYS: Final = frozenset({"id", "version"})
VOCABULARIES: Final = {
    "skills": "skills.name",
    "interests": "interests",
    "tags": "tags",
    "sources": "sources.type",
    "companies": "current_company",
    "cities": "location.city",
}


async def read(session: Session, candidate_id: UUID, *, hidden: bool = False) -> CandidateRead:
    """Return whom this id means now; with `hidden` also who was deleted.

    Raises CandidateNotFound, CandidateErased, Overtaken.
    """
    live = await candidates.resolve(session, candidate_id, hidden=hidden)
    found = await read_many(session, [live])
    if not found:
        raise Overtaken
    return found[0]


async def read_many(session: Session, ids: Sequence[UUID]) -> list[CandidateRead]:
    """Return these candidates in the order of `ids`."""
    return [CandidateRead.model_validate(each) for each in await _put_together(session, ids, View())]


async def show(session: Session, ids: Sequence[UUID], view: View) -> list[Shown]:
    """Return these candidates in the order of `ids`, as much of them as was asked for."""
    found = await _put_together(session, ids, view)
    if not view.fields and not view.expand:
        return found
    beside = await _expanded(session, ids, view.expand)
    kept = view.fields | ALWAYS if view.fields else CandidateRead.model_fields.keys()
    return [{**{name: each[name] for name in kept}, **beside[each["id"]]} for each in found]


async def show_one(session: Session, candidate_id: UUID, view: View) -> Shown:
    """Return whom this id means now; raises CandidateNotFound, CandidateErased."""
    live = await candidates.resolve(session, candidate_id)
    return (await show(session, [live], view))[0]


async def _rows(
    session: Session, ids: Sequence[UUID], view: View, documents: Sequence[Any]
) -> dict[UUID, Shown | Written]:
    """Return these candidates as rows of a list: as the database wrote them, where it could; raises Overtaken."""
    found: dict[UUID, Shown | Written] = {each.id: each for each in written(documents)}
    others = [each for each in ids if each not in found]
    found |= {each["id"]: each for each in await show(session, others, view)}
    if found.keys() < set(ids):
        raise Overtaken
    return found


async def _put_together(session: Session, ids: Sequence[UUID], view: View) -> list[Shown]:
    """Return these candidates: the one place where a candidate is put together."""
    profiles = await candidates.read_many(session, ids)
    reach = await consent.reach(session, ids if view.shows("can_contact", "email_addresses") else ())
    return [
        person.read(each, can_contact=each.id in reach.contactable, suppressed=reach.suppressed) for each in profiles
    ]


async def _expanded(session: Session, ids: Sequence[UUID], expand: Collection[str]) -> dict[UUID, dict[str, Any]]:
    """Return what is set beside each candidate."""
    found: dict[UUID, dict[str, Any]] = {each: {} for each in ids}
    if ids and "score" in expand:
        for each, score in (await scores.scores_of(session, ids)).items():
            found[each]["score"] = score.model_dump(include=set(ScoreRow.model_fields))
    if ids and "last_touchpoint" in expand:
        for each, touchpoint in (await touchpoints.last_of(session, ids)).items():
            found[each]["last_touchpoint"] = touchpoint.model_dump()
    if ids and "pools" in expand:
        for each in ids:
            found[each]["pools"] = []
        for row in await pools_of(session, ids):
            found[row.candidate_id]["pools"].append(PoolName.model_validate(row).model_dump())
    return found


async def page(session: Session, paging: Paging, filters: Filters, sort: str, view: View) -> Page[Any]:
    """Return one page of the list; raises SortNotAllowed, CursorInvalid, CursorMismatch."""
    order = parse_sort(sort)
    asked = await _question(session, replace(filters, q=""), None, filters.q)
    return await _page(paging, DirectoryRepository(session, asked), order, view, filters, sort)


async def search(session: Session, paging: Paging, body: CandidateSearch, view: View) -> CandidatePage:
    """Return one page of a search, the first one with its facets.

    Raises CriteriaInvalid, PoolNotFound and what `page` raises.
    """
    sort = body.sort or DEFAULT
    order = parse_sort(sort)
    asked = await _question(session, Filters(), body.criteria, body.q or "", exact=True)
    repository = DirectoryRepository(session, asked)
    bound = (body.criteria, body.q or "", sort)
    if not body.facets or body.cursor is not None:
        return CandidatePage.model_construct(**dict(await _page(paging, repository, order, view, *bound)))
    counted = await _counted(repository, list(dict.fromkeys(body.facets)), paging.limit + 1)
    known = counted.newest if sort == DEFAULT else None
    found = await _page(paging, repository, order, view, *bound, known=known)
    counts: dict[str, Any] = {
        name: [{"value": row.value, "count": row.people} for row in counted.values if row.facet == name]
        for name in body.facets
    }
    return CandidatePage.model_construct(**dict(found), facets=counts, facets_are_capped=counted.is_capped or None)


async def _counted(repository: DirectoryRepository, names: Sequence[str], first: int) -> Counted:
    """Count what was found; of everybody the counts are kept."""
    if repository.asked.criteria is None and repository.asked.terms is None:
        return Counted(await CountRepository(repository.session).top(names), is_capped=False, newest=None)
    return await repository.facets(names, first)


async def count(session: Session, ids: Sequence[UUID]) -> None:
    """Bring the kept counts up to these people, who may be gone."""
    await CountRepository(session).settle(ids)


async def words(session: Session, paging: Paging, vocabulary: str, part: str) -> Page[WordRead]:
    """Return the words in use that hold `part`, in their order; raises CursorInvalid, CursorMismatch."""
    bound = ("words", vocabulary, part)
    after = paging.after(*bound)
    found = CountRepository(session)
    field = VOCABULARIES[vocabulary]
    rows = await found.values(field, fold(part), after[0] if after else "", paging.limit + 1)
    total = await found.how_many(field, fold(part)) if paging.include_total else None
    return paging.page(
        rows, lambda row: WordRead(value=row.value, count=row.people), lambda row: [row.value], *bound, total=total
    )


async def records(session: Session, paging: Paging, candidate_id: UUID) -> Page[RecordRead]:
    """Return the statements from which a live candidate is made, the newest first; raises Overtaken."""
    bound = ("records", str(candidate_id))
    rows, total = await RecordRepository(session).of(candidate_id, paging, *bound)
    profile = (await candidates.profiles(session, [candidate_id])).get(candidate_id)
    if profile is None:
        raise Overtaken
    return paging.page(rows, lambda row: _record(row, profile), lambda row: [row.id], *bound, total=total)


async def _question(session: Session, filters: Filters, criteria: object, q: str, *, exact: bool = False) -> Question:
    node = None if criteria is None else await pools.check_criteria(session, criteria, "/criteria")
    return Question(
        filters=filters,
        criteria=node,
        terms=query_terms(q) if q.strip() else None,
        addressed=await _addressed(session, q) if exact and q.strip() else (),
        moment=now() if node is None else now().astimezone(ZoneInfo((await tenancy.read(session)).timezone)),
    )


async def _addressed(session: Session, q: str) -> Sequence[UUID]:
    """Return who has exactly this e-mail address or phone number."""
    if email := parse_email(q):
        found = await candidates.locate(session, "email", [email.key])
    elif phone := parse_phone(q, (await tenancy.read(session)).country_code):
        found = await candidates.locate(session, "phone", [phone.e164])
    else:
        return ()
    return [each for ids in found.values() for each in ids]


async def _page(
    paging: Paging,
    repository: DirectoryRepository,
    sort: Sort,
    view: View,
    *bound: Any,  # noqa: ANN401 (what a cursor is bound to is any JSON)
    known: Sequence[Place] | None = None,
) -> Page[Any]:
    """Return one page of what is found; of the first one the places may be `known`."""
    session = repository.session
    scope = str(session.tenant_id)
    keys = paging.after(*bound)
    after = sort.read(keys, scope) if keys else None
    documents: Sequence[Any] = ()
    if view == View() and repository.asked.is_of_everybody:
        documents = await repository.everybody(sort, after, paging.limit + 1)
        places: Sequence[Place] = [Place(row["place"], row["id"]) for row in documents]
    else:
        places = await repository.page(sort, after, paging.limit + 1) if known is None else known
    total = await repository.count(TOTAL_MAX) if paging.include_total else None
    ids = [place.id for place in places[: paging.limit]]
    if view == View() and not documents:
        documents = await repository.documents(ids)
    shown = await _rows(session, ids, view, documents)
    return paging.page(
        places, lambda place: shown[place.id], lambda place: sort.write(place, scope), *bound, total=total
    )


def _record(row: Any, profile: Profile) -> RecordRead:  # noqa: ANN401 (a row)
    return RecordRead(
        record_id=row.id,
        candidate_id=row.candidate_id,
        first_candidate_id=row.first_candidate_id,
        source=row.source,
        external_id=row.external_id,
        version=row.record_version,
        is_current=row.is_current,
        door=row.door,
        by=row.by,
        received_at=row.received_at,
        fields=row.payload,
        provenance={
            name: "used" if _stands(name, value, str(row.id), profile) else "superseded"
            for name, value in row.payload.items()
        },
    )


def _stands(name: str, stated: Any, record_id: str, profile: Profile) -> bool:  # noqa: ANN401 (any JSON value)
    """Whether the profile shows what a record says of a field: its one value, or at least one of its items."""
    if name not in KEYS:
        return bool(profile.provenance.get(name) == record_id)
    items, shown = said({name: stated}, name)[0], profile.fields[name]
    if name in CONTACTS:
        return not items or any(each["value"] == known["raw"] for each in items for known in shown)
    key = KEYS[name]
    return not items or any(key(each) == key(known) for each in items for known in shown)
