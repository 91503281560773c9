"""Taking a merge back: what came with the loser returns, and so does what named them by an identifier since.

What was written in between to one of the ids cannot be told apart: it stays with the survivor and is listed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.candidates import merging as people
from app.candidates import service as candidates
from app.candidates.draft import Draft
from app.candidates.errors import CandidateErased
from app.candidates.profile import DECISIVE, Computed, Record, compute
from app.candidates.standing import restored, standing_of
from app.consent import service as consent
from app.dedup import explanation
from app.dedup import merging as matching
from app.dedup import service as dedup
from app.kit import outbox
from app.kit.clock import now
from app.kit.db import Session
from app.kit.errors import Overtaken
from app.merges import events
from app.merges.errors import AlreadyUndone, NewerMerge
from app.merges.kept import Kept, load_kept, profile_of
from app.merges.locks import hold
from app.merges.models import Merge
from app.merges.repository import MergeRepository
from app.merges.schemas import ConflictRead
from app.merges.sides import Parted, parted
from app.pools import service as pools
from app.sequences import service as sequences
from app.touchpoints import merging as touchpoints

REASONS: Final = {
    "field": "This was written to an id of both; it stays with the survivor.",
    "record": "This record names both or neither; it stays with the survivor.",
    "touchpoint": "This was told of an id of both; it stays with the survivor.",
    "consent": "This was said of an id of both; it stays with the survivor, and a withdrawal holds for both.",
    "enrollment": "This way was begun by an id of both; it stays with the survivor.",
    "membership": "This was decided by hand about an id of both; it stays with the survivor.",
    "external_id": "Somebody else has this external id by now.",
    "status": "The person was deleted in between; the survivor stays so.",
}


@dataclass(frozen=True, slots=True)
class _Records:
    """Records by where they belong: `own` stay with the survivor, `back` go; `said` are corrections in between."""

    own: list[UUID]
    back: list[UUID]
    said: list[Record]
    unclear: list[Record]


async def undo(session: Session, merge_id: UUID, *, remember: bool) -> tuple[Merge, list[ConflictRead]]:
    """Make two of one again; return the merge and what stays with the survivor.

    Raises AlreadyUndone, NewerMerge, CandidateErased.
    """
    repository = MergeRepository(session)
    merge = await repository.get(merge_id, lock=True)
    if merge is None or merge.state == "undone":
        raise AlreadyUndone
    standing = await hold(session, [merge.survivor_id, merge.loser_id])
    survivor = standing[merge.survivor_id]
    if survivor.erased_at is not None:
        raise CandidateErased
    if survivor.merged_into is not None or await repository.stands_below(merge):
        raise NewerMerge
    if standing[merge.loser_id].merged_into != merge.survivor_id:
        raise Overtaken
    kept = load_kept(merge.kept)
    members = await people.members(session, merge.loser_id)
    records = await _records(session, merge, kept, members)
    conflicts = [*_said(records), *await _give_back(session, merge, kept, members, records)]
    await _part(session, merge, kept, records, remember=remember)
    conflicts += await _restore(session, merge, kept, records)
    if remember:
        await explanation.part(session, merge.survivor_id, merge.loser_id)
    if survivor.hidden_at is not None:
        conflicts.append(_conflict("status", merge.survivor_id, "field:status"))
    merge.state, merge.undone_at = "undone", now()
    await repository.save()
    return merge, conflicts


async def _records(session: Session, merge: Merge, kept: Kept, members: Sequence[UUID]) -> _Records:
    """Sort the survivor's records, forgetting the one that the merge wrote for itself."""
    if kept.choice is not None:
        await matching.forget_record(session, kept.choice)
        await people.forget_record(session, kept.choice)
    places = await people.places(session, [merge.survivor_id])
    said = {
        UUID(each.id): each for each in (await candidates.records_of(session, [merge.survivor_id]))[merge.survivor_id]
    }
    theirs = [each.record_id for each in places if each.first_id in members]
    stood = set(kept.stood)
    mine = [each.record_id for each in places if each.record_id in stood]
    between = [said[each.record_id] for each in places if each.record_id not in {*stood, *theirs}]
    found: Parted = parted([said[each] for each in mine], [said[each] for each in theirs], between)
    back = [each.record_id for each in places if each.record_id in theirs or str(each.record_id) in found.back]
    return _Records(
        own=[each.record_id for each in places if each.record_id not in set(back)],
        back=back,
        said=[each for each in between if each.door in DECISIVE],
        unclear=found.unclear,
    )


