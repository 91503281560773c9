"""How what was unmatched finds its person.

What two transactions cannot see of each other is settled by the due work that each of them leaves behind: `attach` for
who has new identifiers, `attach_touchpoint` for each block of touchpoints that came without a person.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.candidates import service as candidates
from app.kit import outbox
from app.kit.clock import now
from app.kit.db import Session
from app.kit.ids import BLOCK, block_of
from app.touchpoints import effects, events
from app.touchpoints.models import Touchpoint
from app.touchpoints.repository import TouchpointRepository
from app.touchpoints.row import Name


def reason_of(people: Sequence[UUID]) -> str | None:
    """Return why nobody of `people` is the person; None where there is one."""
    if len(people) == 1:
        return None
    return "ambiguous" if people else "unknown"


async def attach(session: Session, ids: Sequence[UUID]) -> None:
    """Look again at the unmatched touchpoints that name these candidates by an identifier of theirs."""
    hashes = {each for found in (await candidates.hashes_of(session, ids)).values() for each in found}
    if hashes:
        await _match(session, await TouchpointRepository(session).unmatched_of(hashes))


async def attach_blocks(session: Session, blocks: Sequence[UUID]) -> Mapping[UUID, datetime]:
    """Look again for the people of touchpoints that came together: one may have come while they were being stored.

    Hardly ever one has, so only those with news are locked and read whole; who comes after this look finds them.
    Returns the blocks for which another look is needed, because there is too much for one.
    """
    repository = TouchpointRepository(session)
    seen = await repository.unmatched_in(blocks, BLOCK + 1)
    begun = block_of(seen[-1].id) if len(seen) > BLOCK else None
    whole = [row for row in seen if begun is None or row.id < begun]
    people = (await repository.locate({_name(row) for row in whole})).people if whole else {}
    news = [row.id for row in whole if reason_of(tuple(people.get(_name(row), ()))) != row.unmatched_reason]
    await _match(session, await repository.unmatched(news) if news else [])
    moment = now()
    return {block: moment for block in blocks if begun is not None and block >= begun}


async def _match(session: Session, unmatched: Sequence[Touchpoint]) -> None:
    """Give those their person whose identifier names exactly one by now."""
    if not unmatched:
        return
    found = await TouchpointRepository(session).locate({each.name for each in unmatched})
    for touchpoint in unmatched:
        people = tuple(found.people.get(touchpoint.name, ()))
        touchpoint.unmatched_reason = reason_of(people)
        if touchpoint.unmatched_reason is None:
            touchpoint.candidate_id = touchpoint.arrived_with = people[0]
    await session.flush()
    matched = [each for each in unmatched if each.candidate_id is not None]
    await outbox.record(session, *(events.updated(each, ["candidate_id"]) for each in matched))
    await effects.follow(session, matched)


def _name(row: Any) -> Name:  # noqa: ANN401 (a row, in part)
    return Name(None, row.identifier_kind, row.identifier_source, row.identifier_value, row.identifier_hash)
