"""What becomes of consent when two candidates are found to be one person, when that is undone, when one is erased."""

from collections.abc import Collection
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


async def carried(session: Session, survivor_id: UUID, loser_id: UUID) -> list[tuple[UUID, str, str]]:
    """Return (side, purpose, channel) of each withdrawal that a merge of the two would have to carry over.

    The least permissive side wins: what one side withdrew must not be permitted by what the other side granted before
    anybody knew that they are one person. It holds until a grant obtained after the merge.
    """
    moment = now()
    sides: dict[UUID, list[Statement]] = {survivor_id: [], loser_id: []}
    for row in await repository.statements(session, sides):
        sides[row.candidate_id].append(evidence.statement_of(row))
    united = ledger.standings(chain(*sides.values()), moment)
    return [
        (side, purpose, channel)
        for side, statements in sides.items()
        for (purpose, channel), state in ledger.standings(statements, moment).items()
        if _withdrawn(state) and not _withdrawn(united[purpose, channel])
    ]


async def absorb(session: Session, survivor_id: UUID, loser_id: UUID) -> dict[str, int]:
    """Give the survivor what the loser has; return how many rows of each table moved.

    A withdrawal that must hold is repeated as of now by the side that made it: undoing then leaves both as they were.
    """
    held = await carried(session, survivor_id, loser_id)
    await consents.append(session, [(side, _withdrawal(purpose, channel)) for side, purpose, channel in held])
    await repository.move_lease(session, survivor_id, loser_id)
    return await repository.move(session, survivor_id, loser_id)


async def release(
    session: Session, survivor_id: UUID, loser_id: UUID, members: Collection[UUID], since: datetime
) -> list[UUID]:
    """Undo `absorb`: rows that arrived with `members` (the loser and whom it had absorbed) go back to the loser.

    Statements that came since the merge (at `since`) stay with the survivor; their ids are returned. A withdrawal among
    them holds for both.
    """
    await repository.move_back(session, survivor_id, loser_id, members)
    between = await repository.between(session, survivor_id, since)
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
