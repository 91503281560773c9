"""What may be done with the tenant's settings and its keys."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.kit.body import MAX_BODY
from app.kit.clock import now
from app.kit.db import Session
from app.kit.errors import AppError, FieldError
from app.kit.ids import new_id
from app.kit.paging import TOTAL_MAX, Paging
from app.kit.rate import WINDOW_S, Allowance
from app.kit.schemas import Body, Page
from app.tenancy import keys
from app.tenancy.errors import ApiKeyNotFound, ScopeNotHeld, UnknownScope
from app.tenancy.models import ApiKey, Tenant
from app.tenancy.repository import ApiKeyRepository, AuditRepository, TenantRepository
from app.tenancy.schemas import (
    ApiKeyCreate,
    ApiKeyCreated,
    ApiKeyRead,
    AuditFilter,
    AuditRead,
    LimitPolicy,
    Limits,
    Me,
    TenantRead,
    TenantUpdate,
)

MAX_BATCH_ITEMS = 500
KNOWN = "tenant"
SEEN_MAX = 10_000
_seen: dict[UUID, str] = {}
"""Tenant → its region, as this process saw it last."""


async def read(session: Session) -> TenantRead:
    """Return the tenant's settings, read once in a transaction."""
    known: TenantRead | None = session.info.get(KNOWN)
    if known is None:
        known = session.info[KNOWN] = TenantRead.model_validate(await TenantRepository(session).settings())
    return known


async def region(session: Session) -> str:
    """Return where (ISO 3166) numbers are dialled without a country code, as this process saw it last.

    Whoever goes by it has the database repeat it with what is asked anyway, and tells `saw` what that says.
    """
    found = _seen.get(session.tenant_id)
    return found or saw(session, (await read(session)).country_code)


def saw(session: Session, stated: str) -> str:
    """Remember the region that the database states, and return it."""
    if len(_seen) >= SEEN_MAX:
        _seen.clear()
    _seen[session.tenant_id] = stated
    return stated


async def lock(session: Session) -> Tenant:
    """Return the tenant's row, locked, for a change that depends on its version."""
    return await TenantRepository(session).get(lock=True)


async def update(session: Session, tenant: Tenant, patch: TenantUpdate) -> TenantRead:
    """Change the settings that `patch` holds; null clears where there may be none."""
    before = TenantRead.model_validate(tenant)
    for name in patch.model_fields_set - {"version"}:
        setattr(tenant, name, _merged(getattr(tenant, name), getattr(patch, name)))
    after = TenantRead.model_validate(tenant)
    if after == before:
        return before
    tenant.version += 1
    tenant.updated_at = now()
    await TenantRepository(session).save()
    session.info.pop(KNOWN, None)
    return TenantRead.model_validate(tenant)


def _merged(stored: Any, stated: Any) -> Any:  # noqa: ANN401 (a setting's value)
    """Return what a setting is after a patch: documents keep what the patch does not state."""
    if not isinstance(stated, Body):
        return stated
    whole = {**(stored or {}), **stated.model_dump(by_alias=True, exclude_unset=True)}
    return type(stated).model_validate(whole).model_dump(by_alias=True)


async def me(session: Session) -> Me:
    """Return whom the caller is taken for."""
    caller = session.caller
    return Me(
        tenant_id=caller.tenant_id,
        tenant=(await TenantRepository(session).get()).name,
        key_id=caller.key_id,
        actor=caller.actor,
        act_as=caller.act_as,
        scopes=sorted(caller.scopes),
    )


def limits(rate: Allowance | None) -> Limits:
    """Return what a caller may ask for; no policy when there is no rate limit."""
    policies = [] if rate is None else [_policy(rate)]
    return Limits(policies=policies, max_body_bytes=MAX_BODY, max_batch_items=MAX_BATCH_ITEMS)


