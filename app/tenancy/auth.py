"""Who is calling: a bearer key becomes a Caller, remembered for half a second so that a revocation acts at once."""

import asyncio
import time
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from fastapi import Request
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.kit import caller, crypto
from app.kit.caller import Caller
from app.kit.clock import now
from app.kit.db import Database
from app.kit.errors import Unauthorized
from app.tenancy import keys

REMEMBERED_S: Final = 0.5
REMEMBERED_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Known:
    sha256: bytes
    tenant_id: UUID
    key_id: UUID
    scopes: frozenset[str]
    origins: frozenset[str]
    until: float


async def names_origin(database: Database, origin: str) -> bool:
    """Whether any tenant lets pages of this origin read its answers; none while the database is away."""
    try:
        async with database.outside() as connection:
            found = await connection.execute(text("select origin_route(:origin)"), {"origin": origin})
            return found.scalar() is not None
    except (OSError, DBAPIError, PoolTimeout):
        return False


class KeyAuthenticator:
    """Answers who a request comes from; raises Unauthorized."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, _Known] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    async def __call__(self, request: Request) -> Caller:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        key = keys.parse(given.strip()) if scheme.lower() == "bearer" else None
        if key is None:
            raise Unauthorized
        known = self._known.get(key.id_text)
        if known is None or known.until < time.monotonic():
            known = await self._look_up_once(key)
        if not crypto.same(known.sha256, key.sha256):
            raise Unauthorized
        return Caller(
            tenant_id=known.tenant_id,
            actor=f"key:{known.key_id}",
            scopes=known.scopes,
            key_id=known.key_id,
            act_as=request.headers.get("Act-As-User"),
            request_id=request.state.request_id,
            origins=known.origins,
        )

    def forget(self, key_id: UUID) -> None:
        """Look this key up again when it comes next: it is being ended."""
        for id_text in [each for each, known in self._known.items() if known.key_id == key_id]:
            del self._known[id_text]

    async def _look_up_once(self, key: keys.KeyText) -> _Known:
        """Look up for everybody who waits for the same key."""
        try:
            async with self._turns.setdefault(key.id_text, asyncio.Lock()):
                known = self._known.get(key.id_text)
                return known if known is not None and known.until >= time.monotonic() else await self._look_up(key)
        finally:
            self._turns.pop(key.id_text, None)

    async def _look_up(self, key: keys.KeyText) -> _Known:
        tenant_id = await self._database.routed("select auth_key(:id_text)", id_text=key.id_text)
        if tenant_id is None:
            raise Unauthorized
        async with self._database.transaction(caller.system(tenant_id, "auth"), by_keys=True) as session:
            row = await session.row(
                """select k.id, k.key_id, k.sha256, k.scopes, k.expires_at, k.revoked_at, t.allowed_origins,
                     coalesce(k.last_used_at, '-infinity') < now() - interval '1 minute' as is_noted_late
                   from api_keys k join tenants t on t.id = k.tenant_id where k.id_text = :id_text""",
                id_text=key.id_text,
            )
            if row is None or any(end is not None and end <= now() for end in (row.expires_at, row.revoked_at)):
                self._known.pop(key.id_text, None)
                raise Unauthorized
            if row.is_noted_late:
                await session.run("update api_keys set last_used_at = now() where id = :id", id=row.id)
        if len(self._known) >= REMEMBERED_MAX:
            self._known.clear()
        known = _Known(
            row.sha256,
            tenant_id,
            row.key_id,
            frozenset(row.scopes),
            frozenset(row.allowed_origins),
            time.monotonic() + REMEMBERED_S,
        )
        self._known[key.id_text] = known
        return known
