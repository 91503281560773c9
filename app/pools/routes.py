from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Response, status

from app.candidates.errors import CandidateErased, CandidateNotFound
from app.consent.errors import Leased
from app.consent.gate import Answer
from app.consent.schemas import LeaseRead
from app.kit.answer import AnswerDep, expected
from app.kit.errors import PreconditionFailed
from app.kit.paging import PagingQuery
from app.kit.routing import EdgeRoute, SessionDep, operation
from app.kit.schemas import Page
from app.pools import approach, readiness, service
from app.pools.errors import (
    CriteriaCycle,
    CriteriaInvalid,
    LeaseInPast,
    NotAMember,
    NotDecided,
    NotLeased,
    PoolKeyTaken,
    PoolNotFound,
)
from app.pools.models import Pool
from app.pools.schemas import (
    ApproachPage,
    LeaseWrite,
    MemberRead,
    OverrideRead,
    OverrideWrite,
    PoolCreate,
    PoolRead,
    PoolUpdate,
    ReadinessRead,
)
from app.scores.errors import ScoreModelNotFound

MERGE_PATCH = ("application/json", "application/merge-patch+json")

router = APIRouter(prefix="/v1/pools", tags=["pools"], route_class=EdgeRoute)


async def found(session: SessionDep, pool_id: UUID) -> Pool:
    """Find a pool that is read."""
    return await service.find(session, pool_id)


async def locked(session: SessionDep, pool_id: UUID) -> Pool:
    """Find a pool that is going to be changed."""
    return await service.find(session, pool_id, lock=True)


FoundPool = Annotated[Pool, Depends(found)]
LockedPool = Annotated[Pool, Depends(expected(locked))]


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    summary="Make a pool",
    **operation("pools:write", CriteriaInvalid, CriteriaCycle, PoolKeyTaken, PoolNotFound, ScoreModelNotFound),
)
async def create_pool(session: SessionDep, answer: AnswerDep, body: PoolCreate) -> PoolRead:
    pool = await service.create(session, body)
    return answer.created(pool, f"/v1/pools/{pool.id}")


@router.get("", summary="List pools", **operation("pools:read"))
async def list_pools(
    session: SessionDep,
    paging: PagingQuery,
    key: Annotated[list[str] | None, Query(description="Any of these keys.")] = None,
) -> Page[PoolRead]:
    return await service.page(session, paging, key)


@router.get("/{pool_id}", summary="Read a pool", **operation("pools:read", PoolNotFound))
async def read_pool(pool: FoundPool, answer: AnswerDep) -> PoolRead:
    return answer.versioned(PoolRead.model_validate(pool))


@router.patch(
    "/{pool_id}",
    summary="Change a pool",
    **operation(
        "pools:write",
        PoolNotFound,
        CriteriaInvalid,
        CriteriaCycle,
        PoolKeyTaken,
        ScoreModelNotFound,
        PreconditionFailed,
        media=MERGE_PATCH,
    ),
)
async def update_pool(session: SessionDep, answer: AnswerDep, pool: LockedPool, body: PoolUpdate) -> PoolRead:
    return answer.versioned(await service.change(session, pool, body))


@router.delete(
    "/{pool_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="End a pool",
    **operation("pools:write", PoolNotFound, PreconditionFailed),
)
async def delete_pool(session: SessionDep, pool: LockedPool) -> None:
    await service.remove(session, pool)


@router.get(
    "/{pool_id}/members",
    summary="List the members of a pool",
    response_model=Page[MemberRead],
    **operation("pools:read", PoolNotFound, by_keys=True),
)
async def list_pool_members(session: SessionDep, paging: PagingQuery, pool_id: UUID) -> Response:
    return paging.plain(await service.members(session, paging, pool_id))


@router.put(
    "/{pool_id}/members/{candidate_id}",
    summary="Include or exclude a candidate by hand",
    **operation("pools:write", PoolNotFound, CandidateNotFound, CandidateErased),
)
async def put_pool_member(
    session: SessionDep, pool: FoundPool, candidate_id: UUID, body: OverrideWrite
) -> OverrideRead:
    return await service.decide(session, pool, candidate_id, body)


@router.delete(
    "/{pool_id}/members/{candidate_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Let the criteria decide about a candidate again",
    **operation("pools:write", PoolNotFound, CandidateNotFound, CandidateErased, NotDecided),
)
async def delete_pool_member(session: SessionDep, pool: FoundPool, candidate_id: UUID) -> None:
    await service.undecide(session, pool, candidate_id)


@router.get(
    "/{pool_id}/approach-list", summary="List whom of a pool to contact now", **operation("pools:read", PoolNotFound)
)
async def list_approaches(
    session: SessionDep,
    paging: PagingQuery,
    pool: FoundPool,
    decision: Annotated[list[Answer] | None, Query(description="Only members whose contact decision is this.")] = None,
    accept_language: Annotated[str | None, Header(description="`ja` or `en`, for the reasons.")] = None,
) -> ApproachPage:
    return await approach.page(session, paging, pool, decision or (), accept_language)


@router.get("/{pool_id}/readiness", summary="Read how ready a pool is", **operation("pools:read", PoolNotFound))
async def read_pool_readiness(session: SessionDep, pool: FoundPool) -> ReadinessRead:
    return await readiness.read(session, pool)


@router.put(
    "/{pool_id}/approach-list/{candidate_id}/lease",
    summary="Take a person in hand, or renew that",
    **operation("pools:write", PoolNotFound, CandidateNotFound, CandidateErased, NotAMember, LeaseInPast, Leased),
)
async def put_lease(session: SessionDep, pool: FoundPool, candidate_id: UUID, body: LeaseWrite) -> LeaseRead:
    return await approach.take_lease(session, pool, candidate_id, body.expires_at)


@router.delete(
    "/{pool_id}/approach-list/{candidate_id}/lease",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Let go of a person",
    **operation("pools:write", PoolNotFound, CandidateNotFound, CandidateErased, NotAMember, NotLeased, Leased),
)
async def delete_lease(session: SessionDep, pool: FoundPool, candidate_id: UUID) -> None:
    await approach.release_lease(session, pool, candidate_id)
