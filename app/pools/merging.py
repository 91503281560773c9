"""What becomes of pools when two candidates are found to be one person, when that is undone, when one is erased.

Members follow from what is known of a person, by the drains; only what was decided by hand moves.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from app.kit.db import Session
from app.pools.repository import MemberRepository, OverrideRepository


async def absorb(session: Session, survivor_id: UUID, loser_id: UUID) -> dict[str, int]:
    """Give the survivor what was decided about the loser, where nothing was about the survivor."""
    return {"pool_overrides": await OverrideRepository(session).move(loser_id, survivor_id)}


async def release(
    session: Session, survivor_id: UUID, loser_id: UUID, members: Collection[UUID], since: datetime
) -> list[UUID]:
    """Undo `absorb`: what was decided about `members` (the loser and whom it had absorbed) is about the loser again.

    What was decided since the merge (at `since`) is about the survivor and stays; the pools of that are returned.
    """
    overrides = OverrideRepository(session)
    await overrides.move_back(survivor_id, loser_id, members)
    return await overrides.decided_since(survivor_id, since)


async def erase(session: Session, candidate_id: UUID) -> int:
    """Forget in which pools a person was, and what was decided of them; return how many rows that were."""
    return await OverrideRepository(session).forget(candidate_id) + await MemberRepository(session).forget(candidate_id)
