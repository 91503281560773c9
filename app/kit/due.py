"""Drains: stateless workers over the `due` table.

A drain claims rows of one kind inside one tenant with SKIP LOCKED, lets the slice's handler do its work in the same
transaction, and removes or reschedules them. A dead worker's transaction rolls back, so nothing is lost; a writer that
schedules a key which is being drained waits for the drain and then schedules it again, so nothing is missed.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import text

from app.kit import caller
from app.kit.clock import now
from app.kit.db import Database, Session
from app.kit.log import get_logger

log = get_logger(__name__)

Handler = Callable[[Session, Sequence[UUID]], Awaitable[Mapping[UUID, datetime] | None]]
"""Does the work of some keys; answers when to look again, for those that need it."""

BATCH: Final = 200
MAX_BACKOFF: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Drain:
    kind: str
    handler: Handler
    batch: int


_drains: dict[str, Drain] = {}


def drain(kind: str, batch: int = BATCH) -> Callable[[Handler], Handler]:
    """Register the handler of one kind of due work."""

    def register(handler: Handler) -> Handler:
        _drains[kind] = Drain(kind, handler, batch)
        return handler

    return register


def kinds() -> list[str]:
    """Return every registered kind, in the order of registration."""
    return list(_drains)


async def run_kind(database: Database, kind: str) -> int:
    """Do what is due of `kind` in every tenant, round robin; return how many keys were handled."""
    handled = 0
    async with database.outside() as connection:
        tenants = (await connection.execute(text("select due_tenants(:kind, 100)"), {"kind": kind})).scalars().all()
    for tenant_id in tenants:
        handled += await _run_tenant(database, _drains[kind], tenant_id)
    return handled


async def run_until_quiet(database: Database, passes: int = 20) -> int:
    """Run every kind until nothing is due or `passes` rounds are done: a chain of effects runs in one go."""
    total = 0
    for _ in range(passes):
        handled = 0
        for kind in kinds():
            handled += await run_kind(database, kind)
        total += handled
        if not handled:
            break
    return total


async def _run_tenant(database: Database, work: Drain, tenant_id: UUID) -> int:
    who = caller.system(tenant_id, work.kind)
    try:
        async with database.transaction(who) as session:
            keys = await _claim(session, work.kind, work.batch)
            if keys:
                await _handle(session, work, keys)
            return len(keys)
    except Exception as error:  # one bad key must not stop the others; each is tried alone and backs off
        log.warning("drain.batch_failed", kind=work.kind, tenant=str(tenant_id), exc_info=error)
        return await _run_singly(database, work, who)


async def _run_singly(database: Database, work: Drain, who: caller.Caller) -> int:
    async with database.transaction(who) as session:
        keys = await _claim(session, work.kind, work.batch)
    handled = 0
    for key in keys:
        try:
            async with database.transaction(who) as session:
                if await _claim_one(session, work.kind, key):
                    await _handle(session, work, [key])
                    handled += 1
        except Exception as error:  # recorded on the row, with its backoff
            log.error("drain.key_failed", kind=work.kind, key=str(key), exc_info=error)
            async with database.transaction(who) as session:
                await _back_off(session, work.kind, key, type(error).__name__)
    return handled


async def _claim(session: Session, kind: str, batch: int) -> list[UUID]:
    rows = await session.rows(
        """select key from due where kind = :kind and due_at <= now()
           order by due_at limit :batch for update skip locked""",
        kind=kind,
        batch=batch,
    )
    return [row.key for row in rows]


async def _claim_one(session: Session, kind: str, key: UUID) -> bool:
    found = await session.value(
        "select true from due where kind = :kind and key = :key and due_at <= now() for update skip locked",
        kind=kind,
        key=key,
    )
    return bool(found)


async def _handle(session: Session, work: Drain, keys: Sequence[UUID]) -> None:
    again = await work.handler(session, keys) or {}
    finished = [key for key in keys if key not in again]
    await session.run("delete from due where kind = :kind and key = any(:keys)", kind=work.kind, keys=finished)
    if again:
        await session.run(
            """update due set due_at = t.due_at, attempts = 0, last_error_code = null
               from unnest(cast(:keys as uuid[]), cast(:times as timestamptz[])) as t(key, due_at)
               where due.kind = :kind and due.key = t.key""",
            kind=work.kind,
            keys=list(again),
            times=list(again.values()),
        )


async def _back_off(session: Session, kind: str, key: UUID, code: str) -> None:
    attempts = await session.value("select attempts from due where kind = :kind and key = :key", kind=kind, key=key)
    pause = min(timedelta(seconds=2 ** min(int(attempts or 0), 12)), MAX_BACKOFF)
    await session.run(
        """update due set attempts = attempts + 1, last_error_code = :code, due_at = :due_at
           where kind = :kind and key = :key""",
        kind=kind,
        key=key,
        code=code,
        due_at=now() + pause,
    )
