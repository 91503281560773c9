"""The database: one engine a process, and the one helper that opens a transaction inside a tenant.

The tenant and the actor are set with `set_config(…, true)` together with BEGIN (`Session.alone` is the exception: a
function of ours that sets them, and is a transaction by itself), so they end with the transaction:
row-level security raises on any statement without a tenant, and what is written says by whom. The word commit occurs
here and in no slice.

Transactions and textual statements go to the driver itself: SQLAlchemy would take half the time of a small request.
It joins the same transaction as soon as a session is asked for objects.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from uuid import UUID

import asyncpg
from sqlalchemy import Connection, PoolProxiedConnection, event
from sqlalchemy.exc import DBAPIError, InterfaceError, SQLAlchemyError
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    AsyncSessionTransaction,
    create_async_engine,
)
from sqlalchemy.orm import Session as SyncSession
from sqlalchemy.util import await_only

from app.kit import json
from app.kit.caller import Caller
from app.kit.statement import Row, positional

APP_ROLE: Final = "talentpool_app"
STATEMENT_TIMEOUT_MS: Final = 60_000
_BEGIN: Final = "begin{}; select set_config('app.tenant', '{}', true), set_config('app.actor', '{}', true)"
_ONE_VIEW: Final = " isolation level repeatable read"
_PLANS: Final = {
    by_keys: ", ".join(
        f"set_config('{name}', '{values[by_keys]}', true)"
        for name, values in {
            "plan_cache_mode": ("force_custom_plan", "force_generic_plan"),
            "enable_seqscan": ("on", "off"),
            "enable_hashjoin": ("on", "off"),
            "enable_mergejoin": ("on", "off"),
        }.items()
    )
    for by_keys in (False, True)
}


def driver_url(url: str, driver: str = "postgresql+asyncpg") -> str:
    """Return `url` with the driver named and libpq's `sslmode` spelled as asyncpg knows it."""
    parts = urlsplit(url)
    query = [("ssl" if key == "sslmode" else key, value) for key, value in parse_qsl(parts.query)]
    return urlunsplit((driver, parts.netloc or "", parts.path, urlencode(query), "")).replace(
        f"{driver}:/", f"{driver}:///" if not parts.netloc else f"{driver}:/", 1
    )


class _Joining(SyncSession):
    """SQLAlchemy's own session, on the connection on which the transaction is open already."""

    def get_bind(self, *_: Any, **__: Any) -> Connection:  # noqa: ANN401 (whatever is asked for)
        found: Connection | None = self.info.get("connection")
        if found is None:
            await_only(begin(self.info))
            whole = Connection(self.info["engine"].sync_engine, self.info["borrowed"])
            found = self.info["connection"] = whole.execution_options(isolation_level="AUTOCOMMIT")
        return found


