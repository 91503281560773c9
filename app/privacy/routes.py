from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, status

from app.candidates.errors import CandidateErased, CandidateNotFound
from app.kit.answer import AnswerDep
from app.kit.errors import CursorInvalid, CursorMismatch, PreconditionFailed, PreconditionRequired
from app.kit.paging import PagingQuery
from app.kit.routing import EdgeRoute, SessionDep, operation
from app.kit.schemas import Page
from app.privacy import service
from app.privacy.errors import AckTaken, ErasureNotFound
from app.privacy.models import Erasure
from app.privacy.schemas import AckCreate, EraseCreate, ErasureRead, ExportRead, LiftCreate

READ, WRITE = "privacy:read", "privacy:write"

router = APIRouter(prefix="/v1", tags=["privacy"], route_class=EdgeRoute)


@dataclass(frozen=True, slots=True)
class Target:
    """Who is to be forgotten, and the condition that their version has to meet, now and under the lock."""

    id: UUID
    expect: Callable[[int], None]


async def target(session: SessionDep, answer: AnswerDep, candidate_id: UUID) -> Target:
    """Return whom the id in the path means now, also who was deleted."""
    live, version = await service.find(session, candidate_id)
    expect = partial(answer.expect, required=await service.demands_if_match(session))
    expect(version)
    return Target(live, expect)


async def found_erasure(session: SessionDep, erasure_id: UUID) -> Erasure:
    """Find an erasure."""
    return await service.get(session, erasure_id)


async def locked_erasure(session: SessionDep, erasure_id: UUID) -> Erasure:
    """Find an erasure that is going to be changed."""
    return await service.get(session, erasure_id, lock=True)


@router.post(
    "/candidates/{candidate_id}/erase",
    summary="Forget a person, in every table, and block their return",
    **operation(WRITE, CandidateNotFound, CandidateErased, PreconditionFailed, PreconditionRequired, empty_body=True),
)
async def erase_candidate(
    session: SessionDep, found: Annotated[Target, Depends(target)], body: EraseCreate
) -> ErasureRead:
    return await service.erase(session, found.id, body.reason, found.expect)


@router.get(
    "/candidates/{candidate_id}/export",
    summary="Get everything that is kept about a person",
    **operation(READ, CandidateNotFound, CandidateErased),
)
async def export_candidate(session: SessionDep, answer: AnswerDep, candidate_id: UUID) -> ExportRead:
    found = await service.export(session, candidate_id, session.caller.holder)
    if found.candidate.id != candidate_id:
        answer.content_location(f"/v1/candidates/{found.candidate.id}/export")
    return found


@router.get("/erasures", summary="List who was forgotten when", **operation(READ, CursorInvalid, CursorMismatch))
async def list_erasures(session: SessionDep, paging: PagingQuery) -> Page[ErasureRead]:
    return await service.page(session, paging)


@router.get("/erasures/{erasure_id}", summary="Read an erasure", **operation(READ, ErasureNotFound))
async def read_erasure(session: SessionDep, found: Annotated[Erasure, Depends(found_erasure)]) -> ErasureRead:
    return await service.read(session, found)


@router.post(
    "/erasures/{erasure_id}/acks",
    status_code=status.HTTP_201_CREATED,
    summary="Say that another system has forgotten the person, too",
    **operation(WRITE, ErasureNotFound, AckTaken),
)
async def acknowledge_erasure(
    session: SessionDep, answer: AnswerDep, found: Annotated[Erasure, Depends(locked_erasure)], body: AckCreate
) -> ErasureRead:
    erasure = await service.acknowledge(session, found, body)
    answer.located(f"/v1/erasures/{erasure.id}")
    return erasure


@router.post(
    "/erasures/{erasure_id}/lift",
    summary="Let a person who was forgotten come back, by their own word",
    **operation(WRITE, ErasureNotFound),
)
async def lift_erasure(
    session: SessionDep, found: Annotated[Erasure, Depends(locked_erasure)], body: LiftCreate
) -> ErasureRead:
    return await service.lift(session, found, body)
