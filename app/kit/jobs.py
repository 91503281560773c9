"""Long work as rows, and the only door to arq.

A job is a row with its progress. A worker claims it by a lease, and its handler works in transactions of its own,
writing `cursor` with each chunk: whoever takes the job after a crash goes on from there. arq carries nothing but
wake-ups; without Redis the workers find the same rows by polling.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from arq import ArqRedis, create_pool
from arq.connections import RedisSettings
from sqlalchemy import text

from app.kit import caller, json
from app.kit.caller import Caller
from app.kit.clock import now
from app.kit.db import Database, Session
from app.kit.errors import AppError, Bug, Overtaken
from app.kit.ids import new_id
from app.kit.log import get_logger
from app.settings import Settings

log = get_logger(__name__)

LEASE: Final = timedelta(seconds=15)
HEARTBEAT_S: Final = 4.0
MAX_ATTEMPTS: Final = 5
DRAIN_TASK: Final = "drain"
PAUSE_S: Final = 0.05
"""Between two wake-ups: many commits in a row are one."""
WORKER_ID: Final = new_id()


@dataclass(frozen=True, slots=True)
class Claim:
    """One running job, as its handler sees it."""

    database: Database
    caller: Caller
    id: UUID
    kind: str
    arguments: Mapping[str, Any]
    cursor: Mapping[str, Any] | None

    @asynccontextmanager
    async def step(self) -> AsyncIterator[Session]:
        """Open one transaction of the work; raises Cancelled when that was asked for, LeaseLost when it is not ours."""
        async with self.database.transaction(self.caller) as session:
            row = await session.row(
                "select cancel_requested, worker from jobs where id = :id and state = 'running' for update",
                id=self.id,
            )
            if row is None or row.worker != WORKER_ID:
                raise LeaseLost
            if row.cancel_requested:
                raise Cancelled
            yield session

    async def progress(
        self,
        session: Session,
        done: int,
        *,
        total: int | None = None,
        counts: Mapping[str, int] | None = None,
        cursor: Mapping[str, Any] | None = None,
    ) -> None:
        """Write how far the work is, in the transaction of the chunk that got it there."""
        await session.run(
            """update jobs set done = :done, total = coalesce(:total, total), lease_until = :lease,
               counts = coalesce(cast(:counts as jsonb), counts), cursor = coalesce(cast(:cursor as jsonb), cursor)
               where id = :id""",
            id=self.id,
            done=done,
            total=total,
            lease=now() + LEASE,
            counts=None if counts is None else json.dumps(counts),
            cursor=None if cursor is None else json.dumps(cursor),
        )


class Cancelled(Exception):
    """Somebody asked to cancel the job."""


class LeaseLost(Exception):
    """Another worker holds the job now."""


JobHandler = Callable[[Claim], Awaitable[Mapping[str, Any] | None]]
"""Does the work, and answers the job's `result`."""

_handlers: dict[str, JobHandler] = {}


def job(kind: str) -> Callable[[JobHandler], JobHandler]:
    """Register the handler of one kind of job."""

    def register(handler: JobHandler) -> JobHandler:
        _handlers[kind] = handler
        return handler

    return register


Loop = Callable[[Database, Settings], Awaitable[None]]
"""Work that is neither due rows nor jobs, the sending of mails say; it runs for ever."""

_loops: dict[str, Loop] = {}


def loop(name: str) -> Callable[[Loop], Loop]:
    """Register a loop of the worker."""

    def register(function: Loop) -> Loop:
        _loops[name] = function
        return function

    return register


def loops() -> Mapping[str, Loop]:
    """Return every registered loop."""
    return _loops


async def start(session: Session, kind: str, scope: str, arguments: Mapping[str, Any]) -> UUID:
    """Queue a job in the caller's transaction; `scope` is what reading it takes. Returns its id."""
    job_id = new_id()
    await session.run(
        """insert into jobs (id, kind, scope, actor, arguments)
           values (:id, :kind, :scope, :actor, cast(:arguments as jsonb))""",
        id=job_id,
        kind=kind,
        scope=scope,
        actor=session.caller.actor,
        arguments=json.dumps(arguments),
    )
    session.wake("jobs")
    return job_id


async def run_jobs(database: Database) -> int:
    """Claim and run one job of each tenant that has one; return how many ran."""
    async with database.outside() as connection:
        tenants = (await connection.execute(text("select due_tenants('jobs', 100)"))).scalars().all()
    return sum([await _run_one(database, tenant_id) for tenant_id in tenants])


