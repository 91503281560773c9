from collections.abc import Iterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from app.candidates.errors import CandidateErased, CandidateNotFound
from app.candidates.schemas import CandidateRead
from app.directory import service
from app.directory.errors import FilterInvalid
from app.directory.schemas import CandidatePage, CandidateSearch, Filters, RecordRead, Status
from app.directory.sorting import DEFAULT
from app.kit.answer import AnswerDep
from app.kit.errors import CursorInvalid, CursorMismatch, FieldError, SortNotAllowed
from app.kit.paging import LIMIT_DEFAULT, LIMIT_MAX, LimitOutOfRange, Paging, PagingQuery
from app.kit.routing import EdgeRoute, SessionDep, operation
from app.kit.schemas import Page, Timestamp
from app.pools.errors import CriteriaInvalid

router = APIRouter(prefix="/v1/candidates", tags=["candidates"], route_class=EdgeRoute)

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


def body_paging(body: CandidateSearch, request: Request, response: Response) -> Paging:
    """Read the paging of a search out of its body; raises LimitOutOfRange."""
    limit = LIMIT_DEFAULT if body.limit is None else body.limit
    if not 1 <= limit <= LIMIT_MAX:
        raise LimitOutOfRange(errors=[FieldError("/limit", "limit_out_of_range", LimitOutOfRange.sentence())])
    return Paging(limit, body.cursor, bool(body.include), request, response)


@router.get(
    "",
    summary="List candidates",
    **operation("candidates:read", CursorInvalid, CursorMismatch, SortNotAllowed, FilterInvalid, LimitOutOfRange),
)
async def list_candidates(
    session: SessionDep,
    paging: PagingQuery,
    asked: Annotated[Filters, Depends(filters)],
    sort: Annotated[str, Query(description="A field, or `-` and a field.")] = DEFAULT,
) -> Page[CandidateRead]:
    return await service.page(session, paging, asked, sort)


@router.post(
    "/search",
    summary="Search candidates",
    **operation(
        "candidates:read",
        CursorInvalid,
        CursorMismatch,
        SortNotAllowed,
        CriteriaInvalid,
        LimitOutOfRange,
        empty_body=True,
    ),
)
async def search_candidates(
    request: Request, session: SessionDep, response: Response, body: CandidateSearch
) -> CandidatePage:
    return await service.search(session, body_paging(body, request, response), body)


@router.get(
    "/{candidate_id}",
    summary="Read a candidate",
    **operation("candidates:read", CandidateNotFound, CandidateErased),
)
async def read_candidate(session: SessionDep, answer: AnswerDep, candidate_id: UUID) -> CandidateRead:
    candidate = await service.read(session, candidate_id)
    if candidate.id != candidate_id:
        answer.content_location(f"/v1/candidates/{candidate.id}")
    return answer.versioned(candidate)


@router.get(
    "/{candidate_id}/records",
    summary="List the statements that a candidate is made of",
    **operation("candidates:read", CandidateNotFound, CandidateErased, CursorInvalid, CursorMismatch),
)
async def list_candidate_records(session: SessionDep, paging: PagingQuery, candidate_id: UUID) -> Page[RecordRead]:
    return await service.records(session, paging, candidate_id)
