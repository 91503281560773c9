"""Which processes live: each holds a lock of the database for as long as its connection stands.

A process that is killed loses the connection, and so the lock, at once: others need not wait for its leases to end.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.kit.db import Database

IS_GONE: Final = "pg_try_advisory_xact_lock_shared(hashtextextended(cast({worker} as text), 7))"
"""SQL that is true when the process `{worker}` (a column of ids) does not live."""
_TAKE: Final = text("select pg_advisory_lock(hashtextextended(:worker, 7))")
_GIVE: Final = text("select pg_advisory_unlock(hashtextextended(:worker, 7))")


class Presence:
    """The connection that says that a process lives."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def check(self) -> None:
        """Raise when the connection is lost, and with it the presence."""
        await self._connection.execute(text("select 1"))


@asynccontextmanager
async def held(database: Database, worker: UUID) -> AsyncIterator[Presence]:
    """Be present as `worker` inside the block."""
    connection = await (await database.engine.connect()).execution_options(isolation_level="AUTOCOMMIT")
    try:
        await connection.execute(_TAKE, {"worker": str(worker)})
        yield Presence(connection)
        await connection.execute(_GIVE, {"worker": str(worker)})
    except BaseException:
        await connection.invalidate()  # a pooled connection must not keep the lock
        raise
    finally:
        await connection.close()
