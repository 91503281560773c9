"""Work in small parts: what is prepared ahead comes in order, and nothing is left running."""

import asyncio
from collections.abc import Sequence

import pytest

from app.kit.chunks import in_batches


async def test_the_next_are_prepared_while_one_is_worked_on() -> None:
    begun: list[Sequence[int]] = []
    seen = []

    async def prepare(batch: Sequence[int]) -> int:
        begun.append(batch)
        await asyncio.sleep(0)
        return 10 * sum(batch)

    async def work(prepared: int) -> None:
        await asyncio.sleep(0)
        seen.append((prepared, len(begun)))

    await in_batches([1, 2, 3, 4, 5, 6, 7], 2, prepare, work)
    assert begun == [[1, 2], [3, 4], [5, 6], [7]]
    assert seen == [(30, 3), (70, 4), (110, 4), (70, 4)]


async def test_what_is_begun_ends_with_who_works() -> None:
    ended: list[int] = []

    async def prepare(batch: Sequence[int]) -> int:
        try:
            await asyncio.sleep(0 if batch == [1] else 60)
        finally:
            ended.extend(batch)
        return batch[0]

    async def work(prepared: int) -> None:
        await asyncio.sleep(0)
        assert prepared // 0

    with pytest.raises(ZeroDivisionError):
        await in_batches([1, 2, 3], 1, prepare, work)
    assert ended == [1, 2, 3]
