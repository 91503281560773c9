"""Runs migrations as the owner of the tables, one transaction each, with lock and statement time-outs."""

import asyncio

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from app.kit.db import driver_url
from app.settings import DEFAULT_DATABASE_URL, get_settings
from migrations import tables

target_metadata = tables.METADATA


def _run(connection: Connection) -> None:
    connection.execute(text("set role talentpool_owner"))
    connection.execute(text("set lock_timeout = '5s'"))
    connection.execute(text("set statement_timeout = '15min'"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=target_metadata,
        transaction_per_migration=True,
        compare_server_default=False,
    )
    with context.begin_transaction():
        context.run_migrations()


async def _connect() -> None:
    given = context.config.attributes.get("url")
    engine = create_async_engine(
        given or driver_url(get_settings().database_url or DEFAULT_DATABASE_URL), poolclass=NullPool
    )
    async with engine.connect() as connection:
        await connection.run_sync(_run)
    await engine.dispose()


if context.is_offline_mode():
    context.configure(
        dialect_name="postgresql",
        target_metadata=target_metadata,
        literal_binds=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
else:
    asyncio.run(_connect())
