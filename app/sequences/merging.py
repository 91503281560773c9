"""What becomes of enrollments when two candidates turn out to be one, when that is undone, when one is erased.

Locks are taken in the order of the sender: enrollments, their messages, then candidates.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.kit.db import Session
from app.sequences import definition as words
from app.sequences import enrollments, marks, tracking
from app.sequences.enrollments import Live
from app.sequences.models import Enrollment
from app.sequences.repository import EnrollmentRepository, MessageRepository

MERGED = "merged"
"""The exit of a way that ended because the same person was further along on another one."""


@dataclass(frozen=True, slots=True)
class Released:
    """What undoing a merge found: enrollments that stay with the survivor, and the loser's mails by Message-ID."""

    between: list[UUID]
    message_ids: list[str]


async def hold(session: Session, ids: Collection[UUID]) -> None:
    """Lock every enrollment of these people; to be called before the people themselves are locked."""
    await EnrollmentRepository(session).of_candidates(ids)


async def counts(session: Session, ids: Collection[UUID]) -> dict[UUID, dict[str, int]]:
    """Return how many enrollments and messages each of these people has."""
    rows = await EnrollmentRepository(session).count_by_person(ids)
    return {row.candidate_id: {"enrollments": row.enrollments, "messages": row.messages} for row in rows}


async def shared(session: Session, moves: Mapping[UUID, UUID]) -> dict[UUID, list[UUID]]:
    """Return loser (→ survivor) → their enrollments in sequences through which the survivor is on their way, too."""
    rows = await EnrollmentRepository(session).active_now({*moves, *moves.values()})
    ways = {(row.candidate_id, row.sequence_id): row.id for row in rows}
    return {
        loser: [way for (who, sequence), way in ways.items() if who == loser and (survivor, sequence) in ways]
        for loser, survivor in moves.items()
    }


async def absorb(session: Session, moves: Mapping[UUID, UUID]) -> None:
    """Give the survivors their losers' (loser → survivor) enrollments and messages.

    Where several are on their way through one sequence, the one further along goes on and the others end: no step is
    sent to one person twice.
    """
    people = {*moves, *moves.values()}
    active = [each for each in await EnrollmentRepository(session).of_candidates(people) if each.state == "active"]
    await enrollments.leave_all(session, await _behind(session, active, moves), MERGED)
    await EnrollmentRepository(session).move(moves)
    await MessageRepository(session).move_merged(moves)
    await marks.move(session, moves)


async def _behind(session: Session, active: Sequence[Enrollment], moves: Mapping[UUID, UUID]) -> list[Enrollment]:
    ways: dict[tuple[UUID, UUID], list[Enrollment]] = {}
    for each in active:
        ways.setdefault((each.sequence_id, moves.get(each.candidate_id, each.candidate_id)), []).append(each)
    several = [rows for rows in ways.values() if len(rows) > 1]
    lives = await enrollments.lives(session, [each for rows in several for each in rows]) if several else {}
    return [each for rows in several for each in _but_first(rows, lives)]


def _but_first(rows: Iterable[Enrollment], lives: Mapping[tuple[UUID, int], Live]) -> list[Enrollment]:
    """Return all but the one furthest along: by its step, then by the earlier end of a wait, then by its start."""

    def order(row: Enrollment) -> tuple[int, datetime, UUID]:
        live = enrollments.live_of(row, lives)
        place = next(
            (at for at, (_, step, _) in enumerate(words.walk(live.definition.steps)) if step.key == row.step), 0
        )
        return -place, row.next_at or row.started_at, row.id

    return sorted(rows, key=order)[1:]


async def release(
    session: Session, survivor_id: UUID, loser_id: UUID, members: Collection[UUID], since: datetime
) -> Released:
    """Undo `absorb`: what arrived with `members` (the loser and whom it had absorbed) is the loser's again.

    Ways that ended by the merge (at `since`) go on, unless the person has begun the same one anew; of several through
    one sequence, which another merge has ended, too, the one furthest along. Those begun since stay with the survivor.
    """
    repository = EnrollmentRepository(session)
    rows = await repository.of_candidates([survivor_id])
    back = [row for row in rows if row.arrived_with in members]
    for row in back:
        row.candidate_id = loser_id
    await session.flush()
    await MessageRepository(session).move([row.id for row in back], loser_id)
    on_the_way = {(row.sequence_id, row.candidate_id) for row in rows if row.state == "active"}
    ended = [row for row in rows if _ended_by_merge(row, since)]
    free = [row for row in ended if (row.sequence_id, row.candidate_id) not in on_the_way]
    behind = {row.id for row in await _behind(session, free, {})}
    await enrollments.revive(session, [row for row in free if row.id not in behind], MERGED)
    between = [row.id for row in rows if row.arrived_with not in members and row.started_at >= since]
    stuck = [row.id for row in ended if row not in free]
    await marks.share(session, [survivor_id], [loser_id])
    return Released(between + stuck, await MessageRepository(session).headers([row.id for row in back]))


def _ended_by_merge(row: Enrollment, since: datetime) -> bool:
    left = row.exit or {}
    return row.finished_at is not None and row.finished_at >= since and left.get("reason") == MERGED


async def erase(session: Session, candidate_id: UUID) -> int:
    """End a person's enrollments and forget where mails to them went; return how many messages that were."""
    for row in await EnrollmentRepository(session).active_of([candidate_id]):
        await enrollments.leave(session, row, "erased")
    await marks.clear(session, [candidate_id])
    await tracking.forget(session, candidate_id)
    return await MessageRepository(session).forget(candidate_id)
