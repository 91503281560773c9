"""What becomes of timelines when two candidates are found to be one person, and when that is undone."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from app.kit.db import Session
from app.touchpoints.repository import TouchpointRepository


async def absorb(session: Session, survivor_id: UUID, loser_id: UUID) -> dict[str, int]:
    """Give the survivor what happened with the loser; return how many rows of each table moved."""
    repository = TouchpointRepository(session)
    moved = await repository.move(loser_id, survivor_id)
    await repository.settle_selections([survivor_id])
    return {"touchpoints": moved}


async def release(
    session: Session, survivor_id: UUID, loser_id: UUID, members: Collection[UUID], since: datetime
) -> list[UUID]:
    """Undo `absorb`: rows that arrived with `members` (the loser and whom it had absorbed) go back to the loser.

    What came since the merge (at `since`) stays with the survivor; its ids are returned.
    """
    repository = TouchpointRepository(session)
    await repository.move_back(survivor_id, loser_id, members)
    await repository.settle_selections([survivor_id, loser_id])
    return await repository.since(survivor_id, since)
