from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, status

from app.kit.answer import AnswerDep, expected
from app.kit.errors import CursorInvalid, CursorMismatch, PreconditionFailed
from app.kit.paging import PagingQuery
from app.kit.routing import EdgeRoute, SessionDep, operation
from app.kit.schemas import Page, Timestamp
from app.tenancy import service
from app.tenancy.errors import ApiKeyNotFound, ScopeNotHeld, TenantNameTaken, UnknownScope
from app.tenancy.models import Tenant
from app.tenancy.schemas import (
    ApiKeyCreate,
    ApiKeyCreated,
    ApiKeyRead,
    ApiKeyRotate,
    AuditFilter,
    AuditKind,
    AuditRead,
    Limits,
    Me,
    TenantRead,
    TenantUpdate,
)

MERGE_PATCH = ("application/json", "application/merge-patch+json")

Words = Annotated[list[str] | None, Query(description="Any of these.")]

router = APIRouter(prefix="/v1", tags=["admin"], route_class=EdgeRoute)
log = APIRouter(prefix="/v1/audit-log", tags=["privacy"], route_class=EdgeRoute)


@router.get("/tenant", summary="Read the tenant's settings", **operation("admin"))
async def read_tenant(session: SessionDep, answer: AnswerDep) -> TenantRead:
    return answer.versioned(await service.read(session))


async def locked(session: SessionDep) -> Tenant:
    """Find the tenant's own row, which is going to be changed."""
    return await service.lock(session)


@router.patch(
    "/tenant",
    summary="Change the tenant's settings",
    **operation("admin", TenantNameTaken, PreconditionFailed, media=MERGE_PATCH),
)
async def update_tenant(
    session: SessionDep, answer: AnswerDep, tenant: Annotated[Tenant, Depends(expected(locked))], body: TenantUpdate
) -> TenantRead:
    return answer.versioned(await service.update(session, tenant, body))


@router.get("/me", summary="Read whom the caller is taken for", **operation("any"))
async def read_me(session: SessionDep) -> Me:
    return await service.me(session)


@router.get("/limits", summary="Read what the caller may ask for", **operation("any"))
async def read_limits(request: Request) -> Limits:
    return service.limits(getattr(request.state, "rate", None))


@router.get("/api-keys", summary="List API keys", **operation("admin"))
async def list_api_keys(session: SessionDep, paging: PagingQuery) -> Page[ApiKeyRead]:
    return await service.list_keys(session, paging)


@router.post(
    "/api-keys",
    status_code=status.HTTP_201_CREATED,
    summary="Make an API key",
    **operation("admin", UnknownScope, ScopeNotHeld, secret="key"),  # noqa: S106 (the member's name)
)
async def create_api_key(session: SessionDep, answer: AnswerDep, body: ApiKeyCreate) -> ApiKeyCreated:
    key = await service.create_key(session, body)
    answer.located(f"/v1/api-keys/{key.id}")
    return key


@router.post(
    "/api-keys/{key_id}/rotate",
    summary="Give an API key a new secret",
    **operation("admin", ApiKeyNotFound, empty_body=True, secret="key"),  # noqa: S106 (the member's name)
)
async def rotate_api_key(request: Request, session: SessionDep, key_id: UUID, body: ApiKeyRotate) -> ApiKeyCreated:
    key = await service.rotate_key(session, key_id, timedelta(seconds=body.overlap_s))
    request.app.state.authenticate.forget(key_id)
    return key


@router.delete(
    "/api-keys/{key_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="End an API key",
    **operation("admin", ApiKeyNotFound),
)
async def delete_api_key(request: Request, session: SessionDep, key_id: UUID) -> None:
    await service.revoke_key(session, key_id)
    request.app.state.authenticate.forget(key_id)


async def audit_filter(
    candidate_id: Annotated[UUID | None, Query(description="Whom it is about.")] = None,
    kind: Annotated[list[AuditKind] | None, Query()] = None,
    actor: Annotated[list[str] | None, Query(description="Such as `key:<id>`.")] = None,
    act_as: Annotated[list[str] | None, Query(description="The person that the key acted for.")] = None,
    action: Annotated[list[str] | None, Query(description="Operation ids, such as `read_candidate`.")] = None,
    resource: Words = None,
    recipient: Words = None,
    at_gte: Annotated[Timestamp | None, Query()] = None,
    at_lt: Annotated[Timestamp | None, Query()] = None,
) -> AuditFilter:
    """Read the filters."""
    return AuditFilter(
        candidate_id=candidate_id,
        kind=kind or (),
        actor=actor or (),
        act_as=act_as or (),
        action=action or (),
        resource=resource or (),
        recipient=recipient or (),
        at_gte=at_gte,
        at_lt=at_lt,
    )


@log.get("", summary="List who read or wrote what of whom", **operation("privacy:read", CursorInvalid, CursorMismatch))
async def list_audit_log(
    session: SessionDep, paging: PagingQuery, narrowed: Annotated[AuditFilter, Depends(audit_filter)]
) -> Page[AuditRead]:
    return await service.audit_log(session, paging, narrowed)
