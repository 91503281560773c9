from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from app.candidates.errors import CandidateNotFound
from app.dedup import explanation, service
from app.dedup.errors import PairNotFound, SamePerson
from app.dedup.models import CandidatePair, DedupPolicy
from app.dedup.schemas import CheckBody, ExplainBody, Explanation, Matches, PairRead, PolicyBody, PolicyRead
from app.kit.answer import AnswerDep, expected
from app.kit.errors import CursorInvalid, CursorMismatch, PreconditionFailed
from app.kit.paging import PagingQuery
from app.kit.routing import EdgeRoute, SessionDep, operation
from app.kit.schemas import Page

router = APIRouter(prefix="/v1/dedup", tags=["dedup"], route_class=EdgeRoute)

Status = Annotated[list[Literal["open", "same", "different"]] | None, Query(description="One of these states.")]


async def found_pair(session: SessionDep, pair_id: UUID) -> CandidatePair:
    return await service.find_pair(session, pair_id)


async def locked_policy(session: SessionDep) -> DedupPolicy:
    return await service.lock_policy(session)


@router.post("/check", summary="Ask who this could be", **operation("dedup:read", CandidateNotFound, by_keys=True))
async def check_candidate(session: SessionDep, body: CheckBody) -> Matches:
    return await service.check(session, body)


@router.post(
    "/explain",
    summary="Ask what speaks for and against two candidates being one",
    **operation("dedup:read", CandidateNotFound, SamePerson),
)
async def explain_candidates(session: SessionDep, body: ExplainBody) -> Explanation:
    return await explanation.explain(session, body)


@router.get("/pairs", summary="List pairs", **operation("dedup:read", CursorInvalid, CursorMismatch))
async def list_pairs(session: SessionDep, paging: PagingQuery, status: Status = None) -> Page[PairRead]:
    return await service.list_pairs(session, paging, status or ())


@router.get("/pairs/{pair_id}", summary="Read a pair", **operation("dedup:read", PairNotFound))
async def read_pair(pair: Annotated[CandidatePair, Depends(found_pair)]) -> PairRead:
    return PairRead.model_validate(pair)


@router.get("/policy", summary="Read how people are matched", **operation("dedup:read"))
async def read_dedup_policy(session: SessionDep, answer: AnswerDep) -> PolicyRead:
    return answer.versioned(await service.read_policy(session))


@router.put("/policy", summary="Say how people are matched", **operation("dedup:write", PreconditionFailed))
async def replace_dedup_policy(
    session: SessionDep,
    answer: AnswerDep,
    stored: Annotated[DedupPolicy, Depends(expected(locked_policy))],
    body: PolicyBody,
) -> PolicyRead:
    return answer.versioned(await service.replace_policy(session, stored, body))
