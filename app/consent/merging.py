"""What becomes of consent when two candidates are found to be one person, when that is undone, when one is erased."""

from collections.abc import Collection, Mapping
from datetime import datetime
from itertools import chain
from typing import Final
from uuid import UUID

from app.candidates import service as candidates
from app.consent import consents, evidence, ledger, repository
from app.consent.ledger import State, Statement
from app.consent.schemas import ConsentCreate
from app.kit.clock import now
from app.kit.db import Session
from app.kit.ids import new_id

MERGE: Final = {"kind": "api", "detail": repository.CARRIED}
CHANNEL_OF: Final = {"email": "email", "phone": "phone", "url": "sns", "external_id": "any"}


async def carried(session: Session, groups: Collection[Collection[UUID]]) -> list[tuple[UUID, str, str]]:
    """Return (side, purpose, channel) of each withdrawal that has to be carried over when each group is one person.

    The least permissive side wins: what one side withdrew must not be permitted by what another side granted before
    anybody knew that they are one person. It holds until a grant obtained after the merge.
    """
    moment = now()
    sides: dict[UUID, list[Statement]] = {each: [] for group in groups for each in group}
    for row in await repository.statements(session, sides):
        sides[row.candidate_id].append(evidence.statement_of(row))
    united = {
        each: ledger.standings(chain(*(sides[side] for side in group)), moment) for group in groups for each in group
    }
    return [
        (side, purpose, channel)
        for side, statements in sides.items()
        for (purpose, channel), state in ledger.standings(statements, moment).items()
        if _withdrawn(state) and not _withdrawn(united[side][purpose, channel])
    ]


async def absorb(session: Session, moves: Mapping[UUID, UUID]) -> None:
    """Give the survivors what their losers (loser → survivor) have.

    A withdrawal that must hold is repeated as of now by the side that made it: undoing then leaves both as they were.
    """
    groups: dict[UUID, list[UUID]] = {}
    for loser_id, survivor_id in moves.items():
        groups.setdefault(survivor_id, [survivor_id]).append(loser_id)
    held = await carried(session, groups.values())
    await consents.append(session, [(side, _withdrawal(purpose, channel)) for side, purpose, channel in held])
    await repository.move_leases(session, list(moves), list(moves.values()))
    await repository.move(session, list(moves), list(moves.values()))


async def counts(session: Session, ids: Collection[UUID]) -> dict[UUID, dict[str, int]]:
    """Return how many statements each of these people has."""
    return {row.candidate_id: {"consents": row.n} for row in await repository.count_by_person(session, ids)}


async def release(
    session: Session, survivor_id: UUID, loser_id: UUID, members: Collection[UUID], since: datetime
) -> list[UUID]:
    """Undo `absorb`: rows that arrived with `members` (the loser and whom it had absorbed) go back to the loser.

    Statements that came since the merge (at `since`) stay with the survivor; their ids are returned. A withdrawal among
    them holds for both.
    """
    between = await repository.between(session, survivor_id, since)
    await repository.move_back(session, survivor_id, loser_id, members)
    withdrawals = [
        (loser_id, _withdrawal(row.purpose, row.channel, row.obtained_at))
        for row in between
        if row.status == "withdrawn"
    ]
    await consents.append(session, withdrawals)
    return [row.id for row in between]


async def erase(session: Session, candidate_id: UUID, source: str) -> int:
    """Block the person's return and forget what could identify them; to be called while their identifiers are there.

    Statements stay without their evidence: that a mail was permitted must be provable. `source` names the erasure.
    Returns how many values are blocked.
    """
    values = (await candidates.hashes_of(session, [candidate_id])).get(candidate_id, [])
    rows = [
        {"id": new_id(), "channel": CHANNEL_OF[kind], "kind": kind, "value_hmac": value.hex()} for kind, value in values
    ]
    await repository.forget(session, candidate_id, [value for _, value in values])
    await repository.block(session, rows, source)
    await repository.release_lease(session, candidate_id)
    return len(rows)


async def lift_erasure(session: Session, source: str) -> int:
    """Let the person of one erasure come back; return how many values were blocked."""
    return await repository.unblock(session, source)


def _withdrawn(state: State) -> bool:
    return state.standing == "withdrawn"


def _withdrawal(purpose: str, channel: str, obtained_at: datetime | None = None) -> ConsentCreate:
    return ConsentCreate.model_validate(
        {
            "purpose": purpose,
            "channel": channel,
            "status": "withdrawn",
            "evidence": MERGE,
            "obtained_at": obtained_at,
        }
    )
