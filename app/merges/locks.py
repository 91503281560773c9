"""Whoever makes one person of two, or two of one, keeps everybody else off them until that is done.

Locks are taken in one order everywhere: the buckets of matching over all that these people are found by, their
enrollments, then their rows by id.
"""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from app.candidates import merging as people
from app.dedup import service as dedup
from app.kit.db import Session
from app.sequences import service as sequences


async def hold(session: Session, ids: Collection[UUID]) -> Mapping[UUID, Any]:
    """Lock these people and all that could change who they are; return how they stand."""
    await dedup.hold_people(session, ids)
    await sequences.hold(session, ids)
    return await people.hold(session, ids)
