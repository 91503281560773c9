from collections.abc import Iterable, Iterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response, status

from app.candidates import definitions
from app.candidates import service as candidates
from app.candidates.definitions import CustomField
from app.candidates.errors import (
    CandidateErased,
    CandidateNotFound,
    CustomFieldInvalid,
    CustomFieldKeyTaken,
    CustomFieldNotFound,
)
from app.candidates.schemas import CandidateRead, CustomFieldCreate, CustomFieldRead, CustomFieldUpdate
from app.directory import saved, service
from app.directory.errors import FilterInvalid, SavedSearchKeyTaken, SavedSearchNotFound, ViewInvalid
from app.directory.models import SavedSearch
from app.directory.schemas import (
    CandidatePage,
    CandidateSearch,
    CandidateShown,
    Expansion,
    Filters,
    RecordRead,
    SavedSearchCreate,
    SavedSearchRead,
    SavedSearchUpdate,
    Status,
    View,
    Vocabulary,
    WordRead,
)
from app.directory.sorting import DEFAULT
from app.kit.answer import AnswerDep, expected
from app.kit.errors import CursorInvalid, CursorMismatch, FieldError, PreconditionFailed, SortNotAllowed
from app.kit.paging import LIMIT_DEFAULT, LIMIT_MAX, LimitOutOfRange, Paging, PagingQuery
from app.kit.routing import EdgeRoute, SessionDep, operation
from app.kit.schemas import Page, Timestamp
from app.pools.errors import CriteriaInvalid, PoolNotFound

MERGE_PATCH = ("application/json", "application/merge-patch+json")

router = APIRouter(prefix="/v1/candidates", tags=["candidates"], route_class=EdgeRoute)
custom_fields = APIRouter(prefix="/v1/custom-fields", tags=["candidates"], route_class=EdgeRoute)
saved_searches = APIRouter(prefix="/v1/saved-searches", tags=["candidates"], route_class=EdgeRoute)
vocabularies = APIRouter(prefix="/v1/vocabularies", tags=["candidates"], route_class=EdgeRoute)

Words = Annotated[list[str] | None, Query(description="Any of these.")]
Moment = Annotated[Timestamp | None, Query()]


async def filters(
    tag: Words = None,
    skill: Words = None,
    interest: Words = None,
    source_type: Words = None,
    source: Words = None,
    external_id: Annotated[list[str] | None, Query(description="`source:id`, any of these.")] = None,
    pool_id: Annotated[list[UUID] | None, Query()] = None,
    status: Annotated[list[Status] | None, Query(description="`hidden` lists who can be restored.")] = None,
    created_at_gte: Moment = None,
    created_at_lt: Moment = None,
    updated_at_gte: Moment = None,
    updated_at_lt: Moment = None,
    last_interaction_at_gte: Moment = None,
    last_interaction_at_lt: Moment = None,
    q: Annotated[str, Query(max_length=500, description="Names in any script, companies, skills.")] = "",
) -> Filters:
    """Read the filters; raises FilterInvalid."""
    return Filters(
        tag=tag or (),
        skill=skill or (),
        interest=interest or (),
        source_type=source_type or (),
        source=source or (),
        external_id=tuple(_external_ids(external_id or ())),
        pool_id=pool_id or (),
        status=status or (),
        created_at_gte=created_at_gte,
        created_at_lt=created_at_lt,
        updated_at_gte=updated_at_gte,
        updated_at_lt=updated_at_lt,
        last_interaction_at_gte=last_interaction_at_gte,
        last_interaction_at_lt=last_interaction_at_lt,
        q=q,
    )


def _external_ids(given: list[str] | tuple[()]) -> Iterator[tuple[str, str]]:
    for text in given:
        source, colon, external_id = text.partition(":")
        if not (source and colon and external_id):
            raise FilterInvalid(
                errors=[FieldError("/query/external_id", "invalid_filter", "This must be `source:id`.")]
            )
        yield source, external_id


def read_view(fields: Iterable[str], expand: Iterable[Expansion], pointer: str) -> View:
    """Read how much is to be answered; raises ViewInvalid."""
    names = frozenset(name for each in fields for name in each.split(",") if name)
    if names - CandidateRead.model_fields.keys():
        raise ViewInvalid(errors=[FieldError(pointer, ViewInvalid.code, ViewInvalid.sentence())])
    return View(names, frozenset(expand))