def _policy(rate: Allowance) -> LimitPolicy:
    return LimitPolicy(
        name="default", quota=rate.quota, window_s=WINDOW_S, remaining=rate.remaining, reset_s=rate.reset_s
    )


async def audit_log(session: Session, paging: Paging, narrowed: AuditFilter) -> Page[AuditRead]:
    """Return who did what to whom, the newest first."""
    bound = ("audit", asdict(narrowed))
    after = paging.after(*bound)
    repository = AuditRepository(session)
    rows = await repository.page(narrowed, after[0] if after else None, paging.limit + 1)
    total = await repository.how_many(repository.asked(narrowed)) if paging.include_total else None
    return paging.page(rows, AuditRead.model_validate, lambda row: [row.n], *bound, total=total)


async def create_key(session: Session, body: ApiKeyCreate) -> ApiKeyCreated:
    """Make a key; raises UnknownScope, ScopeNotHeld."""
    scopes = set(body.scopes)
    if scopes - keys.SCOPES:
        raise UnknownScope(errors=_at(body.scopes, UnknownScope, lambda scope: scope in keys.SCOPES))
    if not keys.narrower(scopes, session.caller.scopes):
        held = session.caller.scopes
        raise ScopeNotHeld(errors=_at(body.scopes, ScopeNotHeld, lambda scope: keys.narrower({scope}, held)))
    secret = ApiKey(key_id=new_id(), name=body.name, scopes=sorted(scopes), expires_at=body.expires_at)
    return await _issue(session, secret)


def _at(scopes: Sequence[str], error: type[AppError], is_right: Callable[[str], bool]) -> list[FieldError]:
    return [
        FieldError(f"/scopes/{place}", error.code, error.sentence())
        for place, scope in enumerate(scopes)
        if not is_right(scope)
    ]


async def list_keys(session: Session, paging: Paging) -> Page[ApiKeyRead]:
    """Return the keys that are alive, the newest first."""
    after = paging.after("api-keys")
    keys_of = ApiKeyRepository(session)
    rows = await keys_of.page(UUID(after[0]) if after else None, paging.limit + 1)
    total = len(await keys_of.all(keys_of.newest_secrets().limit(TOTAL_MAX + 1))) if paging.include_total else None
    return paging.page(rows, _read, lambda row: [row.key_id], "api-keys", total=total)


async def rotate_key(session: Session, key_id: UUID, overlap: timedelta) -> ApiKeyCreated:
    """Give a key a new secret; the old ones live on for `overlap`. Raises ApiKeyNotFound."""
    live = await _live(session, key_id)
    newest = live[0]
    for old in live:
        old.revoked_at = min(old.revoked_at or now() + overlap, now() + overlap)
    secret = ApiKey(key_id=key_id, name=newest.name, scopes=newest.scopes, expires_at=newest.expires_at)
    return await _issue(session, secret)


async def revoke_key(session: Session, key_id: UUID) -> None:
    """End a key with all its secrets; raises ApiKeyNotFound."""
    for secret in await _live(session, key_id):
        secret.revoked_at = now()
    await session.flush()


async def _live(session: Session, key_id: UUID) -> list[ApiKey]:
    live = list(await ApiKeyRepository(session).secrets_of(key_id))
    if not live:
        raise ApiKeyNotFound
    return live


async def _issue(session: Session, secret: ApiKey) -> ApiKeyCreated:
    text = keys.make()
    secret.id_text, secret.sha256 = text.id_text, text.sha256
    await ApiKeyRepository(session).add(secret)
    return ApiKeyCreated(**_read(secret).model_dump(), key=text.text)


def _read(secret: ApiKey) -> ApiKeyRead:
    return ApiKeyRead(
        id=secret.key_id,
        name=secret.name,
        scopes=secret.scopes,
        prefix=f"tp_live_{secret.id_text}",
        created_at=secret.created_at,
        expires_at=secret.expires_at,
        last_used_at=secret.last_used_at,
    )
