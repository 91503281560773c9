"""Much work in small parts."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import Final, TypeVar

T = TypeVar("T")
R = TypeVar("R")
AHEAD: Final = 2
"""So many batches are prepared while one is worked on."""
IN_ONE_GO: Final = 25
"""So many items are worked on before others of the process have their turn."""


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield `items` in order, `size` at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


async def in_turns(items: Sequence[T]) -> AsyncIterator[T]:
    """Yield `items` in order, and let others of the process have their turn every now and then."""
    for place, item in enumerate(items):
        if place % IN_ONE_GO == IN_ONE_GO - 1:
            await asyncio.sleep(0)
        yield item


async def in_batches(
    items: Sequence[T],
    size: int,
    prepare: Callable[[Sequence[T]], Awaitable[R]],
    work: Callable[[R], Awaitable[None]],
    ahead: int = AHEAD,
) -> None:
    """Prepare `items`, `size` at a time, and work on each batch in order; the next few are prepared meanwhile."""
    coming = deque[asyncio.Future[R]]()
    try:
        for batch in chunks(items, size):
            coming.append(asyncio.ensure_future(prepare(batch)))
            if len(coming) > ahead:
                await work(await coming.popleft())
        while coming:
            await work(await coming.popleft())
    finally:
        for each in coming:
            each.cancel()
        await asyncio.gather(*coming, return_exceptions=True)
