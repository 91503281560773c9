"""Making one person of two, for any number of merges in one transaction.

Locks come first, in one order everywhere: the buckets of matching over all that these people are found by, their
enrollments, then their rows by id. Who is in doubt after that is not judged here: the transaction is run again.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from app.candidates import merging as people
from app.candidates import service as candidates
from app.candidates.standing import united
from app.consent import service as consent
from app.dedup import merging as matching
from app.dedup import service as dedup
from app.kit import outbox
from app.kit.clock import now
from app.kit.db import Session
from app.kit.errors import Overtaken
from app.kit.ids import new_id
from app.merges import events
from app.merges.errors import MarkedDifferent, PlanStale
from app.merges.kept import Kept, profile_of, record_ids
from app.merges.models import Merge
from app.merges.repository import MergeRepository
from app.merges.scene import Scene, United, Wanted, look
from app.pools import service as pools
from app.sequences import service as sequences
from app.touchpoints import merging as touchpoints


async def hold(session: Session, ids: Collection[UUID]) -> Mapping[UUID, Any]:
    """Lock these people and all that could change who they are; return how they stand."""
    said = await candidates.records_of(session, list(ids))
    await dedup.hold(session, [dedup.key(session, record.features) for each in said.values() for record in each])
    await sequences.hold(session, ids)
    return await people.hold(session, ids)


async def merge_many(session: Session, wanted: Sequence[Wanted], *, by: str) -> list[Merge]:
    """Merge losers into survivors, in this order, in a bounded number of statements; `by` is person, model or rule.

    All of them must be live; nobody loses twice, and nobody who loses survives another. Raises Overtaken when somebody
    is not live any more, MarkedDifferent and PlanStale when one of the merges must not be: then none is done.
    """
    if not wanted:
        return []
    ids = sorted({each for one in wanted for each in (one.survivor_id, one.loser_id)})
    standing = await hold(session, ids)
    if not all(people.is_live(standing.get(each)) for each in ids):
        raise Overtaken
    scene = await look(session, wanted)
    merges = [_unite(session, scene, each, by) for each in wanted]
    await _overrule(session, scene, merges)
    await _move(session, scene, merges)
    await MergeRepository(session).add(*(row for row, *_ in merges))
    data = [{"survivor_id": row.survivor_id, "loser_id": row.loser_id, "merge_id": row.id} for row, *_ in merges]
    await outbox.record(
        session,
        *(
            events.merged(row.survivor_id, version, done.changed, said)
            for (row, done, _, version, _), said in zip(merges, data, strict=True)
        ),
    )
    return [row for row, *_ in merges]


_InHand = tuple[Merge, United, Kept, int, Wanted]
"""A merge, what it does, what it keeps, the survivor's version that it makes, and what was asked for."""


def _unite(session: Session, scene: Scene, wanted: Wanted, by: str) -> _InHand:
    survivor, loser = scene.drafts[wanted.survivor_id], scene.drafts[wanted.loser_id]
    before = scene.standings[survivor.id]
    written = united(before, scene.standings[loser.id])
    kept = Kept(profile_of(survivor), before, written, record_ids(survivor), record_ids(loser))
    done = scene.unite(wanted)
    if wanted.plan_hash not in {None, done.plan.plan_hash}:
        raise PlanStale
    if not wanted.override and any(loser.id in pair for pair in scene.different):
        raise MarkedDifferent
    scene.standings[survivor.id] = written
    kept.choice = UUID(done.choice.id) if done.choice else None
    row = Merge(
        id=new_id(),
        survivor_id=survivor.id,
        loser_id=loser.id,
        by=by,
        state="done",
        actor=session.caller.actor,
        plan=done.plan.model_dump(mode="json"),
        created_at=now(),
    )
    return row, done, kept, survivor.version, wanted


async def _overrule(session: Session, scene: Scene, merges: Sequence[_InHand]) -> None:
    for row, _, kept, _, _ in merges:
        if any(row.loser_id in pair for pair in scene.different):
            await matching.overrule(session, row.id, kept.stood, kept.came)


async def _move(session: Session, scene: Scene, merges: Sequence[_InHand]) -> None:
    """Let everything that the losers have be the survivors', and write who the survivors are now."""
    moves = {row.loser_id: row.survivor_id for row, *_ in merges}
    survivors = sorted(set(moves.values()))
    await consent.absorb(session, moves)
    await sequences.absorb(session, moves)
    gave_way = await pools.absorb(session, moves)
    kept_by = await matching.absorb(session, [_merged(row, kept, wanted) for row, _, kept, _, wanted in merges])
    await people.absorb(session, moves)
    await candidates.store(session, [scene.drafts[each] for each in survivors], {})
    await people.stand(session, {each: scene.standings[each] for each in survivors})
    await people.settle_addresses(session, survivors)
    await touchpoints.absorb(session, moves)
    for row, _, kept, _, _ in merges:
        kept.matching, kept.overrides = kept_by[row.id].dump(), gave_way.get(row.loser_id, [])
        row.kept = kept.dump()


def _merged(row: Merge, kept: Kept, wanted: Wanted) -> matching.Merged:
    first = matching.Edge(kept.stood[0], kept.came[0]) if kept.stood and kept.came else None
    return matching.Merged(row.id, row.survivor_id, row.loser_id, row.by, wanted.edge or first)
