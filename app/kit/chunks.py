"""Much work in small parts."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Final, TypeVar

T = TypeVar("T")
R = TypeVar("R")
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


async def ahead(items: Iterable[T], prepare: Callable[[T], Awaitable[R]]) -> AsyncGenerator[R, None]:
    """Yield what is prepared of each of `items`, in order; the next is prepared while one is worked on."""
    coming: asyncio.Future[R] | None = None
    try:
        for item in items:
            ready, coming = coming, asyncio.ensure_future(prepare(item))
            if ready is not None:
                yield await ready
        if coming is not None:
            yield await coming
    finally:
        if coming is not None:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
