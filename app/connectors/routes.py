from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response, status

from app.connectors import reception, service
from app.connectors.errors import (
    ConnectionNotFound,
    DeliveryNotFound,
    HookNotFound,
    HookRefused,
    NotRedrivable,
    Overloaded,
    ProviderAway,
    SecretInvalid,
    SettingsInvalid,
    UnknownProvider,
)
from app.connectors.models import Connection
from app.connectors.schemas import (
    ConnectionCreate,
    ConnectionRead,
    ConnectionUpdate,
    DeliveryRead,
    Preview,
    PreviewBody,
    ProviderRead,
    SecretRotate,
    Status,
)
from app.connectors.signals import Call
from app.kit.answer import AnswerDep, expected
from app.kit.body import MAX_BODY
from app.kit.errors import CursorInvalid, CursorMismatch, PreconditionFailed, TooLarge
from app.kit.paging import LimitOutOfRange, PagingQuery
from app.kit.routing import EdgeRoute, SessionDep, operation
from app.kit.schemas import Page

MERGE_PATCH = ("application/json", "application/merge-patch+json")
LIST_ERRORS = (CursorInvalid, CursorMismatch, LimitOutOfRange)

router = APIRouter(prefix="/v1", tags=["connectors"], route_class=EdgeRoute)
hooks = APIRouter(prefix="/v1/hooks", tags=["connectors"])
"""Not under the edge's rules: any query and any body are the sender's, who has no key of ours."""


async def found(session: SessionDep, connection_id: UUID) -> Connection:
    return await service.find(session, connection_id)


async def locked(session: SessionDep, connection_id: UUID) -> Connection:
    return await service.find(session, connection_id, lock=True)


Found = Annotated[Connection, Depends(found)]
Locked = Annotated[Connection, Depends(expected(locked))]


@router.get("/providers", summary="List the providers that can be connected", **operation("connectors:read"))
async def list_providers() -> Page[ProviderRead]:
    return service.providers()


@router.post(
    "/connections",
    status_code=status.HTTP_201_CREATED,
    summary="Connect a provider",
    **operation("connectors:write", UnknownProvider, SettingsInvalid, SecretInvalid),
)
async def create_connection(session: SessionDep, answer: AnswerDep, body: ConnectionCreate) -> ConnectionRead:
    connection = await service.create(session, body)
    return answer.created(connection, f"/v1/connections/{connection.id}")


@router.get("/connections", summary="List connections", **operation("connectors:read", *LIST_ERRORS))
async def list_connections(session: SessionDep, paging: PagingQuery) -> Page[ConnectionRead]:
    return await service.list_connections(session, paging)


@router.get(
    "/connections/{connection_id}",
    summary="Read a connection and its counts",
    **operation("connectors:read", ConnectionNotFound),
)
async def read_connection(session: SessionDep, answer: AnswerDep, connection: Found) -> ConnectionRead:
    return answer.versioned(await service.read(session, connection))


@router.patch(
    "/connections/{connection_id}",
    summary="Change a connection",
    **operation(
        "connectors:write", ConnectionNotFound, PreconditionFailed, SettingsInvalid, SecretInvalid, media=MERGE_PATCH
    ),
)
async def update_connection(
    session: SessionDep, answer: AnswerDep, connection: Locked, body: ConnectionUpdate
) -> ConnectionRead:
    return answer.versioned(await service.update(session, connection, body))


@router.delete(
    "/connections/{connection_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="End a connection",
    **operation("connectors:write", ConnectionNotFound, PreconditionFailed),
)
async def delete_connection(session: SessionDep, connection: Locked) -> None:
    await service.remove(session, connection)


@router.post(
    "/connections/{connection_id}/secret/rotate",
    summary="Take a new secret",
    **operation("connectors:write", ConnectionNotFound, PreconditionFailed, SecretInvalid),
)
async def rotate_connection_secret(
    session: SessionDep, answer: AnswerDep, connection: Locked, body: SecretRotate
) -> ConnectionRead:
    return answer.versioned(await service.rotate(session, connection, body))


@router.post(
    "/connections/{connection_id}/preview",
    summary="Show what a body would become",
    **operation("connectors:read", ConnectionNotFound),
)
async def preview_connection(connection: Found, body: PreviewBody) -> Preview:
    return service.preview(connection, body)


@router.get(
    "/connections/{connection_id}/deliveries",
    summary="List what came and what became of it",
    **operation("connectors:read", ConnectionNotFound, *LIST_ERRORS),
)
async def list_connection_deliveries(
    session: SessionDep,
    connection: Found,
    paging: PagingQuery,
    status: Annotated[list[Status] | None, Query(description="Repeated for any of.")] = None,
) -> Page[DeliveryRead]:
    return await service.list_deliveries(session, connection, status or [], paging)


@router.post(
    "/connections/{connection_id}/deliveries/{delivery_id}/redrive",
    summary="Read a delivery again",
    **operation("connectors:write", ConnectionNotFound, DeliveryNotFound, NotRedrivable),
)
async def redrive_delivery(session: SessionDep, connection: Found, delivery_id: UUID) -> DeliveryRead:
    return await service.redrive(session, connection, delivery_id)


_receive: dict[str, Any] = operation("public", HookNotFound, HookRefused, TooLarge, Overloaded, ProviderAway)
_receive["responses"][200] = {
    "description": "The provider asked for a proof, as Zoom does for a new address.",
    "content": {
        "application/json": {"schema": {"type": "object"}, "example": {"plainToken": "qgg8", "encryptedToken": "23a8"}}
    },
}


@hooks.post(
    "/{connection_id}", status_code=status.HTTP_204_NO_CONTENT, summary="Receive what a provider tells", **_receive
)
async def receive_hook(request: Request, connection_id: UUID) -> Response:
    tenant_id = await reception.hook_tenant(request.app.state.database, connection_id)
    call = Call(request.url.query, dict(request.headers), await _body(request))
    answer = await reception.receive(request.app.state.database, tenant_id, connection_id, call)
    return Response(answer.body, answer.status, media_type=answer.media_type if answer.body else None)


@hooks.head(
    "/{connection_id}",
    summary="Check that a hook is there",
    response_class=Response,
    **operation("public", HookNotFound, Overloaded),
)
async def probe_hook(request: Request, connection_id: UUID) -> Response:
    await reception.hook_tenant(request.app.state.database, connection_id)
    return Response()


async def _body(request: Request) -> bytes | None:
    """Read the body before any transaction is open, for a sender may be slow; None when it is too large."""
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > MAX_BODY:
            return None
    return bytes(received)