async def view(
    fields: Annotated[
        list[str] | None, Query(description="Only these members, `id` and `version`: the others are absent.")
    ] = None,
    expand: Annotated[list[Expansion] | None, Query(description="What is set beside each candidate.")] = None,
) -> View:
    """Read how much is to be answered; raises ViewInvalid."""
    return read_view(fields or (), expand or (), "/query/fields")


ViewQuery = Annotated[View, Depends(view)]


def body_paging(body: CandidateSearch, request: Request, response: Response) -> Paging:
    """Read the paging of a search out of its body; raises LimitOutOfRange."""
    limit = LIMIT_DEFAULT if body.limit is None else body.limit
    if not 1 <= limit <= LIMIT_MAX:
        raise LimitOutOfRange(errors=[FieldError("/limit", "limit_out_of_range", LimitOutOfRange.sentence())])
    return Paging(limit, body.cursor, bool(body.include), request, response)


@router.get(
    "",
    summary="List candidates",
    response_model=Page[CandidateShown],
    **operation(
        "candidates:read",
        CursorInvalid,
        CursorMismatch,
        SortNotAllowed,
        FilterInvalid,
        LimitOutOfRange,
        ViewInvalid,
        by_keys=True,
    ),
)
async def list_candidates(
    session: SessionDep,
    paging: PagingQuery,
    asked: Annotated[Filters, Depends(filters)],
    view: ViewQuery,
    sort: Annotated[str, Query(description="A field, or `-` and a field.")] = DEFAULT,
) -> Response:
    return paging.plain(await service.page(session, paging, asked, sort, view))


@router.post(
    "/search",
    summary="Search candidates",
    response_model=CandidatePage,
    **operation(
        "candidates:read",
        CursorInvalid,
        CursorMismatch,
        SortNotAllowed,
        CriteriaInvalid,
        PoolNotFound,
        LimitOutOfRange,
        ViewInvalid,
        empty_body=True,
    ),
)
async def search_candidates(
    request: Request, session: SessionDep, response: Response, body: CandidateSearch
) -> Response:
    paging, view = body_paging(body, request, response), read_view(body.fields, body.expand, "/fields")
    return paging.plain(await service.search(session, paging, body, view))


@router.get(
    "/{candidate_id}",
    summary="Read a candidate",
    response_model=CandidateShown,
    **operation("candidates:read", CandidateNotFound, CandidateErased, ViewInvalid),
)
async def read_candidate(session: SessionDep, answer: AnswerDep, view: ViewQuery, candidate_id: UUID) -> Response:
    candidate = await service.show_one(session, candidate_id, view)
    if candidate["id"] != candidate_id:
        answer.content_location(f"/v1/candidates/{candidate['id']}")
    return answer.plain(candidate)


@router.get(
    "/{candidate_id}/records",
    summary="List the statements that a candidate is made of",
    **operation("candidates:read", CandidateNotFound, CandidateErased, CursorInvalid, CursorMismatch),
)
async def list_candidate_records(
    session: SessionDep, answer: AnswerDep, paging: PagingQuery, candidate_id: UUID
) -> Page[RecordRead]:
    live = await candidates.resolve(session, candidate_id)
    if live != candidate_id:
        answer.content_location(f"/v1/candidates/{live}/records")
    return await service.records(session, paging, live)


@vocabularies.get(
    "/{vocabulary}",
    summary="List the words in use",
    **operation("candidates:read", CursorInvalid, CursorMismatch, LimitOutOfRange),
)
async def list_words(
    session: SessionDep,
    paging: PagingQuery,
    vocabulary: Vocabulary,
    q: Annotated[str, Query(max_length=200, description="A part of the word, case and width aside.")] = "",
) -> Page[WordRead]:
    return await service.words(session, paging, vocabulary, q)


async def found_search(session: SessionDep, search_id: UUID) -> SavedSearch:
    """Find a saved search that is read."""
    return await saved.find(session, search_id)


async def locked_search(session: SessionDep, search_id: UUID) -> SavedSearch:
    """Find a saved search that is going to be changed."""
    return await saved.find(session, search_id, lock=True)


