"""What becomes of timelines when two candidates are found to be one, and when that is undone."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from app.candidates import service as candidates
from app.kit.db import Session
from app.touchpoints.repository import TouchpointRepository


async def counts(session: Session, ids: Collection[UUID]) -> dict[UUID, dict[str, int]]:
    """Return how many touchpoints each of these people has."""
    return {
        row.candidate_id: {"touchpoints": row.n} for row in await TouchpointRepository(session).count_by_person(ids)
    }


async def absorb(session: Session, moves: Mapping[UUID, UUID]) -> None:
    """Give the survivors what happened with their losers (loser → survivor)."""
    repository = TouchpointRepository(session)
    await repository.move(moves)
    await repository.settle_selections(sorted(set(moves.values())))


async def release(
    session: Session,
    survivor_id: UUID,
    loser_id: UUID,
    members: Collection[UUID],
    since: datetime,
    message_ids: Collection[str] = (),
) -> list[UUID]:
    """Undo `absorb`: what arrived with `members` (the loser and whom it had absorbed) is the loser's again.

    So is what named the person by an identifier that only the loser has by now, and what tells of `message_ids`, mails
    that are the loser's. Anything else that came since the merge (at `since`) stays with the survivor; the ids of what
    does not name them by an identifier of their own are returned.
    """
    repository = TouchpointRepository(session)
    hashes = await candidates.hashes_of(session, [survivor_id, loser_id])
    own, theirs = (set(hashes.get(each, ())) for each in (survivor_id, loser_id))
    await repository.move_back(survivor_id, loser_id, members)
    await repository.move_named(survivor_id, loser_id, theirs - own, message_ids)
    await repository.settle_selections([survivor_id, loser_id])
    return await repository.since(survivor_id, since, own - theirs)


async def give(session: Session, candidate_id: UUID, to: UUID) -> None:
    """Give somebody what named them by an identifier that only they have by now, and not `candidate_id`."""
    repository = TouchpointRepository(session)
    hashes = await candidates.hashes_of(session, [candidate_id, to])
    await repository.move_named(candidate_id, to, set(hashes.get(to, ())) - set(hashes.get(candidate_id, ())), ())
    await repository.settle_selections([candidate_id, to])