def _said(records: _Records) -> Iterable[ConflictRead]:
    for record in records.said:
        for name in record.payload:
            yield _conflict("field", UUID(record.id), "tag" if name == "tags" else f"field:{name}")
    for record in records.unclear:
        yield _conflict("record", UUID(record.id))


async def _give_back(
    session: Session, merge: Merge, kept: Kept, members: Sequence[UUID], records: _Records
) -> list[ConflictRead]:
    """Return what every slice has of the loser; list what stays."""
    sides = (merge.survivor_id, merge.loser_id, members, merge.created_at)
    await people.release(session, merge.survivor_id, merge.loser_id, members, records.back)
    said = await consent.release(session, *sides)
    released = await sequences.release(session, *sides)
    decided = await pools.release(session, merge.survivor_id, members, merge.created_at, kept.overrides)
    told = await touchpoints.release(session, *sides, released.message_ids)
    staying = {"touchpoint": told, "consent": said, "enrollment": released.between, "membership": decided}
    return [_conflict(kind, each) for kind, ids in staying.items() for each in ids]


async def _part(session: Session, merge: Merge, kept: Kept, records: _Records, *, remember: bool) -> None:
    merged = (merge.id, merge.survivor_id, merge.loser_id)
    await matching.release(session, merged, kept.matching, records.back, remember=remember)
    if remember:
        await matching.differ(session, records.own, records.back)
    else:
        await matching.unlink(session, records.own, records.back)


async def _restore(session: Session, merge: Merge, kept: Kept, records: _Records) -> list[ConflictRead]:
    """Write both profiles as they were, or as their records add up to where these are others now."""
    order = (await dedup.read_policy(session)).source_order
    both = [merge.survivor_id, merge.loser_id]
    drafts = await candidates.drafts(session, both, [])
    survivor, loser = (drafts[each] for each in both)
    is_same = set(records.own) == set(kept.stood)
    changed = _take(survivor, kept.profile if is_same else compute(survivor.records, order))
    is_same = set(records.back) == set(kept.came)
    returned = _take(loser, profile_of(loser) if is_same else compute(loser.records, order))
    await candidates.store(session, [survivor, loser])
    standing = standing_of((await candidates.profiles(session, [survivor.id]))[survivor.id])
    await people.stand(session, {survivor.id: restored(standing, kept.written, kept.standing)})
    await people.settle_addresses(session, both)
    data = {"survivor_id": survivor.id, "loser_id": loser.id, "merge_id": merge.id}
    await outbox.record(
        session,
        events.unmerged(survivor.id, survivor.version, changed, data),
        events.unmerged(loser.id, loser.version, returned, data),
    )
    taken = [
        (each.id, await people.own_again(session, each.id, ids))
        for each, ids in ((survivor, records.own), (loser, records.back))
    ]
    return [_conflict("external_id", owner) for owner, lost in taken for _ in lost]


def _take(draft: Draft, computed: Computed) -> list[str]:
    """Give a draft this profile under a new version."""
    version = draft.version
    changed = draft.take(computed)
    draft.version = version + 1
    return changed


def _conflict(reason: str, row_id: UUID, kind: str | None = None) -> ConflictRead:
    return ConflictRead(kind=kind or reason, id=row_id, reason=REASONS[reason])
