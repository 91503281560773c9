"""Pools of several sizes on one server: each a database that is loaded once, and copied for every measurement."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg
from alembic.script import ScriptDirectory

from app.kit import json, migrate
from app.kit.db import Database
from app.kit.embedded import PostgresServer, start_postgres
from app.tenancy import bootstrap
from benchmarks import crowd

TUNING: Final = {"shared_buffers": "4GB", "max_wal_size": "16GB"}
"""A server for a million people: its memory holds what is asked for."""

_COPY: Final = "measured"
_SCHEMA: Final = "create schema bench; create table bench.scores (like scores including all)"


@dataclass(frozen=True)
class Ground:
    """A database with a tenant: as the product sees it, and as no policy holds."""

    database: Database
    connection: asyncpg.Connection
    tenant_id: UUID


@contextmanager
def server(kept: Path | None) -> Iterator[PostgresServer]:
    """Run a server; what is loaded goes with it, unless its folder is `kept`."""
    with tempfile.TemporaryDirectory(prefix="tp-bench-") as passing:
        folder = kept or Path(passing)
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)  # the server runs as another user when this is root
        running = start_postgres(folder / "pg", durable=True, tuning=TUNING)
        try:
            yield running
        finally:
            running.stop()


def load(running: PostgresServer, size: int, smaller: int) -> None:
    """Make the pool of this size out of a smaller one (0 for none), unless it is there."""
    make(running, _name(size), lambda url: _grow(url, smaller, size), _name(smaller) if smaller else "template1")


def make(
    running: PostgresServer, name: str, fill: Callable[[str], Coroutine[Any, Any, None]], template: str = "template1"
) -> None:
    """Make a database out of another and fill it, by its address, unless it is there."""
    if asyncio.run(_is_there(running, name)):
        return
    asyncio.run(_clone(running, template))
    migrate.upgrade(running.database_url(_COPY))
    asyncio.run(fill(running.database_url(_COPY)))
    asyncio.run(_administer(running, f"alter database {_COPY} rename to {name}"))


@contextmanager
def copy(running: PostgresServer, pool: int | str) -> Iterator[str]:
    """Copy the pool of this size, or the database of this name; yield the copy's address."""
    asyncio.run(_clone(running, pool if isinstance(pool, str) else _name(pool)))
    yield running.database_url(_COPY)
    asyncio.run(_administer(running, f"drop database {_COPY}"))


@asynccontextmanager
async def ground(url: str) -> AsyncIterator[Ground]:
    """Open a database."""
    database = Database(url)
    tenant_id, _ = await bootstrap.issue(database, "Bench", [], "bench")
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
    yield Ground(database, connection, tenant_id)
    await connection.close()
    await database.close()


def _name(size: int) -> str:
    return named("crowd", size)


def named(kind: str, size: int) -> str:
    """Name the pool of this size under the schema of today: one that was kept under another is not used."""
    head = ScriptDirectory.from_config(migrate.config("postgresql://")).get_current_head()
    return f"{kind}_{size}_{head}"


async def _grow(url: str, smaller: int, size: int) -> None:
    async with ground(url) as place:
        if not smaller:
            await place.connection.execute(_SCHEMA)
        await crowd.grow(place.connection, place.tenant_id, smaller, size)


async def _clone(running: PostgresServer, template: str) -> None:
    await _administer(
        running,
        f"drop database if exists {_COPY}",
        f"create database {_COPY} template {template} strategy file_copy",
    )


async def _is_there(running: PostgresServer, name: str) -> bool:
    connection = await asyncpg.connect(running.dsn)
    try:
        return bool(await connection.fetchval("select exists (select from pg_database where datname = $1)", name))
    finally:
        await connection.close()


async def _administer(running: PostgresServer, *statements: str) -> None:
    connection = await asyncpg.connect(running.dsn)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
