"""A worker that does what workers do, and may be told to die at a named point of the sending."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import wraps
from typing import Any, Final

from app.kit import jobs
from app.kit.caller import Caller
from app.kit.ids import new_id
from app.sequences import mailer
from app.sequences.dialogue import Dialogue
from app.sequences.sending import Sender, Written
from benchmarks.faults.stage import adopt
from workers.main import main

POINTS: Final = ("claimed", "asked", "data", "finish")


def work(environment: Mapping[str, str], twin: str = "", point: str = "", passes: int = 0, lanes: int = 0) -> None:
    """Be a worker, in a process of one's own; die when `point` is passed for the `passes`-th time."""
    adopt({**environment, **({"TALENTPOOL_SEND_LANES": str(lanes)} if lanes else {})})
    jobs.WORKER_ID = new_id()  # type: ignore[misc] # what was imported before the fork is shared
    if twin:
        _break(twin)
    if point:
        _mine(point, passes)
    asyncio.run(main())


def _mine(point: str, passes: int) -> None:
    left = passes

    def step() -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    if point == "claimed":
        Sender._claim = _after(Sender._claim, step)  # type: ignore[method-assign]  # noqa: SLF001 (where it dies)
    elif point == "asked":
        Sender._ask = _after(Sender._ask, step)  # type: ignore[method-assign]  # noqa: SLF001 (where it dies)
    elif point == "finish":
        Sender._finish = _before(Sender._finish, step)  # type: ignore[method-assign]  # noqa: SLF001 (where it dies)
    else:
        mailer._write = _halfway(mailer._write, step)  # noqa: SLF001 (where it dies)


def _after(function: Callable[..., Awaitable[Any]], step: Callable[[], None]) -> Any:
    @wraps(function)
    async def done(*arguments: Any) -> Any:
        answer = await function(*arguments)
        if answer:
            step()
        return answer

    return done


def _before(function: Callable[..., Awaitable[Any]], step: Callable[[], None]) -> Any:
    @wraps(function)
    async def begun(*arguments: Any) -> Any:
        step()
        return await function(*arguments)

    return begun


def _halfway(function: Callable[..., Awaitable[None]], step: Callable[[], None]) -> Any:
    @wraps(function)
    async def cut(talk: Dialogue, data: bytes) -> None:
        await function(talk, data[: len(data) // 2])
        step()
        await function(talk, data[len(data) // 2 :])

    return cut


def _break(twin: str) -> None:
    """Be the broken twin: a mail is recorded after it was sent, and not before."""
    if twin != "record_after":
        raise ValueError(twin)

    async def begin(_self: Sender, _who: Caller, asked: Sequence[Written]) -> list[bool]:
        return [True for _ in asked]

    Sender._begin_all = begin  # type: ignore[assignment, method-assign]  # noqa: SLF001 (what is broken here)
