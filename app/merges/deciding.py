"""What a person says of a pair: the same, which merges them, or different, which is never asked again."""

from uuid import UUID

from app.candidates import service as candidates
from app.candidates.errors import CandidateNotFound
from app.dedup import merging as matching
from app.dedup.errors import PairNotFound
from app.kit.db import Session
from app.merges.joining import merge_many
from app.merges.locks import hold
from app.merges.parting import undo
from app.merges.scene import Wanted
from app.merges.schemas import PairDecided, PairDecision


async def decide(session: Session, sides: tuple[UUID, UUID], pair_id: UUID, body: PairDecision) -> PairDecided:
    """Write a person's decision over whatever was said before.

    `same` merges, the older id survives; `different` takes a merge back that the pair has led to. Raises PairNotFound,
    CandidateNotFound, NewerMerge, and Overtaken when one of the two was merged meanwhile.
    """
    await hold(session, sides)
    pair = await _pair(session, pair_id)
    if body.decision == "same":
        await _unite(session, pair, body.note)
    else:
        await _tell_apart(session, pair, body.note)
    return await _pair(session, pair_id)


async def _pair(session: Session, pair_id: UUID) -> PairDecided:
    found = await matching.read_pair(session, pair_id)
    if found is None:
        raise PairNotFound
    return PairDecided.model_validate(found)


async def _unite(session: Session, pair: PairDecided, note: str | None) -> None:
    if pair.status != "same":
        live = await candidates.resolve_many(session, [pair.left_id, pair.right_id])
        if live.keys() != {pair.left_id, pair.right_id}:
            raise CandidateNotFound
        await merge_many(session, [Wanted(pair.left_id, pair.right_id, override=True)], by="person")
    await matching.decide(session, pair.id, None, note)


async def _tell_apart(session: Session, pair: PairDecided, note: str | None) -> None:
    if pair.status == "same" and pair.merge_id is not None:
        await undo(session, pair.merge_id, remember=True)
    said = await candidates.records_of(session, [pair.left_id, pair.right_id])
    left, right = ([UUID(each.id) for each in said[side]] for side in (pair.left_id, pair.right_id))
    await matching.differ(session, left, right)
    await matching.decide(session, pair.id, "different", note)
