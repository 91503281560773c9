"""What the plan that an empty tenant leaves on a connection reads for a tenant of many."""

from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy import text

from app.kit.db import Database, Session
from tests.conftest import TenantFixture

FEW = 100
FETCHED = """
select coalesce(sum(idx_tup_fetch + seq_tup_read), 0)::int from pg_stat_xact_user_tables where relname = any(:tables)
"""
LookUp = Callable[[Session, Sequence[str]], Awaitable[tuple[int, int]]]
"""Asks for a few people; returns how many rows were found, and how many were read for it."""


async def read(session: Session, tables: Sequence[str]) -> int:
    """Return how many rows of these tables this transaction has read."""
    return int(await session.value(FETCHED, tables=list(tables)))


async def after_nobody(
    url: str,
    nobody: TenantFixture,
    many: TenantFixture,
    crowd: str,
    tables: Sequence[str],
    look_up: LookUp,
    *,
    by_keys: bool,
) -> tuple[int, int]:
    """Make the `crowd`, look up on one connection for nobody first, then return what `look_up` does for many."""
    one = Database(url, pool_size=1)
    async with one.transaction(many.caller) as session:
        await session.run(crowd)
    owner = Database(url, pool_size=1, role="talentpool_owner")
    async with owner.outside() as connection:
        await connection.execute(text(f"analyze {', '.join(tables)}"))
    await owner.close()
    async with one.transaction(nobody.caller, by_keys=by_keys) as session:
        assert (await look_up(session, tables))[0] == 0
    async with one.transaction(many.caller, by_keys=by_keys) as session:
        found = await look_up(session, tables)
    await one.close()
    return found
