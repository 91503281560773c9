from uuid import UUID

from sqlalchemy import text

from app.kit.db import Database, Session
from app.kit.repository import ResourceRepository
from app.kit.routing import RETRIED
from app.pages.models import PageToken


class PageTokenRepository(ResourceRepository[PageToken]):
    model = PageToken

    async def by_hash(self, token_hash: bytes, *, lock: bool) -> PageToken | None:
        """Return the link with this token, locked when something is going to be done."""
        statement = self.visible().where(PageToken.token_hash == token_hash)
        return await self.first(statement.with_for_update() if lock else statement)


async def tenant_of(database: Database, token_hash: bytes) -> UUID | None:
    """Return whose link this is."""
    async with database.outside() as connection:
        found: UUID | None = (
            await connection.execute(text("select page_route(:given)"), {"given": token_hash})
        ).scalar()
        return found


def is_conflict(error: Exception) -> bool:
    """Say whether a transaction only met another one, so that it may be run again."""
    return str(getattr(getattr(error, "orig", None), "sqlstate", None) or "") in RETRIED


async def tenants_waiting(database: Database, kind: str) -> list[UUID]:
    """Return tenants in which something of this kind is due."""
    async with database.outside() as connection:
        return list((await connection.execute(text("select due_tenants(:kind, 100)"), {"kind": kind})).scalars())


async def claim(session: Session, kind: str, lease_s: int) -> list[UUID]:
    """Take what is due of a kind for a while; return its keys."""
    rows = await session.rows(
        """update due set due_at = clock_timestamp() + make_interval(secs => :lease_s), attempts = attempts + 1
           where kind = :kind and key = any(array(
             select key from due where kind = :kind and due_at <= now() order by due_at limit 20
             for update skip locked))
           returning key""",
        kind=kind,
        lease_s=lease_s,
    )
    return [row.key for row in rows]


async def settle(session: Session, kind: str, key: UUID, most: int | None = None) -> None:
    """Forget what was due; with `most` only when it was tried that often."""
    await session.run(
        "delete from due where kind = :kind and key = :key and (cast(:most as int) is null or attempts >= :most)",
        kind=kind,
        key=key,
        most=most,
    )


async def url_of(session: Session, message_id: UUID, n: int) -> str | None:
    """Return where a link of a mail leads."""
    found: str | None = await session.value(
        "select url from message_links where message_id = :message_id and n = :n", message_id=message_id, n=n
    )
    return found
