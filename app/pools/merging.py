"""What becomes of pools when two candidates are found to be one person, when that is undone, when one is erased.

Members follow from what is known of a person, by the drains; only what was decided by hand moves.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.kit.db import Session
from app.pools.repository import MemberRepository, OverrideRepository


async def counts(session: Session, ids: Collection[UUID]) -> dict[UUID, dict[str, int]]:
    """Return in how many pools each of these people is."""
    found: dict[UUID, dict[str, int]] = {}
    for each in await MemberRepository(session).of_people(ids):
        known = found.setdefault(each.candidate_id, {"memberships": 0})
        known["memberships"] += 1
    return found


async def opposed(session: Session, moves: Mapping[UUID, UUID]) -> dict[UUID, list[UUID]]:
    """Return loser (→ survivor) → the pools for which the opposite was decided by hand of the two."""
    said: dict[UUID, dict[UUID, str]] = {}
    for each in await OverrideRepository(session).of_people([*moves, *moves.values()]):
        said.setdefault(each.candidate_id, {})[each.pool_id] = each.membership
    return {
        loser: sorted(
            pool
            for pool, membership in said.get(loser, {}).items()
            if said.get(survivor, {}).get(pool, membership) != membership
        )
        for loser, survivor in moves.items()
    }


async def absorb(session: Session, moves: Mapping[UUID, UUID]) -> dict[UUID, list[dict[str, Any]]]:
    """Give the survivors what was decided about their losers (loser → survivor), where nothing was about them.

    Returns loser → what was decided about them, for `release`: it may give way at once, or to what is decided later.
    """
    overrides = OverrideRepository(session)
    decided: dict[UUID, list[dict[str, Any]]] = {}
    for row in await overrides.rows_of(list(moves)):
        decided.setdefault(row["candidate_id"], []).append(row)
    await overrides.give_way(list(moves), list(moves.values()))
    await overrides.move(list(moves), list(moves.values()))
    return decided


async def release(
    session: Session,
    survivor_id: UUID,
    members: Collection[UUID],
    since: datetime,
    decided: Sequence[Mapping[str, Any]],
) -> list[UUID]:
    """Undo `absorb`: what was `decided` about the loser (one of `members`) is about them again.

    What was decided since the merge (at `since`) is about the survivor and stays; the pools of that are returned.
    """
    overrides = OverrideRepository(session)
    await overrides.take_back(survivor_id, members)
    await overrides.put_back(decided)
    return await overrides.decided_since(survivor_id, since)


async def erase(session: Session, candidate_id: UUID) -> int:
    """Forget in which pools a person was, and what was decided of them; return how many rows that were."""
    return await OverrideRepository(session).forget(candidate_id) + await MemberRepository(session).forget(candidate_id)
