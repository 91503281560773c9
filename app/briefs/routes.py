from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query

from app.briefs import service
from app.briefs.schemas import BriefRead
from app.candidates.errors import CandidateErased, CandidateNotFound
from app.consent.schemas import Channel, Purpose
from app.kit.answer import AnswerDep
from app.kit.routing import EdgeRoute, SessionDep, operation

router = APIRouter(prefix="/v1/candidates", tags=["candidates"], route_class=EdgeRoute)


@router.get(
    "/{candidate_id}/brief",
    summary="Read one page of facts before a call",
    **operation("candidates:read", CandidateNotFound, CandidateErased),
)
async def read_candidate_brief(
    session: SessionDep,
    answer: AnswerDep,
    candidate_id: UUID,
    channel: Annotated[Channel, Query(description="By what they would be contacted.")] = "email",
    purpose: Annotated[Purpose, Query(description="For what they would be contacted.")] = "recruiting",
    accept_language: Annotated[str | None, Header(description="`ja` or `en`, for the lines.")] = None,
) -> BriefRead:
    brief = await service.read(session, candidate_id, channel, purpose, accept_language)
    if brief.candidate_id != candidate_id:
        answer.content_location(f"/v1/candidates/{brief.candidate_id}/brief")
    return brief
