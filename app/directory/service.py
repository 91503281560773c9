"""Finding and reading candidates, over everything that is known of them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.candidates import person
from app.candidates import service as candidates
from app.candidates.features import said
from app.candidates.fields import CONTACTS, KEYS
from app.candidates.person import Profile
from app.candidates.schemas import CandidateRead
from app.consent import service as consent
from app.directory.repository import DirectoryRepository, Question, RecordRepository
from app.directory.schemas import CandidatePage, CandidateSearch, FacetCount, Filters, RecordRead
from app.directory.sorting import DEFAULT, Sort, parse_sort
from app.kit.clock import now
from app.kit.db import Session
from app.kit.paging import TOTAL_MAX, Paging
from app.kit.schemas import Page
from app.normalise.emails import parse_email
from app.normalise.phones import parse_phone
from app.normalise.search import query_terms
from app.pools.criteria_fields import read as read_criteria
from app.tenancy import service as tenancy


async def read(session: Session, candidate_id: UUID, *, hidden: bool = False) -> CandidateRead:
    """Return whom this id means now; with `hidden` also who was deleted. Raises CandidateNotFound, CandidateErased."""
    live = await candidates.resolve(session, candidate_id, hidden=hidden)
    return (await read_many(session, [live]))[0]


async def read_many(session: Session, ids: Sequence[UUID]) -> list[CandidateRead]:
    """Return these candidates in the order of `ids`: the one place where a candidate is put together."""
    profiles = await candidates.read_many(session, ids)
    contactable = await consent.contactable(session, ids) if ids else set()
    shown = {address for profile in profiles for address in profile.email_keys()}
    suppressed = await consent.suppressed(session, "email", shown) if shown else set()
    return [person.read(each, can_contact=each.id in contactable, suppressed=suppressed) for each in profiles]


async def page(session: Session, paging: Paging, filters: Filters, sort: str) -> Page[CandidateRead]:
    """Return one page of the list; raises SortNotAllowed, CursorInvalid, CursorMismatch."""
    order = parse_sort(sort)
    asked = await _question(session, replace(filters, q=""), None, filters.q)
    return await _page(session, paging, asked, order, filters, sort)


async def search(session: Session, paging: Paging, body: CandidateSearch) -> CandidatePage:
    """Return one page of a search, the first one with its facets; raises CriteriaInvalid and what `page` raises."""
    sort = body.sort or DEFAULT
    order = parse_sort(sort)
    asked = await _question(session, Filters(), body.criteria, body.q or "", exact=True)
    found = await _page(session, paging, asked, order, body.criteria, body.q or "", sort, sorted(body.facets))
    if not body.facets or body.cursor is not None:
        return CandidatePage(**dict(found))
    rows, capped = await DirectoryRepository(session).facets(asked, body.facets)
    counts: dict[str, list[FacetCount]] = {
        name: [FacetCount(value=row.value, count=row.n) for row in rows if row.facet == name] for name in body.facets
    }
    return CandidatePage(**dict(found), facets=counts, facets_are_capped=capped or None)


async def records(session: Session, paging: Paging, candidate_id: UUID) -> Page[RecordRead]:
    """Return the statements from which a candidate is made, the newest first; raises CandidateNotFound."""
    live = await candidates.resolve(session, candidate_id)
    bound = ("records", str(live))
    rows, total = await RecordRepository(session).of(live, paging, *bound)
    profile = (await candidates.profiles(session, [live]))[live]
    return paging.page(rows, lambda row: _record(row, profile), lambda row: [row.id], *bound, total=total)


async def _question(session: Session, filters: Filters, criteria: object, q: str, *, exact: bool = False) -> Question:
    tenant = await tenancy.read(session)
    return Question(
        filters=filters,
        criteria=None if criteria is None else read_criteria(criteria, "/criteria"),
        terms=query_terms(q) if q.strip() else None,
        addressed=await _addressed(session, q, tenant.country_code) if exact else (),
        moment=now().astimezone(ZoneInfo(tenant.timezone)),
    )


async def _addressed(session: Session, q: str, country: str) -> Sequence[UUID]:
    """Return who has exactly this e-mail address or phone number."""
    if email := parse_email(q):
        found = await candidates.locate(session, "email", [email.key])
    elif phone := parse_phone(q, country):
        found = await candidates.locate(session, "phone", [phone.e164])
    else:
        return ()
    return [each for ids in found.values() for each in ids]


async def _page(session: Session, paging: Paging, asked: Question, sort: Sort, *bound: Any) -> Page[CandidateRead]:  # noqa: ANN401 (what a cursor is bound to is any JSON)
    scope = str(session.tenant_id)
    keys = paging.after(*bound)
    found = DirectoryRepository(session)
    places = await found.page(asked, sort, sort.read(keys, scope) if keys else None, paging.limit + 1)
    shown = await read_many(session, [place.id for place in places[: paging.limit]])
    read_of = {candidate.id: candidate for candidate in shown}
    total = await found.count(asked, TOTAL_MAX) if paging.include_total else None
    return paging.page(
        places, lambda place: read_of[place.id], lambda place: sort.write(place, scope), *bound, total=total
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
