import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from app.kit import json
from app.kit.errors import CursorInvalid
from app.kit.paging import LIMIT_DEFAULT, LIMIT_MAX, LimitOutOfRange
from app.kit.routing import EdgeRoute, SessionDep, operation
from app.webhooks import service
from app.webhooks.errors import CursorExpired
from app.webhooks.schemas import ChangePage

STREAM_PAUSE_S = 0.5

router = APIRouter(prefix="/v1/changes", tags=["changes"], route_class=EdgeRoute)


@router.get(
    "",
    summary="Read the change feed",
    **operation("webhooks:read", CursorInvalid, CursorExpired, LimitOutOfRange),
)
async def list_changes(
    session: SessionDep,
    since: Annotated[
        str | None, Query(description="A `next_cursor`; `now` for the end; absent: the oldest kept.")
    ] = None,
    limit: Annotated[int, Query(description="How many entries at most, 1 to 200.")] = LIMIT_DEFAULT,
) -> ChangePage:
    if not 1 <= limit <= LIMIT_MAX:
        raise LimitOutOfRange
    return await service.read_changes(session, since, limit)


@router.get(
    "/stream",
    response_class=StreamingResponse,
    summary="Follow the change feed (server-sent events)",
    **operation("webhooks:read", CursorInvalid, CursorExpired),
)
async def stream_changes(
    request: Request,
    since: Annotated[str | None, Query(description="Where to begin; absent: the oldest kept.")] = None,
    last_event_id: Annotated[str | None, Header(description="The id of the last event that was received.")] = None,
) -> StreamingResponse:
    first = await _page(request, last_event_id or since)
    return StreamingResponse(_follow(request, first), media_type="text/event-stream")


async def _follow(request: Request, page: ChangePage) -> AsyncIterator[bytes]:
    yield b": connected\n\n"
    while not await request.is_disconnected():
        for index, change in enumerate(page.data):
            cursor = page.next_cursor if index == len(page.data) - 1 else service.cursor_after(change.seq)
            yield (
                f"id: {cursor}\nevent: {change.type}\n".encode() + b"data: " + json.dumpb(change.model_dump()) + b"\n\n"
            )
        if not page.has_more:
            await asyncio.sleep(STREAM_PAUSE_S)
        page = await _page(request, page.next_cursor)


async def _page(request: Request, since: str | None) -> ChangePage:
    async with request.app.state.database.transaction(request.state.caller) as session:
        return await service.read_changes(session, since, LIMIT_MAX)