class Session(AsyncSession):
    """A session that knows who is calling, and what must be woken once its transaction is committed."""

    sync_session_class = _Joining

    @property
    def caller(self) -> Caller:
        return cast("Caller", self.info["caller"])

    @property
    def tenant_id(self) -> UUID:
        return self.caller.tenant_id

    async def plan(self, *, by_keys: bool) -> None:
        """Have the statements from here on planned by keys, or each for its values (`Database.transaction`)."""
        if by_keys == self.info["by_keys"]:
            return
        self.info["by_keys"] = by_keys
        if "begin" not in self.info:
            await self._call("execute", f"select {_PLANS[by_keys]}", {})

    def wake(self, kind: str) -> None:
        """Ask for a wake-up of the drain `kind` after the commit; a lost one costs a second, never work."""
        self.info["wakes"].add(kind)

    async def rows(self, sql: str, /, **parameters: Any) -> list[Any]:  # noqa: ANN401 (SQL parameters)
        """Run a textual statement and return its rows."""
        rows: list[Any] = await self._ask("fetch", sql, parameters)
        return rows

    async def row(self, sql: str, /, **parameters: Any) -> Any:  # noqa: ANN401 (SQL parameters)
        """Run a textual statement and return its first row, or None."""
        return await self._ask("fetchrow", sql, parameters)

    async def value(self, sql: str, /, **parameters: Any) -> Any:  # noqa: ANN401 (SQL parameters)
        """Run a textual statement and return the first column of its first row, or None."""
        return await self._ask("fetchval", sql, parameters)

    async def run(self, sql: str, /, **parameters: Any) -> int:  # noqa: ANN401 (SQL parameters)
        """Run a textual statement and return how many rows it touched."""
        touched = (await self._ask("execute", sql, parameters)).rpartition(" ")[2]
        return int(touched) if touched.isdigit() else 0

    async def alone(self, sql: str, /, **parameters: Any) -> Any:  # noqa: ANN401 (SQL parameters)
        """Run a statement that enters the tenant by itself, and return its value; what came before is kept with it.

        Where nothing came before, as in a transaction by keys nothing need have, it is a transaction of its own: it is
        committed when this returns, and what comes afterwards does not undo it.
        """
        return await self._call("fetchval", sql, parameters)

    async def savepoint(self) -> AsyncSessionTransaction:
        """Begin what can be rolled back by itself, textual statements included."""
        begun = await self.begin_nested()
        await self.connection()  # SQLAlchemy sets the savepoint when it is first asked for the connection
        return begun

    async def copy(self, sql: str, output: Path, **form: str) -> None:
        """Write the rows of a textual query without parameters to a file, as CSV with a header.

        `form` may name the `delimiter` and the `quote`.
        """
        await begin(self.info)
        with _translated():
            connection = _driver_of(self.info["borrowed"])
            await connection.copy_from_query(sql, output=str(output), format="csv", header=True, **form)

    async def _ask(self, how: str, sql: str, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401 (the driver's answer)
        await begin(self.info)
        return await self._call(how, sql, parameters)

    async def _call(self, how: str, sql: str, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401 (the driver's answer)
        """Ask the driver's own connection: textual statements pass SQLAlchemy by, for most of their cost is there."""
        for seen in _watching:
            seen.append(sql)
        statement, values = positional(sql, parameters)
        with _translated():
            return await getattr(_driver_of(self.info["borrowed"]), how)(statement, *values)


async def begin(info: dict[str, Any]) -> None:
    """Begin the transaction of a session with this `info`, unless that was done."""
    statement = info.pop("begin", None)
    if statement is None:
        return
    if info["by_keys"]:
        statement = f"{statement}, {_PLANS[True]}"
    for seen in _watching:
        seen.append(_BEGIN)
    with _translated():
        await _driver_of(info["borrowed"]).execute(statement)


@contextmanager
def _translated() -> Iterator[None]:
    """Raise what the driver raises as SQLAlchemy would."""
    try:
        yield
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
        helped: bool = True,
        on_wake: Callable[[Iterable[str]], None] | None = None,
    ) -> None:
        """Connect to nothing yet; unless `helped`, each statement runs in one process of the server.

        To start others takes longer than what a request asks for, and many requests want the cores at once.
        """
        self.engine: AsyncEngine = create_async_engine(
            driver_url(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=10,
            pool_pre_ping=False,
            pool_use_lifo=True,  # the connection that was used last knows its plans, and the server's caches know it
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
                    **({} if helped else {"max_parallel_workers_per_gather": "0"}),
                },
            },
        )
        self.on_wake = on_wake

    @asynccontextmanager
    async def transaction(
        self, caller: Caller, *, by_keys: bool = False, one_view: bool = False
    ) -> AsyncIterator[Session]:
        """Open one transaction inside the caller's tenant: leaving the block commits, raising rolls back.

        With `by_keys` each statement is planned once a connection, as one that finds its rows by indexes, whatever is
        known of the tables at that moment: for small work, of which planning would be the larger part. Such a
        transaction begins with its first statement. With `one_view` all statements see what was there at the first.
        """
        borrowed = await self._borrow()
        info = {"caller": caller, "wakes": set(), "engine": self.engine, "borrowed": borrowed, "by_keys": by_keys}
        info["begin"] = _BEGIN.format(_ONE_VIEW if one_view else "", caller.tenant_id, caller.actor.replace("'", "''"))
        session = Session(expire_on_commit=False, info=info)
        try:
            if not by_keys:
                await begin(session.info)
            yield session
            if session.in_transaction():
                await session.commit()  # writes what objects hold; the connection's transaction ends below
                await session.close()
            if "begin" not in session.info:
                with _translated():
                    await _driver_of(borrowed).execute("commit")
        except BaseException:
            await asyncio.shield(_abandon(session, borrowed))
            raise
        borrowed.close()
        if self.on_wake is not None and session.info["wakes"]:
            self.on_wake(session.info["wakes"])

    async def _borrow(self) -> PoolProxiedConnection:
        """Take a connection of the pool; one that the server has closed meanwhile is replaced."""
        while True:
            borrowed = await self.engine.raw_connection()
            if not _driver_of(borrowed).is_closed():
                return borrowed
            borrowed.invalidate()

    @asynccontextmanager
    async def outside(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that is in no tenant: only the routing functions answer there."""
        async with self.engine.begin() as connection:
            yield connection

    async def routed(self, sql: str, /, **parameters: Any) -> Any:  # noqa: ANN401 (SQL parameters)
        """Return what a routing function says, in a transaction of its own that is in no tenant."""
        borrowed = await self._borrow()
        statement, values = positional(sql, parameters)
        try:
            with _translated():
                found = await _driver_of(borrowed).fetchval(statement, *values)
        except BaseException:
            borrowed.invalidate()
            raise
        borrowed.close()
        return found

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


def _driver_of(borrowed: PoolProxiedConnection) -> asyncpg.Connection:
    return cast("asyncpg.Connection", borrowed.driver_connection)


async def _abandon(session: Session, borrowed: PoolProxiedConnection) -> None:
    """Undo the transaction and give the connection back; one that cannot do even that is given up."""
    try:
        await session.close()
        if borrowed.is_valid:  # SQLAlchemy gives up a connection on which it was interrupted
            await _driver_of(borrowed).execute("rollback")
        borrowed.close()
    except (asyncpg.PostgresError, asyncpg.InterfaceError, SQLAlchemyError, OSError):
        borrowed.invalidate()


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
