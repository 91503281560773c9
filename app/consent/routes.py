from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, status

from app.candidates import service as candidates
from app.candidates.errors import CandidateErased, CandidateNotFound
from app.consent import batch, consents, service, suppressions
from app.consent.errors import (
    AddressInvalid,
    CandidateUnknown,
    StatementInvalid,
    SuppressionNotFound,
    SuppressionPermanent,
)
from app.consent.schemas import (
    Cause,
    Channel,
    ConsentBatch,
    ConsentBatchResult,
    ConsentCreate,
    ConsentRead,
    DecisionList,
    DecisionRead,
    DecisionRequest,
    Purpose,
    SuppressionAnswer,
    SuppressionCheck,
    SuppressionCreate,
    SuppressionRead,
)
from app.kit.answer import AnswerDep
from app.kit.errors import CursorInvalid, CursorMismatch, TooManyItems
from app.kit.paging import PagingQuery, filters
from app.kit.routing import EdgeRoute, SessionDep, operation
from app.kit.schemas import Page

BATCH_BODY = 16 << 20

router = APIRouter(prefix="/v1", tags=["consents"], route_class=EdgeRoute)


async def live_candidate(session: SessionDep, candidate_id: UUID) -> UUID:
    """Return whom the id in the path means now."""
    return await candidates.resolve(session, candidate_id)


CandidateDep = Annotated[UUID, Depends(live_candidate)]
ChannelFilter = Annotated[list[Channel] | None, Query(description="Only those of one of these channels.")]


@router.post(
    "/candidates/{candidate_id}/consents",
    status_code=status.HTTP_201_CREATED,
    summary="Record that a person allowed or withdrew a purpose on a channel",
    **operation("consents:write", CandidateNotFound, CandidateErased, StatementInvalid),
)
async def create_consent(
    session: SessionDep, answer: AnswerDep, live: CandidateDep, body: ConsentCreate
) -> ConsentRead:
    consent = await consents.record(session, live, body)
    answer.located(f"/v1/candidates/{live}/consents")
    return consent


@router.get(
    "/candidates/{candidate_id}/consents",
    summary="List what a person allowed and withdrew",
    **operation("consents:read", CandidateNotFound, CandidateErased, CursorInvalid, CursorMismatch),
)
async def list_consents(
    session: SessionDep,
    answer: AnswerDep,
    candidate_id: UUID,
    live: CandidateDep,
    paging: PagingQuery,
    channel: ChannelFilter = None,
    purpose: Annotated[list[Purpose] | None, Query(description="Only those of one of these purposes.")] = None,
) -> Page[ConsentRead]:
    if live != candidate_id:
        answer.content_location(f"/v1/candidates/{live}/consents")
    return await consents.page(session, live, filters(channel=channel, purpose=purpose), paging)


@router.post(
    "/consents/batch",
    status_code=status.HTTP_207_MULTI_STATUS,
    summary="Record many statements, each judged by itself",
    **operation("consents:write", TooManyItems, max_body=BATCH_BODY, each_alone=True),
)
async def create_consents(session: SessionDep, body: ConsentBatch) -> ConsentBatchResult:
    return await batch.record(session, body.items)


@router.post(
    "/contact-decisions",
    summary="Ask whether people may be contacted",
    **operation("consents:read", CandidateUnknown, TooManyItems, max_body=BATCH_BODY),
)
async def decide_contacts(session: SessionDep, body: DecisionRequest) -> DecisionRead | DecisionList:
    return await service.ask(session, body)


@router.get(
    "/suppressions",
    summary="List what must not be written to",
    **operation("consents:read", CursorInvalid, CursorMismatch),
)
async def list_suppressions(
    session: SessionDep,
    paging: PagingQuery,
    channel: ChannelFilter = None,
    reason: Annotated[list[Cause] | None, Query(description="Only those for one of these reasons.")] = None,
) -> Page[SuppressionRead]:
    return await suppressions.page(session, filters(channel=channel, reason=reason), paging)


_suppress: dict[str, Any] = operation("consents:write", AddressInvalid)
_suppress["responses"][200] = {"model": SuppressionRead, "description": "A repeat: what was suppressed before."}


@router.post("/suppressions", status_code=status.HTTP_201_CREATED, summary="Suppress an address", **_suppress)
async def create_suppression(session: SessionDep, answer: AnswerDep, body: SuppressionCreate) -> SuppressionRead:
    suppression, is_new = await suppressions.create(session, body)
    answer.located(f"/v1/suppressions/{suppression.id}", 201 if is_new else 200)
    return suppression


@router.post(
    "/suppressions/check",
    summary="Ask whether an address is suppressed",
    **operation("consents:read", AddressInvalid),
)
async def check_suppression(session: SessionDep, body: SuppressionCheck) -> SuppressionAnswer:
    return await suppressions.check(session, body)


@router.get(
    "/suppressions/{suppression_id}",
    summary="Read a suppression",
    **operation("consents:read", SuppressionNotFound),
)
async def read_suppression(session: SessionDep, suppression_id: UUID) -> SuppressionRead:
    return await suppressions.read(session, suppression_id)


@router.delete(
    "/suppressions/{suppression_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Take back a suppression",
    **operation("consents:write", SuppressionNotFound, SuppressionPermanent),
)
async def delete_suppression(session: SessionDep, suppression_id: UUID) -> None:
    await suppressions.remove(session, suppression_id)
