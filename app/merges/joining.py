"""Making one person of two, for any number of merges in one transaction.

People are seen, then held, and nothing is done where somebody has changed in between: the transaction is run again.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from app.candidates import merging as people
from app.candidates import service as candidates
from app.candidates.standing import Standing, united
from app.consent import service as consent
from app.dedup import merging as matching
from app.kit import outbox
from app.kit.chunks import in_turns
from app.kit.clock import now
from app.kit.db import Session
from app.kit.errors import Overtaken
from app.kit.ids import new_id
from app.merges import events
from app.merges.errors import MarkedDifferent, PlanStale
from app.merges.kept import Kept
from app.merges.models import Merge
from app.merges.plan import chosen
from app.merges.repository import MergeRepository
from app.merges.scene import Belongings, Scene, United, Wanted, belongings, look
from app.pools import service as pools
from app.sequences import service as sequences
from app.touchpoints import merging as touchpoints


async def merge_many(session: Session, wanted: Sequence[Wanted], *, by: str) -> list[Merge]:
    """Merge losers into survivors, in this order, in a bounded number of statements; `by` is person, model or rule.

    All of them must be live; nobody loses twice, and nobody who loses survives another. Raises Overtaken when somebody
    is not live any more or changes meanwhile, MarkedDifferent and PlanStale when one of the merges must not be: then
    none is done.
    """
    return await merge_seen(session, await look(session, ids_of(wanted)), wanted, by=by)


def ids_of(wanted: Sequence[Wanted]) -> set[UUID]:
    """Return everybody who has a part in these merges."""
    return {each for one in wanted for each in (one.survivor_id, one.loser_id)}


async def merge_seen(session: Session, scene: Scene, wanted: Sequence[Wanted], *, by: str) -> list[Merge]:
    """Merge people of a scene; as `merge_many`."""
    if not wanted:
        return []
    if not scene.shows(ids_of(wanted)):
        raise Overtaken
    done = [scene.unite(each) async for each in in_turns(wanted)]
    if not await scene.hold(session):
        raise Overtaken
    owned = await belongings(session, wanted)
    merges = [_written(session, scene, owned, each, by) for each in done]
    await _overrule(session, owned, merges)
    await _move(session, scene, merges)
    await MergeRepository(session).write([row for row, *_ in merges])
    await _tell(session, merges)
    return [row for row, *_ in merges]


_InHand = tuple[Merge, United, Kept]
"""A merge, what it does, and what it keeps."""


def _written(session: Session, scene: Scene, owned: Belongings, done: United, by: str) -> _InHand:
    wanted, plan = done.wanted, owned.plan(done)
    if wanted.plan_hash not in {None, plan["plan_hash"]}:
        raise PlanStale
    if not wanted.override and wanted.loser_id in owned.different:
        raise MarkedDifferent
    before = scene.standings[wanted.survivor_id]
    written = scene.standings[wanted.survivor_id] = united(before, scene.standings[wanted.loser_id])
    choice = UUID(done.choice.id) if done.choice else None
    row = Merge(
        id=new_id(),
        survivor_id=wanted.survivor_id,
        loser_id=wanted.loser_id,
        by=by,
        state="done",
        actor=session.caller.actor,
        plan=chosen(plan, wanted.fields),
        created_at=now(),
    )
    return row, done, Kept(done.before, before, written, done.stood, done.came, choice)


async def _overrule(session: Session, owned: Belongings, merges: Sequence[_InHand]) -> None:
    for row, done, _ in merges:
        if row.loser_id in owned.different:
            await matching.overrule(session, row.id, done.stood, done.came)


async def _move(session: Session, scene: Scene, merges: Sequence[_InHand]) -> None:
    """Let everything that the losers have be the survivors', and write who the survivors are now."""
    moves = {row.loser_id: row.survivor_id for row, *_ in merges}
    survivors = sorted(set(moves.values()))
    await consent.absorb(session, moves)
    await sequences.absorb(session, moves)
    gave_way = await pools.absorb(session, moves)
    kept_by = await matching.absorb(session, [_merged(row, done) for row, done, _ in merges])
    await people.absorb(session, moves)
    await candidates.store(session, [scene.drafts[each] for each in survivors])
    await people.stand(session, _changed(scene.standings, merges))
    await people.settle_addresses(session, survivors)
    await touchpoints.absorb(session, moves)
    for row, _, kept in merges:
        kept.matching, kept.overrides = kept_by[row.id].dump(), gave_way.get(row.loser_id, [])
        row.kept = kept.dump()


def _merged(row: Merge, done: United) -> matching.Merged:
    first = matching.Edge(done.stood[0], done.came[0]) if done.stood and done.came else None
    return matching.Merged(row.id, row.survivor_id, row.loser_id, row.by, done.wanted.edge or first, done.came)


def _changed(standings: Mapping[UUID, Standing], merges: Sequence[_InHand]) -> dict[UUID, Standing]:
    return {row.survivor_id: standings[row.survivor_id] for row, _, kept in merges if kept.written != kept.standing}


async def _tell(session: Session, merges: Sequence[_InHand]) -> None:
    told = []
    for row, done, _ in merges:
        data = {"survivor_id": row.survivor_id, "loser_id": row.loser_id, "merge_id": row.id}
        told.append(events.merged(row.survivor_id, done.versions[0] + 1, done.changed, data))
    await outbox.record(session, *told)
