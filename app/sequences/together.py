"""Many callers' work done at once: what is asked for while the last round runs is done in the next one.

So ten lanes that each have to write down one thing cost one transaction, not ten. A round may wait a few milliseconds
for those who are on their way: what a transaction costs is shared by all who are in it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from app.kit.caller import Caller

A = TypeVar("A")
B = TypeVar("B")
Work = Callable[[Caller, Sequence[A]], Awaitable[Sequence[B]]]
"""Does the work of some items of one caller; answers each, in order."""


class Together(Generic[A, B]):
    """Does the same work for many, one round at a time for each caller."""

    def __init__(self, work: Work[A, B], pause_s: float = 0.0) -> None:
        self._work, self._pause_s = work, pause_s
        self._waiting: dict[Caller, list[tuple[A, asyncio.Future[B]]]] = {}
        self._rounds: set[asyncio.Task[None]] = set()

    async def do(self, caller: Caller, item: A) -> B:
        """Return what the work answers for `item`; raises what it raises for it."""
        future: asyncio.Future[B] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.get(caller)
        if waiting is None:
            self._waiting[caller] = [(item, future)]
            task = asyncio.create_task(self._run(caller))
            self._rounds.add(task)
            task.add_done_callback(self._rounds.discard)
        else:
            waiting.append((item, future))
        return await future

    async def _run(self, caller: Caller) -> None:
        while self._waiting[caller]:
            round_: list[tuple[A, asyncio.Future[B]]] = []
            try:
                await asyncio.sleep(self._pause_s)
                round_, self._waiting[caller] = self._waiting[caller], []
                await self._answer(caller, round_)
            except BaseException:
                for _, future in (*round_, *self._waiting.pop(caller)):
                    future.cancel()
                raise
        del self._waiting[caller]

    async def _answer(self, caller: Caller, round_: Sequence[tuple[A, "asyncio.Future[B]"]]) -> None:
        try:
            answers = await self._work(caller, [item for item, _ in round_])
        except Exception as error:  # noqa: BLE001 (one item must not fail the others: each is tried alone, and raises)
            if len(round_) > 1:
                for each in round_:
                    await self._answer(caller, [each])
            elif not round_[0][1].done():
                round_[0][1].set_exception(error)
            return
        for (_, future), answer in zip(round_, answers, strict=True):
            if not future.done():
                future.set_result(answer)
