"""Taking a record out of a candidate: it was about somebody else, who is a candidate of their own from now on."""

from uuid import UUID

from app.candidates import events
from app.candidates import merging as people
from app.candidates import service as candidates
from app.candidates.draft import Draft
from app.candidates.profile import DECISIVE, Record, compute
from app.candidates.schemas import CandidateRead
from app.dedup import explanation
from app.dedup import merging as matching
from app.dedup import service as dedup
from app.directory import service as directory
from app.kit import outbox
from app.kit.clock import now
from app.kit.db import Session
from app.kit.errors import Overtaken
from app.kit.ids import new_id
from app.merges.errors import NotDetachable, OnlyRecord, RecordNotFound
from app.merges.kept import record_ids
from app.merges.locks import hold
from app.touchpoints import merging as touchpoints


async def detach(session: Session, candidate_id: UUID, record_id: UUID) -> CandidateRead:
    """Make a new candidate of one record with all its versions; a person has said that the two are different.

    Raises as `move_out` does.
    """
    made = await move_out(session, candidate_id, record_id, is_different=True)
    await explanation.part(session, candidate_id, made)
    return await directory.read(session, made)


async def move_out(session: Session, candidate_id: UUID, record_id: UUID, *, is_different: bool = False) -> UUID:
    """Make a new candidate of one record with all its versions; return its id. Links to what stays fall.

    What named the person by an identifier that only this record states goes along. Raises RecordNotFound, OnlyRecord,
    NotDetachable, and Overtaken when the candidate was merged meanwhile.
    """
    if not people.is_live((await hold(session, [candidate_id])).get(candidate_id)):
        raise Overtaken
    old = (await candidates.drafts(session, [candidate_id], []))[candidate_id]
    new = _split(old, record_id)
    order = (await dedup.read_policy(session)).source_order
    fields = new.take(compute(new.records, order))
    changed = old.take(compute(old.records, order))
    new.basis = (await candidates.profiles(session, [old.id]))[old.id].retention_basis or new.basis
    await candidates.store(session, [new])
    await people.give(session, record_ids(new), new.id)
    await candidates.store(session, [old])
    await people.own_again(session, old.id, record_ids(old))
    await people.settle_addresses(session, [old.id, new.id])
    await matching.follow(session, record_ids(new))
    await (matching.differ if is_different else matching.unlink)(session, record_ids(old), record_ids(new))
    await outbox.record(session, events.created(new.id, new.version, fields))
    if changed:
        await outbox.record(session, events.updated(old.id, old.version, changed))
    await touchpoints.give(session, old.id, new.id)
    return new.id


def _split(draft: Draft, record_id: UUID) -> Draft:
    """Take a record with all its versions out of a draft; return the draft that it makes."""
    record = next((each for each in draft.records if each.id == str(record_id)), None)
    if record is None:
        raise RecordNotFound
    if record.door in DECISIVE:
        raise NotDetachable
    taken = [each for each in draft.records if each.chain == record.chain]
    draft.records = [each for each in draft.records if each.chain != record.chain]
    if not any(_says_who(each) for each in draft.records):
        raise OnlyRecord
    return Draft(new_id(), records=taken, made_at=now())


def _says_who(record: Record) -> bool:
    return record.door not in DECISIVE
