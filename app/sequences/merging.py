"""What becomes of enrollments when two candidates turn out to be one, when that is undone, when one is erased."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from app.kit.db import Session
from app.sequences import enrollments
from app.sequences.repository import EnrollmentRepository, MessageRepository


async def absorb(session: Session, survivor_id: UUID, loser_id: UUID) -> dict[str, int]:
    """Give the survivor the loser's enrollments and messages; return how many of each moved.

    Where both are on their way through one sequence, the loser's way ends: no step is sent to one person twice.
    """
    repository = EnrollmentRepository(session)
    own = {row.sequence_id for row in await repository.active_of([survivor_id])}
    rows = await repository.of_candidate(loser_id)
    for row in rows:
        if row.sequence_id in own:
            await enrollments.leave(session, row, "merged")
        row.candidate_id = survivor_id
    await session.flush()
    moved = await MessageRepository(session).move([row.id for row in rows], survivor_id)
    return {"enrollments": len(rows), "messages": moved}


async def release(
    session: Session, survivor_id: UUID, loser_id: UUID, members: Collection[UUID], since: datetime
) -> list[UUID]:
    """Undo `absorb`: what arrived with `members` (the loser and whom it had absorbed) is the loser's again.

    Those begun since the merge (at `since`) stay with the survivor; their ids are returned.
    """
    rows = await EnrollmentRepository(session).of_candidate(survivor_id)
    back = [row for row in rows if row.arrived_with in members]
    for row in back:
        row.candidate_id = loser_id
    await session.flush()
    await MessageRepository(session).move([row.id for row in back], loser_id)
    return [row.id for row in rows if row.arrived_with not in members and row.started_at >= since]


async def erase(session: Session, candidate_id: UUID) -> int:
    """End a person's enrollments and forget where mails to them went; return how many messages that were."""
    for row in await EnrollmentRepository(session).active_of([candidate_id]):
        await enrollments.leave(session, row, "erased")
    return await MessageRepository(session).forget(candidate_id)
