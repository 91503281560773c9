from datetime import timedelta
from uuid import UUID

from fastapi import APIRouter, Request, status

from app.kit.answer import AnswerDep
from app.kit.errors import PreconditionFailed
from app.kit.paging import PagingQuery
from app.kit.routing import EdgeRoute, SessionDep, operation
from app.kit.schemas import Page
from app.tenancy import service
from app.tenancy.errors import ApiKeyNotFound, ScopeNotHeld, TenantNameTaken, UnknownScope
from app.tenancy.schemas import (
    ApiKeyCreate,
    ApiKeyCreated,
    ApiKeyRead,
    ApiKeyRotate,
    Limits,
    Me,
    TenantRead,
    TenantUpdate,
)

MERGE_PATCH = ("application/json", "application/merge-patch+json")

router = APIRouter(prefix="/v1", tags=["admin"], route_class=EdgeRoute)


@router.get("/tenant", summary="Read the tenant's settings", **operation("admin"))
async def read_tenant(session: SessionDep, answer: AnswerDep) -> TenantRead:
    return answer.versioned(await service.read(session))


@router.patch(
    "/tenant",
    summary="Change the tenant's settings",
    **operation("admin", TenantNameTaken, PreconditionFailed, media=MERGE_PATCH),
)
async def update_tenant(session: SessionDep, answer: AnswerDep, body: TenantUpdate) -> TenantRead:
    tenant = await service.lock(session)
    answer.expect(tenant.version)
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
