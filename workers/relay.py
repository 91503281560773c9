"""Outbox to readers: numbers what was committed, ten times a second, tenant by tenant."""

import asyncio
from typing import Final

from sqlalchemy import text

from app.kit import caller, outbox
from app.kit.db import Database

PAUSE_S: Final = 0.1


async def relay_once(database: Database) -> int:
    """Number every tenant's committed changes; return how many tenants had some."""
    async with database.outside() as connection:
        tenants = (await connection.execute(text("select feed_tenants(100)"))).scalars().all()
    for tenant_id in tenants:
        async with database.transaction(caller.system(tenant_id, "relay")) as session:
            await outbox.number(session)
    return len(tenants)


async def relay(database: Database) -> None:
    """Number for ever."""
    while True:
        await relay_once(database)
        await asyncio.sleep(PAUSE_S)
