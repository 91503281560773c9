"""The worker: everything that the service does by itself.

Postgres holds the work; arq brings wake-ups. Each loop below also looks by itself once a second, so a worker without
Redis does the same work a little later, and each loop outlives any error: the database may go away and come back.
"""

import asyncio
import importlib
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

from arq.connections import RedisSettings
from arq.typing import WorkerCoroutine
from arq.worker import Worker, func

import app
from app import wiring
from app.kit import due, garbage, jobs, json, log
from app.kit.db import Database
from app.settings import DEFAULT_DATABASE_URL, get_settings
from workers.relay import relay

POLL_S: Final = 1.0
RESTART_S: Final = 1.0
BREATH_S: Final = 0.15
"""Between two rounds, at least, so that a storm of signals about one person becomes one look at them."""
LONGEST_BREATH_S: Final = 0.7
LEISURE: Final = 4
"""A round that left nothing behind is followed by so many times its length of rest, for in a storm the next finds as
much whenever it comes, and who sends the storm waits for the same cores."""
TASK_TIMEOUT_S: Final = 10

logger = log.get_logger(__name__)


def load_tasks() -> list[str]:
    """Import every slice's tasks, which register their drains, jobs and loops; return the slices' names."""
    slices = sorted(path.parent.name for path in Path(app.__file__).parent.glob("*/tasks.py"))
    for name in slices:
        importlib.import_module(f"app.{name}.tasks")
    return slices


class Drains:
    """Runs the due work of every kind, woken by arq or once a second."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._woken = asyncio.Event()

    async def wake(self, _: dict[str, Any]) -> None:
        """Take a wake-up from arq."""
        self._woken.set()

    async def run(self) -> None:
        """Drain for ever: until quiet, then until woken or a second has passed."""
        while True:
            self._woken.clear()
            begun = time.monotonic()
            done = await due.run_round(self._database)
            if done.handled:
                rest = 0 if done.is_short else LEISURE * (time.monotonic() - begun)
                await asyncio.sleep(min(max(rest, BREATH_S), LONGEST_BREATH_S))
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_S):
                    await self._woken.wait()


async def run_jobs(database: Database) -> None:
    """Take long work for ever, one job a tenant at a time."""
    while True:
        if not await jobs.run_jobs(database):
            await asyncio.sleep(POLL_S / 2)


async def listen(settings: RedisSettings, drains: Drains) -> None:
    """Receive wake-ups; ends with an error when Redis goes away, and is started again."""
    wake = cast("WorkerCoroutine", drains.wake)
    worker = Worker(
        functions=[func(wake, name=jobs.DRAIN_TASK, keep_result=0, timeout=TASK_TIMEOUT_S, max_tries=1)],
        redis_settings=settings,
        handle_signals=False,
        poll_delay=0.1,
        keep_result=0,
        job_serializer=json.dumpb,
        job_deserializer=json.loads,
    )
    try:
        await worker.async_run()
    finally:
        with suppress(Exception):
            await worker.close()


async def for_ever(name: str, loop: Callable[[], Awaitable[None]]) -> None:
    """Run `loop`, and again after an error."""
    while True:
        try:
            await loop()
        except Exception as error:  # a loop of the worker must outlive any fault of what it stands on
            logger.warning("loop.restarted", loop=name, exc_info=error)
        await asyncio.sleep(RESTART_S)


async def main() -> None:
    """Run until SIGINT or SIGTERM."""
    settings = get_settings()
    log.configure(settings.log_level)
    wiring.wire()
    load_tasks()
    garbage.settle()
    database = Database(settings.database_url or DEFAULT_DATABASE_URL, pool_size=settings.db_pool_size)
    drains = Drains(database)
    loops: dict[str, Callable[[], Awaitable[None]]] = {
        "relay": lambda: relay(database),
        "drains": drains.run,
        "jobs": lambda: run_jobs(database),
        **{name: partial(loop, database, settings) for name, loop in jobs.loops().items()},
    }
    if settings.redis_url is not None:
        redis = jobs.redis_settings(settings.redis_url)
        loops["arq"] = lambda: listen(redis, drains)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    running = [asyncio.create_task(for_ever(name, loop)) for name, loop in loops.items()]
    logger.info("worker.started", loops=sorted(loops))
    await stopped.wait()
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    await database.close()


if __name__ == "__main__":
    asyncio.run(main())
