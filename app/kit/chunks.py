"""Much work in small parts."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Final, TypeVar

T = TypeVar("T")
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