async def _run_one(database: Database, tenant_id: UUID) -> int:
    async with database.transaction(caller.system(tenant_id, "jobs")) as session:
        row = await session.row(
            """update jobs set state = 'running', worker = :worker, lease_until = :lease, attempts = attempts + 1,
                 started_at = coalesce(started_at, now())
               where id = (
                 select id from jobs where kind = any(:kinds)
                   and (state = 'queued' or (state = 'running' and lease_until < now()))
                 order by created_at limit 1 for update skip locked)
               returning id, kind, actor, arguments, cursor, attempts""",
            worker=WORKER_ID,
            lease=now() + LEASE,
            kinds=list(_handlers),
        )
    if row is None:
        return 0
    who = Caller(tenant_id=tenant_id, actor=row.actor, scopes=frozenset({caller.ADMIN}))
    await _run_claim(Claim(database, who, row.id, row.kind, row.arguments, row.cursor), row.attempts)
    return 1


async def _run_claim(claim: Claim, attempts: int) -> None:
    beat = asyncio.create_task(_heartbeat(claim))
    try:
        result = await _handlers[claim.kind](claim)
        await _finish(claim, "succeeded", result=result)
    except Cancelled:
        await _finish(claim, "cancelled")
    except LeaseLost:
        log.warning("job.lease_lost", job=str(claim.id), kind=claim.kind)
    except Overtaken as error:
        await _try_again(claim, attempts, error)
    except AppError as error:
        await _finish(claim, "failed", error=error)
    except Exception as error:  # tried again from its cursor, then reported
        log.error("job.failed", job=str(claim.id), kind=claim.kind, exc_info=error)
        await _try_again(claim, attempts, Bug())
    finally:
        beat.cancel()
        with suppress(asyncio.CancelledError):
            await beat


async def _try_again(claim: Claim, attempts: int, error: AppError) -> None:
    """Let a job go on from its cursor after a pause; when it was tried too often, it has failed with `error`."""
    if attempts >= MAX_ATTEMPTS:
        await _finish(claim, "failed", error=error)
    else:
        await _release(claim, timedelta(seconds=2**attempts))


async def _heartbeat(claim: Claim) -> None:
    while True:
        await asyncio.sleep(HEARTBEAT_S)
        await _release(claim, LEASE)


async def _release(claim: Claim, pause: timedelta) -> None:
    async with claim.database.transaction(claim.caller) as session:
        await session.run(
            "update jobs set lease_until = :until where id = :id and worker = :worker and state = 'running'",
            id=claim.id,
            until=now() + pause,
            worker=WORKER_ID,
        )


async def _finish(
    claim: Claim, state: str, *, result: Mapping[str, Any] | None = None, error: AppError | None = None
) -> None:
    async with claim.database.transaction(claim.caller) as session:
        await session.run(
            """update jobs set state = :state, finished_at = now(), lease_until = null,
                 result = cast(:result as jsonb), error = cast(:error as jsonb)
               where id = :id and worker = :worker and state = 'running'""",
            id=claim.id,
            state=state,
            worker=WORKER_ID,
            result=None if result is None else json.dumps(result),
            error=None if error is None else json.dumps(error.problem(str(claim.id))),
        )


class Waker:
    """Sends wake-ups through arq; without Redis it does nothing, and polling finds the work."""

    def __init__(self, redis_url: str | None) -> None:
        self._settings = redis_settings(redis_url) if redis_url else None
        self._pool: ArqRedis | None = None
        self._wanted = False
        self._sending: asyncio.Task[None] | None = None

    def wake(self, _: Iterable[str]) -> None:
        """Ask for a round of the drains soon; never waits, never raises. One message serves all kinds."""
        if self._settings is None:
            return
        self._wanted = True
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send())

    async def _send(self) -> None:
        while self._wanted:
            self._wanted = False
            try:
                async with asyncio.timeout(0.5):
                    if self._pool is None:
                        self._pool = await create_pool(
                            self._settings, job_serializer=_serialize, job_deserializer=json.loads
                        )
                    await self._pool.enqueue_job(DRAIN_TASK, _job_id=DRAIN_TASK)
            except Exception as error:  # a lost wake-up costs a second: the workers poll
                self._pool = None
                log.info("waker.unreachable", exc_info=error)
            await asyncio.sleep(PAUSE_S)

    async def close(self) -> None:
        """Close the connection to Redis."""
        if self._sending is not None:
            self._sending.cancel()
        if self._pool is not None:
            await self._pool.aclose()


def redis_settings(url: str) -> RedisSettings:
    """Return arq's settings for `url`, patient enough that a lost server does not end the process."""
    settings = RedisSettings.from_dsn(url)
    settings.conn_timeout = 1
    settings.conn_retries = 1
    settings.conn_retry_delay = 0
    return settings


def _serialize(message: dict[str, Any]) -> bytes:
    return json.dumpb(message)
