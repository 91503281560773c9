"""The database: one engine a process, and the one helper that opens a transaction inside a tenant.

The tenant and the actor are set with `set_config(…, true)` as the first statement, so they end with the transaction:
row-level security raises on any statement without a tenant, and what is written says by whom. The word commit occurs
here and in no slice.
"""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final, cast
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from uuid import UUID

import asyncpg
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine

from app.kit import json
from app.kit.caller import Caller
from app.kit.statement import Row, positional

APP_ROLE: Final = "talentpool_app"
STATEMENT_TIMEOUT_MS: Final = 60_000
_ENTER: Final = text("select set_config('app.tenant', :tenant, true), set_config('app.actor', :actor, true)")


def driver_url(url: str, driver: str = "postgresql+asyncpg") -> str:
    """Return `url` with the driver named and libpq's `sslmode` spelled as asyncpg knows it."""
    parts = urlsplit(url)
    query = [("ssl" if key == "sslmode" else key, value) for key, value in parse_qsl(parts.query)]
    return urlunsplit((driver, parts.netloc or "", parts.path, urlencode(query), "")).replace(
        f"{driver}:/", f"{driver}:///" if not parts.netloc else f"{driver}:/", 1
    )


class Session(AsyncSession):
    """A session that knows who is calling, and what must be woken once its transaction is committed."""

    @property
    def caller(self) -> Caller:
        return cast("Caller", self.info["caller"])

    @property
    def tenant_id(self) -> UUID:
        return self.caller.tenant_id

    def wake(self, kind: str) -> None:
        """Ask for a wake-up of the drain `kind` after the commit; a lost one costs a second, never work."""
        self.info["wakes"].add(kind)

    async def rows(self, sql: str, /, **parameters: Any) -> list[Any]:  # noqa: ANN401 (SQL parameters)
        """Run a textual statement and return its rows."""
        async with self._driver(sql) as connection:
            statement, values = positional(sql, parameters)
            return list(await connection.fetch(statement, *values))

    async def row(self, sql: str, /, **parameters: Any) -> Any:  # noqa: ANN401 (SQL parameters)
        """Run a textual statement and return its first row, or None."""
        async with self._driver(sql) as connection:
            statement, values = positional(sql, parameters)
            return await connection.fetchrow(statement, *values)

    async def value(self, sql: str, /, **parameters: Any) -> Any:  # noqa: ANN401 (SQL parameters)
        """Run a textual statement and return the first column of its first row, or None."""
        async with self._driver(sql) as connection:
            statement, values = positional(sql, parameters)
            return await connection.fetchval(statement, *values)

    async def run(self, sql: str, /, **parameters: Any) -> int:  # noqa: ANN401 (SQL parameters)
        """Run a textual statement and return how many rows it touched."""
        async with self._driver(sql) as connection:
            statement, values = positional(sql, parameters)
            touched = (await connection.execute(statement, *values)).rpartition(" ")[2]
            return int(touched) if touched.isdigit() else 0

    @asynccontextmanager
    async def _driver(self, sql: str) -> AsyncIterator[asyncpg.Connection]:
        """Give the driver's own connection: textual statements pass SQLAlchemy by, for most of their cost is there."""
        connection = self.info.get("driver")
        if connection is None:
            raw = await (await self.connection()).get_raw_connection()
            connection = self.info["driver"] = raw.driver_connection
        for seen in _watching:
            seen.append(sql)
        try:
            yield connection
        except asyncpg.PostgresError as error:
            raise DBAPIError(None, None, error) from error
        except asyncpg.InterfaceError as error:
            raise InterfaceError(None, None, error) from error


class Database:
    """The engine of one process, and how transactions are opened on it."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        role: str = APP_ROLE,
        on_wake: Callable[[Iterable[str]], None] | None = None,
    ) -> None:
        self.engine: AsyncEngine = create_async_engine(
            driver_url(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=10,
            pool_pre_ping=False,
            json_serializer=json.dumps,
            json_deserializer=json.loads,
            connect_args={
                "timeout": 5,
                "record_class": Row,
                "statement_cache_size": 1024,
                "server_settings": {
                    "role": role,
                    "application_name": "talentpool",
                    "timezone": "UTC",
                    "statement_timeout": str(STATEMENT_TIMEOUT_MS),
                    "idle_in_transaction_session_timeout": "60000",
                    "jit": "off",
                    # A generic plan takes every array for ten items, and is kept while tables grow a thousandfold.
                    "plan_cache_mode": "force_custom_plan",
                },
            },
        )
        self.on_wake = on_wake

    @asynccontextmanager
    async def transaction(self, caller: Caller) -> AsyncIterator[Session]:
        """Open one transaction inside the caller's tenant: leaving the block commits, raising rolls back."""
        session = Session(self.engine, expire_on_commit=False, info={"caller": caller, "wakes": set()})
        async with session, session.begin():
            await session.execute(_ENTER, {"tenant": str(caller.tenant_id), "actor": caller.actor})
            yield session
        if self.on_wake is not None and session.info["wakes"]:
            self.on_wake(session.info["wakes"])

    @asynccontextmanager
    async def outside(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that is in no tenant: only the routing functions answer there."""
        async with self.engine.begin() as connection:
            yield connection

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


_watching: list[list[str]] = []


def count_statements(engine: AsyncEngine, seen: list[str]) -> Callable[[], None]:
    """Append every statement that `engine` and the sessions run to `seen`; call what is returned to stop."""

    def record(*arguments: Any) -> None:  # noqa: ANN401 (SQLAlchemy's event signature)
        seen.append(arguments[2])

    def stop() -> None:
        event.remove(engine.sync_engine, "before_cursor_execute", record)
        _watching.remove(seen)

    event.listen(engine.sync_engine, "before_cursor_execute", record)
    _watching.append(seen)
    return stop
