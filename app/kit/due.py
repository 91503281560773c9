"""Drains: stateless workers over the `due` table.

A drain claims rows of one kind inside one tenant by moving them a lease ahead, in a transaction of its own, so that no
writer ever waits for its work. Then it lets the slice's handler work on the keys, under a lock of each key, and removes
those rows that nobody has asked for again meanwhile. A worker that dies leaves rows that are due when their lease ends.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import text

from app.kit import caller
from app.kit.chunks import chunks
from app.kit.clock import now
from app.kit.db import Database, Session
from app.kit.log import get_logger

log = get_logger(__name__)

Handler = Callable[[Session, Sequence[UUID]], Awaitable[Mapping[UUID, datetime] | None]]
"""Does the work of some keys; answers when to look again, for those that need it."""

_WAITING: Final = text(
    "select kind, due_tenants(kind, 100) from unnest(cast(:kinds as text[])) with ordinality as asked(kind, place)"
    " order by place"
)
BATCH: Final = 200
LEASE: Final = timedelta(seconds=5)
MAX_BACKOFF: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Drain:
    kind: str
    handler: Handler
    batch: int
    share: int
    lanes: int


@dataclass(frozen=True, slots=True)
class Claim:
    """One key in hand, and until when it is."""

    key: UUID
    until: datetime


_drains: dict[str, Drain] = {}


def drain(kind: str, batch: int = BATCH, share: int = 0, lanes: int = 1) -> Callable[[Handler], Handler]:
    """Register the handler of one kind of due work.

    A batch is claimed at once and handled in the order of its keys, a `share` of it (all, unless said) a transaction;
    of what fills a share, `lanes` batches are worked on side by side.
    """

    def register(handler: Handler) -> Handler:
        _drains[kind] = Drain(kind, handler, batch, share or batch, lanes)
        return handler

    return register


def kinds() -> list[str]:
    """Return every registered kind, in the order of registration."""
    return list(_drains)


@dataclass(frozen=True, slots=True)
class Round:
    """What one look at all that is due came to: how many keys, and whether of some kind there may be more."""

    handled: int
    is_short: bool


async def run_kind(database: Database, kind: str) -> int:
    """Do what is due of `kind` in every tenant, round robin; return how many keys were handled."""
    return (await _run(database, await _waiting(database, [kind]))).handled


async def run_round(database: Database) -> Round:
    """Do what is due of every kind in every tenant, a batch of each."""
    return await _run(database, await _waiting(database, kinds()))


async def run_until_quiet(database: Database, passes: int = 20) -> int:
    """Run every kind until nothing is due or `passes` rounds are done: a chain of effects runs in one go."""
    total = 0
    for _ in range(passes):
        waiting = await _waiting(database, kinds())
        total += (await _run(database, waiting)).handled
        if not waiting:
            break
    return total


async def _run(database: Database, waiting: Sequence[tuple[Drain, UUID]]) -> Round:
    handled = [await _run_tenant(database, work, tenant_id) for work, tenant_id in waiting]
    is_short = any(count >= work.batch for count, (work, _) in zip(handled, waiting, strict=True))
    return Round(sum(handled), is_short)


async def _waiting(database: Database, among: Sequence[str]) -> list[tuple[Drain, UUID]]:
    """Return what is due of these kinds, in their order, and where: one question, for it is asked all the time."""
    async with database.outside() as connection:
        rows = await connection.execute(_WAITING, {"kinds": list(among)})
    return [(_drains[kind], tenant_id) for kind, tenant_id in rows]


async def _run_tenant(database: Database, work: Drain, tenant_id: UUID, lane: int = 1) -> int:
    who = caller.system(tenant_id, work.kind)
    async with database.transaction(who) as session:
        claims = await _claim(session, work.kind, work.batch)
    if len(claims) >= work.share and lane < work.lanes:
        beside = _run_tenant(database, work, tenant_id, lane + 1)
        return sum(await asyncio.gather(_work(database, work, who, claims), beside))
    return await _work(database, work, who, claims) if claims else 0


async def _work(database: Database, work: Drain, who: caller.Caller, claims: Sequence[Claim]) -> int:
    for share in chunks(claims, work.share):
        try:
            await _handle(database, work, who, share)
        except Exception as error:  # one bad key must not stop the others; each is tried alone and backs off
            log.warning("drain.batch_failed", kind=work.kind, tenant=str(who.tenant_id), exc_info=error)
            await _handle_singly(database, work, who, share)
    return len(claims)


async def _handle_singly(database: Database, work: Drain, who: caller.Caller, claims: Sequence[Claim]) -> None:
    for claim in claims:
        try:
            await _handle(database, work, who, [claim])
        except Exception as error:  # recorded on the row, with its backoff
            log.error("drain.key_failed", kind=work.kind, key=str(claim.key), exc_info=error)
            async with database.transaction(who) as session:
                await _back_off(session, work.kind, claim.key, type(error).__name__)


async def _claim(session: Session, kind: str, batch: int) -> list[Claim]:
    rows = await session.rows(
        """update due set due_at = clock_timestamp() + :lease,
             again_at = case when again_at > now() then again_at else 'infinity' end
           where kind = :kind and key = any(array(
             select key from due where kind = :kind and due_at <= now()
             order by due_at limit :batch for update skip locked))
           returning key, due_at""",
        kind=kind,
        batch=batch,
        lease=LEASE,
    )
    return [Claim(row.key, row.due_at) for row in sorted(rows)]


async def _handle(database: Database, work: Drain, who: caller.Caller, claims: Sequence[Claim]) -> None:
    """Work, then take the rows away: in two transactions, so that neither waits for a writer while it holds another."""
    async with database.transaction(who) as session:
        keys = [claim.key for claim in claims]
        await session.run(
            """select pg_advisory_xact_lock(hashtextextended(cast(key as text), hashtext(:kind)))
               from unnest(cast(:keys as uuid[])) as key order by key""",
            kind=work.kind,
            keys=keys,
        )
        again = await work.handler(session, keys) or {}
    async with database.transaction(who) as session:
        await _finish(session, work.kind, claims, again)


async def _finish(session: Session, kind: str, claims: Sequence[Claim], again: Mapping[UUID, datetime]) -> None:
    """Remove or postpone the rows; what was asked for again while this one worked is due at that moment.

    The keys are named twice, for their index: a plan of joins would read whatever waits for its moment.
    """
    await session.run(
        "select from due where kind = :kind and key = any(:keys) order by key for update",
        kind=kind,
        keys=[claim.key for claim in claims],
    )
    gone = await session.value(
        """with gone as (
             delete from due using unnest(cast(:keys as uuid[]), cast(:leases as timestamptz[])) as done(key, lease)
             where due.kind = :kind and due.key = any(:keys) and due.key = done.key and due.due_at = done.lease
               and coalesce(due.again_at, 'infinity') = 'infinity'
             returning true)
           select count(*) from gone""",
        kind=kind,
        keys=[claim.key for claim in claims if claim.key not in again],
        leases=[claim.until for claim in claims if claim.key not in again],
    )
    if gone < len(claims):
        await _postpone(session, kind, claims, again)


async def _postpone(session: Session, kind: str, claims: Sequence[Claim], again: Mapping[UUID, datetime]) -> None:
    await session.run(
        """update due set attempts = 0, last_error_code = null,
             due_at = least(nullif(due.due_at, done.lease), due.again_at, done.moment),
             again_at = case when due.due_at <> done.lease then due.again_at end
           from unnest(cast(:keys as uuid[]), cast(:leases as timestamptz[]), cast(:moments as timestamptz[]))
             as done(key, lease, moment)
           where due.kind = :kind and due.key = any(:keys) and due.key = done.key""",
        kind=kind,
        keys=[claim.key for claim in claims],
        leases=[claim.until for claim in claims],
        moments=[again.get(claim.key) for claim in claims],
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
