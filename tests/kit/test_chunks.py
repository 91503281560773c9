"""Work in small parts: what is prepared ahead comes in order, and nothing is left running."""

import asyncio
from contextlib import aclosing

import pytest

from app.kit.chunks import ahead


async def test_the_next_is_prepared_while_one_is_worked_on() -> None:
    begun: list[int] = []

    async def prepare(item: int) -> int:
        begun.append(item)
        await asyncio.sleep(0)
        return 10 * item

    seen = []
    async with aclosing(ahead([1, 2, 3], prepare)) as prepared:
        async for each in prepared:
            await asyncio.sleep(0)
            seen.append((each, len(begun)))
    assert seen == [(10, 2), (20, 3), (30, 3)]


async def test_what_is_begun_ends_with_who_works() -> None:
    ended: list[int] = []

    async def prepare(item: int) -> int:
        try:
            await asyncio.sleep(60 if item == 2 else 0)
        finally:
            ended.append(item)
        return item

    async def work() -> None:
        async with aclosing(ahead([1, 2, 3], prepare)) as prepared:
            async for each in prepared:
                await asyncio.sleep(0)
                assert each // 0

    with pytest.raises(ZeroDivisionError):
        await work()
    assert ended == [1, 2]
