from collections.abc import Collection, Mapping
from typing import Final
from uuid import UUID

from app.candidates import merging as people
from app.candidates import service as candidates
from app.candidates.errors import CandidateNotFound
from app.kit.db import Session
from app.kit.errors import FieldError, Overtaken
from app.kit.paging import Paging
from app.kit.schemas import Page
from app.merges import parting
from app.merges.deciding import decide
from app.merges.detaching import detach, move_out
from app.merges.errors import AlreadyMerged, MarkedDifferent, MergeItself, MergeNotFound
from app.merges.joining import ids_of, merge_many, merge_seen
from app.merges.models import Merge
from app.merges.repository import MergeRepository
from app.merges.scene import Wanted, belongings, look
from app.merges.schemas import MergeCreate, MergePlan, MergeQuestion, MergeRead, MergeUndo, MergeUndone

__all__ = ["REFUSED", "Wanted", "decide", "detach", "look", "merge_many", "merge_seen", "move_out"]

REFUSED: Final = (Overtaken, MarkedDifferent)
"""What is raised where somebody has changed, or was called different, since it was found that they may be merged."""


async def preview(session: Session, body: MergeQuestion) -> MergePlan:
    """Return what a merge would do; nothing is written.

    Raises MergeItself, CandidateNotFound, AlreadyMerged.
    """
    wanted = await _wanted(session, body)
    scene = await look(session, ids_of([wanted]))
    return MergePlan.model_validate((await belongings(session, [wanted])).plan(scene.unite(wanted)))


async def merge(session: Session, body: MergeCreate) -> MergeRead:
    """Let the loser be part of the survivor.

    Raises MergeItself, CandidateNotFound, AlreadyMerged, MarkedDifferent, PlanStale, and Overtaken when somebody else
    has changed who they are meanwhile.
    """
    wanted = await _wanted(session, body, fields=body.fields, override=body.override, plan_hash=body.plan_hash)
    [row] = await merge_many(session, [wanted], by="person")
    return MergeRead.model_validate(row)


async def undo(session: Session, found: Merge, body: MergeUndo) -> MergeUndone:
    """Make two of one again; raises AlreadyUndone, NewerMerge, CandidateErased."""
    row, conflicts = await parting.undo(session, found.id, remember=body.remember)
    return MergeUndone.model_validate({**dict(MergeRead.model_validate(row)), "conflicts": conflicts})


async def find(session: Session, merge_id: UUID) -> Merge:
    """Return a merge's row; raises MergeNotFound."""
    row = await MergeRepository(session).get(merge_id)
    if row is None:
        raise MergeNotFound
    return row


async def page(session: Session, paging: Paging, candidate_id: UUID | None) -> Page[MergeRead]:
    """Return merges, the newest first; with a candidate, those in which any of their ids had a part."""
    bound = ("merges", candidate_id)
    ids = await _ids(session, candidate_id) if candidate_id else []
    rows, total = await MergeRepository(session).page(ids, paging, *bound)
    return paging.page(rows, MergeRead.model_validate, lambda row: [row.id], *bound, total=total)


async def _ids(session: Session, candidate_id: UUID) -> list[UUID]:
    """Return every id of the person whom this one means."""
    live: Mapping[UUID, UUID] = await candidates.resolve_many(session, [candidate_id])
    return await people.members(session, live.get(candidate_id, candidate_id))


async def erase(session: Session, ids: Collection[UUID]) -> int:
    """Forget what merges with these candidates foresaw and kept; return how many there were.

    They cannot be undone any more.
    """
    return await MergeRepository(session).forget(ids)


async def _wanted(session: Session, body: MergeQuestion, **terms: object) -> Wanted:
    """Return who is meant now; raises MergeItself, CandidateNotFound, AlreadyMerged."""
    if body.survivor_id == body.loser_id:
        raise MergeItself(errors=[FieldError("/loser_id", MergeItself.code, MergeItself.sentence())])
    live = await candidates.resolve_many(session, [body.survivor_id, body.loser_id])
    for name, asked in (("loser_id", body.loser_id), ("survivor_id", body.survivor_id)):
        if asked not in live:
            raise CandidateNotFound(errors=[FieldError(f"/{name}", "not_found", CandidateNotFound.sentence())])
    if live[body.loser_id] != body.loser_id or live[body.survivor_id] == body.loser_id:
        raise AlreadyMerged
    return Wanted(live[body.survivor_id], body.loser_id, **terms)  # type: ignore[arg-type]  # of MergeCreate
