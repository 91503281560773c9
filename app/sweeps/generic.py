"""Links that rested on a value which has become generic, judged again without it."""

from typing import Final
from uuid import UUID

from app.candidates import service as candidates
from app.dedup import service as dedup
from app.dedup.matching import Opened
from app.dedup.rules import Knowledge, judge
from app.kit.db import Session
from app.merges.service import move_out
from app.sweeps import repository

KEYS: Final = 20
"""So many keys are looked at in one transaction."""


async def judge_again(session: Session) -> int:
    """Judge the automatic links of a few such keys; return how many keys are left.

    A record that no longer reaches `same` moves to a candidate of its own, without a `different`, and a pair opens.
    What a person has linked stays.
    """
    hashes = await repository.unjudged(session, KEYS + 1)
    held = await repository.holders_of(session, hashes[:KEYS])
    records = {row.record_id for row in held}
    links = await repository.automatic_links(session, sorted(records))
    known = await dedup.knowledge(session)
    for record_id in dict.fromkeys(max(link.a, link.b) for link in links):
        await _judge_record(session, known, record_id)
    await repository.mark_judged(session, hashes[:KEYS])
    return max(0, len(hashes) - KEYS)


async def _judge_record(session: Session, known: Knowledge, record_id: UUID) -> None:
    """Move a record to a candidate of its own where nothing but the generic value held it."""
    owner = (await candidates.owners(session, [record_id])).get(record_id)
    said = (await dedup.sides_of(session, [owner])).get(owner, []) if owner else []
    own = [side for side in said if side.record_id == record_id]
    others = [side for side in said if side.record_id != record_id]
    if owner is None or not own or not others or own[0].is_vouched:
        return
    await dedup.learn(session, known, said)
    judgement = judge(own, others, known)
    if judgement.decision == "same":
        return
    made = await move_out(session, owner, record_id)
    opened = Opened(made, owner, judgement.decided("possible", "generic"), record_id)
    await dedup.open_pairs(session, [opened])