FoundSearch = Annotated[SavedSearch, Depends(found_search)]
LockedSearch = Annotated[SavedSearch, Depends(expected(locked_search))]


@saved_searches.post(
    "",
    status_code=status.HTTP_201_CREATED,
    summary="Save a search",
    **operation("candidates:write", CriteriaInvalid, PoolNotFound, SortNotAllowed, SavedSearchKeyTaken),
)
async def create_saved_search(session: SessionDep, answer: AnswerDep, body: SavedSearchCreate) -> SavedSearchRead:
    made = await saved.create(session, body)
    return answer.created(made, f"/v1/saved-searches/{made.id}")


@saved_searches.get(
    "",
    summary="List saved searches",
    **operation("candidates:read", CursorInvalid, CursorMismatch, LimitOutOfRange),
)
async def list_saved_searches(session: SessionDep, paging: PagingQuery) -> Page[SavedSearchRead]:
    return await saved.page(session, paging)


@saved_searches.get("/{search_id}", summary="Read a saved search", **operation("candidates:read", SavedSearchNotFound))
async def read_saved_search(search: FoundSearch, answer: AnswerDep) -> SavedSearchRead:
    return answer.versioned(SavedSearchRead.model_validate(search))


@saved_searches.patch(
    "/{search_id}",
    summary="Change a saved search",
    **operation(
        "candidates:write",
        SavedSearchNotFound,
        CriteriaInvalid,
        PoolNotFound,
        SortNotAllowed,
        SavedSearchKeyTaken,
        PreconditionFailed,
        media=MERGE_PATCH,
    ),
)
async def update_saved_search(
    session: SessionDep, answer: AnswerDep, search: LockedSearch, body: SavedSearchUpdate
) -> SavedSearchRead:
    return answer.versioned(await saved.change(session, search, body))


@saved_searches.delete(
    "/{search_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Forget a saved search",
    **operation("candidates:write", SavedSearchNotFound, PreconditionFailed),
)
async def delete_saved_search(session: SessionDep, search: LockedSearch) -> None:
    await saved.remove(session, search)


async def found_field(session: SessionDep, field_id: UUID) -> CustomField:
    """Find the definition of a custom field that is read."""
    return await definitions.find(session, field_id)


async def locked_field(session: SessionDep, field_id: UUID) -> CustomField:
    """Find the definition of a custom field that is going to be changed."""
    return await definitions.find(session, field_id, lock=True)


FoundField = Annotated[CustomField, Depends(found_field)]
LockedField = Annotated[CustomField, Depends(expected(locked_field))]


@custom_fields.post(
    "",
    status_code=status.HTTP_201_CREATED,
    summary="Define a custom field",
    **operation("candidates:write", CustomFieldInvalid, CustomFieldKeyTaken),
)
async def create_custom_field(session: SessionDep, answer: AnswerDep, body: CustomFieldCreate) -> CustomFieldRead:
    made = await definitions.create(session, body)
    return answer.created(made, f"/v1/custom-fields/{made.id}")


@custom_fields.get(
    "",
    summary="List custom fields",
    **operation("candidates:read", CursorInvalid, CursorMismatch, LimitOutOfRange),
)
async def list_custom_fields(session: SessionDep, paging: PagingQuery) -> Page[CustomFieldRead]:
    return await definitions.page(session, paging)


@custom_fields.get("/{field_id}", summary="Read a custom field", **operation("candidates:read", CustomFieldNotFound))
async def read_custom_field(field: FoundField, answer: AnswerDep) -> CustomFieldRead:
    return answer.versioned(CustomFieldRead.model_validate(field))


@custom_fields.patch(
    "/{field_id}",
    summary="Change a custom field",
    **operation("candidates:write", CustomFieldNotFound, CustomFieldInvalid, PreconditionFailed, media=MERGE_PATCH),
)
async def update_custom_field(
    session: SessionDep, answer: AnswerDep, field: LockedField, body: CustomFieldUpdate
) -> CustomFieldRead:
    return answer.versioned(await definitions.change(session, field, body))


@custom_fields.delete(
    "/{field_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Take away the definition of a custom field",
    **operation("candidates:write", CustomFieldNotFound, PreconditionFailed),
)
async def delete_custom_field(session: SessionDep, field: LockedField) -> None:
    await definitions.remove(session, field)
