from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, status

from app.candidates import service as candidates
from app.candidates.errors import CandidateErased, CandidateNotFound
from app.candidates.schemas import CandidateRead
from app.dedup import service as dedup
from app.dedup.errors import PairNotFound
from app.kit.answer import AnswerDep
from app.kit.errors import CursorInvalid, CursorMismatch
from app.kit.paging import PagingQuery
from app.kit.routing import EdgeRoute, SessionDep, operation
from app.kit.schemas import Page
from app.merges import service
from app.merges.errors import (
    AlreadyMerged,
    AlreadyUndone,
    MarkedDifferent,
    MergeItself,
    MergeNotFound,
    NewerMerge,
    NotDetachable,
    OnlyRecord,
    PlanStale,
    RecordNotFound,
)
from app.merges.models import Merge
from app.merges.schemas import (
    MergeCreate,
    MergePlan,
    MergeQuestion,
    MergeRead,
    MergeUndo,
    MergeUndone,
    PairDecided,
    PairDecision,
)

router = APIRouter(prefix="/v1", tags=["dedup"], route_class=EdgeRoute)


async def found_merge(session: SessionDep, merge_id: UUID) -> Merge:
    return await service.find(session, merge_id)


async def live_candidate(session: SessionDep, candidate_id: UUID) -> UUID:
    return await candidates.resolve(session, candidate_id)


async def found_sides(session: SessionDep, pair_id: UUID) -> tuple[UUID, UUID]:
    pair = await dedup.find_pair(session, pair_id)
    return pair.left_id, pair.right_id


MergeDep = Annotated[Merge, Depends(found_merge)]


@router.post(
    "/merges/preview",
    summary="Ask what a merge would do",
    **operation("dedup:read", CandidateNotFound, AlreadyMerged, MergeItself),
)
async def preview_merge(session: SessionDep, body: MergeQuestion) -> MergePlan:
    return await service.preview(session, body)


@router.post(
    "/merges",
    status_code=status.HTTP_201_CREATED,
    summary="Make one person of two",
    **operation("dedup:write", CandidateNotFound, AlreadyMerged, MarkedDifferent, PlanStale, MergeItself),
)
async def create_merge(session: SessionDep, answer: AnswerDep, body: MergeCreate) -> MergeRead:
    merge = await service.merge(session, body)
    answer.located(f"/v1/merges/{merge.id}")
    return merge


@router.get("/merges", summary="List merges", **operation("dedup:read", CursorInvalid, CursorMismatch))
async def list_merges(
    session: SessionDep,
    paging: PagingQuery,
    candidate_id: Annotated[UUID | None, Query(description="Only merges in which this person had a part.")] = None,
) -> Page[MergeRead]:
    return await service.page(session, paging, candidate_id)


@router.get("/merges/{merge_id}", summary="Read a merge", **operation("dedup:read", MergeNotFound))
async def read_merge(merge: MergeDep) -> MergeRead:
    return MergeRead.model_validate(merge)


@router.post(
    "/merges/{merge_id}/undo",
    summary="Make two of one again",
    **operation("dedup:write", MergeNotFound, CandidateErased, AlreadyUndone, NewerMerge, empty_body=True),
)
async def undo_merge(session: SessionDep, merge: MergeDep, body: MergeUndo) -> MergeUndone:
    return await service.undo(session, merge, body)


@router.post(
    "/candidates/{candidate_id}/records/{record_id}/detach",
    status_code=status.HTTP_201_CREATED,
    summary="Make a candidate of a record that was about somebody else",
    **operation(
        "dedup:write",
        CandidateNotFound,
        CandidateErased,
        RecordNotFound,
        OnlyRecord,
        NotDetachable,
        empty_body=True,
    ),
)
async def detach_record(
    session: SessionDep, answer: AnswerDep, live: Annotated[UUID, Depends(live_candidate)], record_id: UUID
) -> CandidateRead:
    candidate = await service.detach(session, live, record_id)
    return answer.created(candidate, f"/v1/candidates/{candidate.id}")


@router.post(
    "/dedup/pairs/{pair_id}/decision",
    summary="Say whether a pair is one person",
    **operation("dedup:write", PairNotFound, CandidateNotFound, CandidateErased, NewerMerge),
)
async def decide_pair(
    session: SessionDep, sides: Annotated[tuple[UUID, UUID], Depends(found_sides)], pair_id: UUID, body: PairDecision
) -> PairDecided:
    return await service.decide(session, sides, pair_id, body)
