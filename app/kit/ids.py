"""Ids: UUIDv7, made here, opaque to everybody else.

Ids that are made together stand in one block: they share all but their last bits, so that one key means them all.
"""

from functools import lru_cache
from typing import Final
from uuid import UUID

from uuid_utils.compat import uuid7

BLOCK: Final = 1 << 13
"""How many ids a block has room for."""


def new_id() -> UUID:
    """Return a new UUIDv7; within a process they rise with time."""
    return uuid7()


def new_ids(count: int) -> list[UUID]:
    """Return `count` new UUIDv7 that rise, in as few blocks as can be."""
    found: list[UUID] = []
    while len(found) < count:
        first = block_of(new_id()).int
        found += [UUID(int=first + place) for place in range(min(BLOCK, count - len(found)))]
    return found


def block_of(id_: UUID) -> UUID:
    """Return the first id of the block in which this one stands."""
    return _block(id_.int // BLOCK)


@lru_cache(maxsize=64)
def _block(number: int) -> UUID:
    return UUID(int=number * BLOCK)


def last_of(block: UUID) -> UUID:
    """Return the last id of a block."""
    return UUID(int=block.int | BLOCK - 1)
