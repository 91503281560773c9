from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, status

from app.candidates import service as candidates
from app.candidates.errors import CandidateErased, CandidateNotFound
from app.kit.answer import AnswerDep
from app.kit.body import JsonRequest
from app.kit.errors import CursorInvalid, CursorMismatch, Malformed, TooLarge, TooManyItems, UnsupportedMediaType
from app.kit.paging import LimitOutOfRange, PagingQuery
from app.kit.routing import EdgeRoute, SessionDep, operation
from app.kit.schemas import Page, Timestamp
from app.touchpoints import batch, service
from app.touchpoints.errors import InvalidEmail, InvalidPhone, PersonNotFound, TouchpointNotFound, UnknownType
from app.touchpoints.models import Touchpoint
from app.touchpoints.schemas import (
    Filter,
    TouchpointBatch,
    TouchpointIn,
    TouchpointRead,
    TouchpointUpdate,
    UnmatchedRead,
)
from app.touchpoints.trust import Actor

MERGE_PATCH = ("application/json", "application/merge-patch+json")
BATCH_MEDIA = ("application/json", batch.NDJSON)
BATCH_MAX_BODY = 16 << 20
LISTED = (CursorInvalid, CursorMismatch, LimitOutOfRange)

_ONE = {"$ref": "#/components/schemas/TouchpointIn"}
BATCH_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {"type": "array", "items": _ONE, "maxItems": batch.MAX_ITEMS},
            "example": [TouchpointIn.model_config["json_schema_extra"]["example"]],  # type: ignore[index]  # a dict, in schemas
        },
        batch.NDJSON: {"schema": {"type": "string", "description": "One touchpoint a line."}},
    },
}

router = APIRouter(prefix="/v1", tags=["touchpoints"], route_class=EdgeRoute)


async def narrowed(
    type_: Annotated[list[str] | None, Query(alias="type", description="One of these types.")] = None,
    source: Annotated[list[str] | None, Query(description="One of these sources.")] = None,
    actor: Annotated[list[Actor] | None, Query(description="One of these actors.")] = None,
    occurred_at_gte: Annotated[Timestamp | None, Query(description="Happened then or later.")] = None,
    occurred_at_lt: Annotated[Timestamp | None, Query(description="Happened earlier.")] = None,
) -> Filter:
    return Filter(
        types=tuple(type_ or ()),
        sources=tuple(source or ()),
        actors=tuple(actor or ()),
        since=occurred_at_gte,
        before=occurred_at_lt,
    )


Narrowed = Annotated[Filter, Depends(narrowed)]


async def items(request: Request) -> list[batch.Item]:
    raw = await request.body()
    media = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if isinstance(request, JsonRequest) and (raw.strip() or media != batch.NDJSON):
        await request.check_media()
    found = batch.read(raw, media)
    if isinstance(request, JsonRequest):
        request.batch_size = len(found)
    return found


async def found(session: SessionDep, touchpoint_id: UUID) -> Touchpoint:
    return await service.get(session, touchpoint_id)


async def found_for_change(session: SessionDep, touchpoint_id: UUID) -> Touchpoint:
    return await service.get(session, touchpoint_id, lock=True)


async def live_candidate(session: SessionDep, candidate_id: UUID) -> UUID:
    return await candidates.resolve(session, candidate_id)


_create: dict[str, Any] = operation(
    "touchpoints:write", PersonNotFound, UnknownType, InvalidEmail, InvalidPhone, by_keys=True
)
_create["responses"][200] = {"model": TouchpointRead, "description": "A repeat: what was stored first."}


@router.post("/touchpoints", status_code=status.HTTP_201_CREATED, summary="Store what happened", **_create)
async def create_touchpoint(session: SessionDep, answer: AnswerDep, body: TouchpointIn) -> TouchpointRead:
    touchpoint, is_new = await service.create(session, body)
    answer.located(f"/v1/touchpoints/{touchpoint.id}", 201 if is_new else 200)
    return touchpoint


@router.post(
    "/touchpoints/batch",
    status_code=status.HTTP_207_MULTI_STATUS,
    summary="Store much that happened: a JSON array, or NDJSON",
    **operation(
        "touchpoints:write",
        Malformed,
        TooLarge,
        TooManyItems,
        UnsupportedMediaType,
        media=BATCH_MEDIA,
        max_body=BATCH_MAX_BODY,
        requestBody=BATCH_BODY,
    ),
)
async def create_touchpoints(session: SessionDep, sent: Annotated[list[batch.Item], Depends(items)]) -> TouchpointBatch:
    return await service.create_many(session, sent)


@router.get(
    "/touchpoints", summary="List touchpoints, the last that came first", **operation("touchpoints:read", *LISTED)
)
async def list_touchpoints(
    session: SessionDep,
    paging: PagingQuery,
    asked: Narrowed,
    candidate_id: Annotated[list[UUID] | None, Query(description="Of one of these candidates.")] = None,
) -> Page[TouchpointRead]:
    return await service.list_newest(session, paging, asked, tuple(candidate_id or ()))


@router.get(
    "/touchpoints/unmatched",
    summary="List touchpoints whose person is not known yet",
    **operation("touchpoints:read", *LISTED),
)
async def list_unmatched_touchpoints(session: SessionDep, paging: PagingQuery) -> Page[UnmatchedRead]:
    return await service.list_unmatched(session, paging)


@router.get(
    "/touchpoints/{touchpoint_id}", summary="Read a touchpoint", **operation("touchpoints:read", TouchpointNotFound)
)
async def read_touchpoint(touchpoint: Annotated[Touchpoint, Depends(found)]) -> TouchpointRead:
    return service.read(touchpoint)


@router.patch(
    "/touchpoints/{touchpoint_id}",
    summary="Say who it was: a person's verdict, which stays",
    **operation("touchpoints:write", TouchpointNotFound, media=MERGE_PATCH),
)
async def update_touchpoint(
    session: SessionDep, touchpoint: Annotated[Touchpoint, Depends(found_for_change)], body: TouchpointUpdate
) -> TouchpointRead:
    return await service.judge(session, touchpoint, body)


@router.get(
    "/candidates/{candidate_id}/touchpoints",
    summary="List a candidate's touchpoints, the last that happened first",
    **operation("touchpoints:read", CandidateNotFound, CandidateErased, *LISTED),
)
async def list_candidate_touchpoints(
    session: SessionDep,
    answer: AnswerDep,
    paging: PagingQuery,
    asked: Narrowed,
    candidate_id: UUID,
    live: Annotated[UUID, Depends(live_candidate)],
) -> Page[TouchpointRead]:
    if live != candidate_id:
        answer.content_location(f"/v1/candidates/{live}/touchpoints")
    return await service.list_timeline(session, paging, asked, live)
