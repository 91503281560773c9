"""Making tenants and keys from the command line, where there is no caller yet."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from app.kit import caller
from app.kit.clock import now
from app.kit.db import Database, Session
from app.kit.ids import new_id
from app.tenancy import keys
from app.tenancy.errors import UnknownScope
from app.tenancy.models import ApiKey, Tenant
from app.tenancy.repository import ApiKeyRepository


async def create_key(database_url: str, tenant: str, scopes: Sequence[str], name: str) -> str:
    """Make the tenant if it is new, and a key of it; return the key's text. Raises UnknownScope."""
    database = Database(database_url, pool_size=1)
    try:
        _, key = await issue(database, tenant, scopes, name)
    finally:
        await database.close()
    return key


async def issue(database: Database, tenant: str, scopes: Sequence[str], name: str) -> tuple[UUID, str]:
    """Make the tenant if it is new, and a key of it; return the tenant's id and the key's text. Raises UnknownScope."""
    if set(scopes) - keys.SCOPES:
        raise UnknownScope
    tenant_id = await _ensure_tenant(database, tenant)
    key = keys.make()
    async with database.transaction(caller.system(tenant_id, "bootstrap")) as session:
        await ApiKeyRepository(session).add(
            ApiKey(key_id=new_id(), id_text=key.id_text, sha256=key.sha256, name=name, scopes=sorted(set(scopes)))
        )
    return tenant_id, key.text


async def works(database_url: str, key: str) -> bool:
    """Whether `key` is alive in this database."""
    parsed = keys.parse(key)
    if parsed is None:
        return False
    database = Database(database_url, pool_size=1)
    try:
        async with database.outside() as connection:
            tenant_id = (await connection.execute(text("select auth_key(:id)"), {"id": parsed.id_text})).scalar()
        if tenant_id is None:
            return False
        async with database.transaction(caller.system(tenant_id, "bootstrap")) as session:
            row = await session.row("select sha256, revoked_at from api_keys where id_text = :id", id=parsed.id_text)
        return row is not None and row.sha256 == parsed.sha256 and row.revoked_at is None
    finally:
        await database.close()


async def find_tenant(database: Database, name: str) -> UUID | None:
    """Return the id of the tenant of this name."""
    async with database.outside() as connection:
        found: UUID | None = (await connection.execute(text("select tenant_named(:name)"), {"name": name})).scalar()
    return found


async def _ensure_tenant(database: Database, name: str) -> UUID:
    known = await find_tenant(database, name)
    if known is not None:
        return known
    tenant_id = new_id()
    async with database.transaction(caller.system(tenant_id, "bootstrap")) as session:
        await _fill(session, Tenant(id=tenant_id, name=name, created_at=now()))
    return tenant_id


async def _fill(session: Session, tenant: Tenant) -> None:
    session.add(tenant)
    await session.flush()
