from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, status

from app.contents import service
from app.contents.errors import ContentKeyTaken, ContentNotFound
from app.contents.models import Content
from app.contents.schemas import ContentPatch, ContentRead, ContentWrite, Kind, Status
from app.kit.answer import AnswerDep, expected
from app.kit.errors import PreconditionFailed
from app.kit.paging import PagingQuery
from app.kit.routing import EdgeRoute, SessionDep, operation
from app.kit.schemas import Page

MERGE_PATCH = ("application/json", "application/merge-patch+json")

router = APIRouter(prefix="/v1/contents", tags=["sequences"], route_class=EdgeRoute)


async def locked(session: SessionDep, content_id: UUID) -> Content:
    """Find a content that is going to be changed."""
    return await service.find(session, content_id, lock=True)


LockedContent = Annotated[Content, Depends(expected(locked))]


@router.post(
    "", status_code=status.HTTP_201_CREATED, summary="Make a content", **operation("sequences:write", ContentKeyTaken)
)
async def create_content(session: SessionDep, answer: AnswerDep, body: ContentWrite) -> ContentRead:
    content = await service.create(session, body)
    return answer.created(content, f"/v1/contents/{content.id}")


@router.get("", summary="List contents", **operation("sequences:read"))
async def list_contents(
    session: SessionDep,
    paging: PagingQuery,
    kind: Annotated[list[Kind] | None, Query()] = None,
    status: Annotated[list[Status] | None, Query()] = None,
) -> Page[ContentRead]:
    return await service.page(session, paging, [*(kind or [])], [*(status or [])])


@router.get("/{content_id}", summary="Read a content", **operation("sequences:read", ContentNotFound))
async def read_content(session: SessionDep, answer: AnswerDep, content_id: UUID) -> ContentRead:
    return answer.versioned(await service.read(session, content_id))


@router.put(
    "/{content_id}",
    summary="Replace a content",
    **operation("sequences:write", ContentNotFound, ContentKeyTaken, PreconditionFailed),
)
async def replace_content(
    session: SessionDep, answer: AnswerDep, content: LockedContent, body: ContentWrite
) -> ContentRead:
    return answer.versioned(await service.replace(session, content, body))


@router.patch(
    "/{content_id}",
    summary="Change a content",
    **operation("sequences:write", ContentNotFound, ContentKeyTaken, PreconditionFailed, media=MERGE_PATCH),
)
async def update_content(
    session: SessionDep, answer: AnswerDep, content: LockedContent, body: ContentPatch
) -> ContentRead:
    return answer.versioned(await service.change(session, content, body))
