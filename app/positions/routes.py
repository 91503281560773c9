from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, status

from app.kit.answer import AnswerDep, expected
from app.kit.errors import CursorInvalid, CursorMismatch, PreconditionFailed
from app.kit.paging import PagingQuery
from app.kit.routing import EdgeRoute, SessionDep, operation
from app.kit.schemas import Page
from app.pools.errors import CriteriaInvalid, PoolNotFound
from app.positions import service
from app.positions.errors import PositionNotFound, TooManyWishes
from app.positions.models import Position
from app.positions.schemas import MatchPage, PositionCreate, PositionRead, PositionUpdate
from app.scores.errors import ScoreModelNotFound

MERGE_PATCH = ("application/json", "application/merge-patch+json")

router = APIRouter(prefix="/v1/positions", tags=["pools"], route_class=EdgeRoute)


async def found(session: SessionDep, position_id: UUID) -> Position:
    """Find a position that is read."""
    return await service.find(session, position_id)


async def locked(session: SessionDep, position_id: UUID) -> Position:
    """Find a position that is going to be changed."""
    return await service.find(session, position_id, lock=True)


FoundPosition = Annotated[Position, Depends(found)]
LockedPosition = Annotated[Position, Depends(expected(locked))]


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    summary="Open a position",
    **operation("pools:write", CriteriaInvalid, PoolNotFound, ScoreModelNotFound),
)
async def create_position(session: SessionDep, answer: AnswerDep, body: PositionCreate) -> PositionRead:
    position = await service.create(session, body)
    return answer.created(position, f"/v1/positions/{position.id}")


@router.get("", summary="List positions", **operation("pools:read", CursorInvalid, CursorMismatch))
async def list_positions(session: SessionDep, paging: PagingQuery) -> Page[PositionRead]:
    return await service.page(session, paging)


@router.get("/{position_id}", summary="Read a position", **operation("pools:read", PositionNotFound))
async def read_position(position: FoundPosition, answer: AnswerDep) -> PositionRead:
    return answer.versioned(PositionRead.model_validate(position))


@router.patch(
    "/{position_id}",
    summary="Change a position",
    **operation(
        "pools:write",
        PositionNotFound,
        CriteriaInvalid,
        PoolNotFound,
        ScoreModelNotFound,
        TooManyWishes,
        PreconditionFailed,
        media=MERGE_PATCH,
    ),
)
async def update_position(
    session: SessionDep, answer: AnswerDep, position: LockedPosition, body: PositionUpdate
) -> PositionRead:
    return answer.versioned(await service.change(session, position, body))


@router.delete(
    "/{position_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Close a position",
    **operation("pools:write", PositionNotFound, PreconditionFailed),
)
async def delete_position(session: SessionDep, position: LockedPosition) -> None:
    await service.remove(session, position)


@router.get(
    "/{position_id}/matches",
    summary="List who fits a position",
    **operation("pools:read", PositionNotFound, CursorInvalid, CursorMismatch),
)
async def list_position_matches(session: SessionDep, paging: PagingQuery, position: FoundPosition) -> MatchPage:
    return await service.matches(session, paging, position)
