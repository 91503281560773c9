from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response, status

from app.candidates.errors import CandidateNotFound
from app.contents.errors import ContentNotFound
from app.kit.answer import AnswerDep, expected
from app.kit.errors import PreconditionFailed
from app.kit.paging import PagingQuery
from app.kit.routing import EdgeRoute, SessionDep, operation
from app.kit.schemas import Page
from app.pools.errors import CriteriaInvalid, PoolNotFound
from app.sequences import errors, forecast, messages, models, report, roster, service, templates
from app.sequences.figures import SequenceReport
from app.sequences.forecast import ForecastCreate, ForecastRead
from app.sequences.models import Enrollment, Message, Template
from app.sequences.repository import MessageFilter
from app.sequences.schemas import (
    EnrollmentBatch,
    EnrollmentCreate,
    EnrollmentMove,
    EnrollmentRead,
    EnrollmentStop,
    MessageRead,
    MessageSettle,
    PreviewCreate,
    PreviewRead,
    SequencePatch,
    SequenceRead,
    SequenceWrite,
    TemplateRead,
    TemplateWrite,
)

MERGE_PATCH = ("application/json", "application/merge-patch+json")
MAX_TEMPLATE = 2 << 20
READ, WRITE = "sequences:read", "sequences:write"
WRONG_TEMPLATE = (errors.TemplateInvalid, errors.TemplateLimit)
WRONG_SEQUENCE = (errors.SequenceKeyTaken, errors.TemplateNotFound, ContentNotFound, PoolNotFound, CriteriaInvalid)

router = APIRouter(prefix="/v1", tags=["sequences"], route_class=EdgeRoute)

SequenceState = Literal["draft", "active", "paused", "archived"]
EnrollmentState = Literal["active", "completed", "exited", "stopped"]
MessageState = Literal[
    "scheduled", "claimed", "transmitting", "retry", "sent", "unknown", "refused", "failed", "dead", "cancelled"
]
Ids = Annotated[list[UUID] | None, Query()]
Texts = Annotated[list[str] | None, Query()]


async def template_by_id(session: SessionDep, template_id: UUID) -> Template:
    """Find a template."""
    return await templates.find(session, template_id)


async def locked_template(session: SessionDep, template_id: UUID) -> Template:
    """Find a template that is going to be changed."""
    return await templates.find(session, template_id, lock=True)


async def sequence_by_id(session: SessionDep, sequence_id: UUID) -> models.Sequence:
    """Find a sequence."""
    return await service.find(session, sequence_id)


async def locked_sequence(session: SessionDep, sequence_id: UUID) -> models.Sequence:
    """Find a sequence that is going to be changed."""
    return await service.find(session, sequence_id, lock=True)


async def enrollment_by_id(session: SessionDep, enrollment_id: UUID) -> Enrollment:
    """Find an enrollment."""
    return await roster.find(session, enrollment_id)


async def locked_enrollment(session: SessionDep, enrollment_id: UUID) -> Enrollment:
    """Find an enrollment that is going to be changed."""
    return await roster.find(session, enrollment_id, lock=True)


async def message_by_id(session: SessionDep, message_id: UUID) -> Message:
    """Find a message."""
    return await messages.find(session, message_id)


FoundTemplate = Annotated[Template, Depends(template_by_id)]
LockedTemplate = Annotated[Template, Depends(expected(locked_template))]
FoundSequence = Annotated[models.Sequence, Depends(sequence_by_id)]
LockedSequence = Annotated[models.Sequence, Depends(expected(locked_sequence))]
FoundEnrollment = Annotated[Enrollment, Depends(enrollment_by_id)]
LockedEnrollment = Annotated[Enrollment, Depends(expected(locked_enrollment))]
FoundMessage = Annotated[Message, Depends(message_by_id)]
ExpectedMessage = Annotated[Message, Depends(expected(message_by_id))]


@router.post(
    "/templates",
    status_code=status.HTTP_201_CREATED,
    summary="Make a template",
    **operation(WRITE, errors.TemplateKeyTaken, *WRONG_TEMPLATE, max_body=MAX_TEMPLATE),
)
async def create_template(session: SessionDep, answer: AnswerDep, body: TemplateWrite) -> TemplateRead:
    template = await templates.create(session, body)
    return answer.created(template, f"/v1/templates/{template.id}")


@router.get("/templates", summary="List templates", **operation(READ))
async def list_templates(session: SessionDep, paging: PagingQuery) -> Page[TemplateRead]:
    return await templates.page(session, paging)


@router.get("/templates/{template_id}", summary="Read a template", **operation(READ, errors.TemplateNotFound))
async def read_template(session: SessionDep, answer: AnswerDep, template: FoundTemplate) -> TemplateRead:
    return answer.versioned(await templates.read(session, template))


@router.put(
    "/templates/{template_id}",
    summary="Give a template a new revision",
    **operation(
        WRITE,
        errors.TemplateNotFound,
        errors.TemplateKeyTaken,
        PreconditionFailed,
        *WRONG_TEMPLATE,
        max_body=MAX_TEMPLATE,
    ),
)
async def replace_template(
    session: SessionDep, answer: AnswerDep, template: LockedTemplate, body: TemplateWrite
) -> TemplateRead:
    return answer.versioned(await templates.replace(session, template, body))


@router.post(
    "/templates/{template_id}/preview",
    summary="Render a template for one candidate",
    **operation(READ, errors.TemplateNotFound, *WRONG_TEMPLATE),
)
async def preview_template(session: SessionDep, template: FoundTemplate, body: PreviewCreate) -> PreviewRead:
    return await templates.preview(session, template, body)


@router.post(
    "/sequences", status_code=status.HTTP_201_CREATED, summary="Make a sequence", **operation(WRITE, *WRONG_SEQUENCE)
)
async def create_sequence(session: SessionDep, answer: AnswerDep, body: SequenceWrite) -> SequenceRead:
    sequence = await service.create(session, body)
    return answer.created(sequence, f"/v1/sequences/{sequence.id}")


@router.get("/sequences", summary="List sequences", **operation(READ))
async def list_sequences(
    session: SessionDep, paging: PagingQuery, status: Annotated[list[SequenceState] | None, Query()] = None
) -> Page[SequenceRead]:
    return await service.page(session, paging, [*(status or [])])


@router.get("/sequences/{sequence_id}", summary="Read a sequence", **operation(READ, errors.SequenceNotFound))
async def read_sequence(session: SessionDep, answer: AnswerDep, sequence: FoundSequence) -> SequenceRead:
    return answer.versioned(await service.read(session, sequence))


@router.put(
    "/sequences/{sequence_id}",
    summary="Write a sequence's draft",
    **operation(WRITE, errors.SequenceNotFound, PreconditionFailed, *WRONG_SEQUENCE),
)
async def replace_sequence(
    session: SessionDep, answer: AnswerDep, sequence: LockedSequence, body: SequenceWrite
) -> SequenceRead:
    return answer.versioned(await service.replace(session, sequence, body))


@router.patch(
    "/sequences/{sequence_id}",
    summary="Change what surrounds a sequence's steps",
    **operation(WRITE, errors.SequenceNotFound, PreconditionFailed, media=MERGE_PATCH),
)
async def update_sequence(
    session: SessionDep, answer: AnswerDep, sequence: LockedSequence, body: SequencePatch
) -> SequenceRead:
    return answer.versioned(await service.change(session, sequence, body))


@router.post(
    "/sequences/{sequence_id}/activate",
    summary="Let a sequence's draft go live",
    **operation(
        WRITE,
        errors.SequenceNotFound,
        errors.SequenceEmpty,
        errors.SenderIncomplete,
        errors.TemplateIncomplete,
        PreconditionFailed,
        *WRONG_TEMPLATE,
        empty_body=True,
    ),
)
async def activate_sequence(session: SessionDep, answer: AnswerDep, sequence: LockedSequence) -> SequenceRead:
    return answer.versioned(await service.activate(session, sequence))


@router.post(
    "/sequences/{sequence_id}/pause",
    summary="Let nothing of a sequence leave",
    **operation(WRITE, errors.SequenceNotFound, errors.SequenceNotActive, PreconditionFailed, empty_body=True),
)
async def pause_sequence(session: SessionDep, answer: AnswerDep, sequence: LockedSequence) -> SequenceRead:
    return answer.versioned(await service.pause(session, sequence))


@router.post(
    "/sequences/{sequence_id}/preview",
    summary="Say what a sequence would do with one candidate",
    **operation(READ, errors.SequenceNotFound, CandidateNotFound, *WRONG_TEMPLATE),
)
async def preview_sequence(session: SessionDep, sequence: FoundSequence, body: ForecastCreate) -> ForecastRead:
    return await forecast.forecast(session, sequence, body)


@router.get(
    "/sequences/{sequence_id}/report", summary="Count what came of it", **operation(READ, errors.SequenceNotFound)
)
async def read_sequence_report(session: SessionDep, sequence: FoundSequence) -> SequenceReport:
    return await report.report(session, sequence)


_enroll: dict[str, Any] = operation(
    WRITE, errors.SequenceNotFound, errors.SequenceNotActive, errors.ReentryNotAllowed, errors.TooManyCandidates
)
_enroll["responses"] |= {
    200: {"model": EnrollmentRead, "description": "A repeat: the enrollment that goes on already."},
    207: {"model": EnrollmentBatch, "description": "Of many: what became of each."},
}


@router.post(
    "/sequences/{sequence_id}/enrollments",
    status_code=status.HTTP_201_CREATED,
    response_model=EnrollmentRead | EnrollmentBatch,
    summary="Enroll one candidate, or many",
    **_enroll,
)
async def create_enrollment(
    session: SessionDep, answer: AnswerDep, response: Response, sequence: FoundSequence, body: EnrollmentCreate
) -> EnrollmentRead | EnrollmentBatch:
    roster.require_one_way(body)
    if body.candidate_id is None:
        response.status_code = status.HTTP_207_MULTI_STATUS
        return await roster.enroll_many(session, sequence, body)
    enrollment, is_new = await roster.enroll(session, sequence, body.candidate_id, body.start_at)
    if is_new:
        return answer.created(enrollment, f"/v1/enrollments/{enrollment.id}")
    response.status_code = status.HTTP_200_OK
    return answer.versioned(enrollment)


@router.get(
    "/sequences/{sequence_id}/enrollments", summary="List enrollments", **operation(READ, errors.SequenceNotFound)
)
async def list_enrollments(
    session: SessionDep,
    paging: PagingQuery,
    sequence: FoundSequence,
    state: Annotated[list[EnrollmentState] | None, Query()] = None,
    candidate_id: Ids = None,
) -> Page[EnrollmentRead]:
    return await roster.page(session, paging, sequence.id, [*(state or [])], candidate_id or [])


@router.get("/enrollments/{enrollment_id}", summary="Read an enrollment", **operation(READ, errors.EnrollmentNotFound))
async def read_enrollment(session: SessionDep, answer: AnswerDep, enrollment: FoundEnrollment) -> EnrollmentRead:
    return answer.versioned(await roster.read(session, enrollment))


@router.post(
    "/enrollments/{enrollment_id}/stop",
    summary="End an enrollment",
    **operation(WRITE, errors.EnrollmentNotFound, errors.EnrollmentFinished, PreconditionFailed),
)
async def stop_enrollment(
    session: SessionDep, answer: AnswerDep, enrollment: LockedEnrollment, body: EnrollmentStop
) -> EnrollmentRead:
    return answer.versioned(await roster.stop(session, enrollment, body.reason))


@router.post(
    "/enrollments/{enrollment_id}/move",
    summary="Pin an enrollment to another revision",
    **operation(
        WRITE, errors.EnrollmentNotFound, errors.EnrollmentFinished, errors.RevisionNotFound, PreconditionFailed
    ),
)
async def move_enrollment(
    session: SessionDep, answer: AnswerDep, enrollment: LockedEnrollment, body: EnrollmentMove
) -> EnrollmentRead:
    return answer.versioned(await roster.move(session, enrollment, body.revision))


@router.get("/messages", summary="List messages", **operation(READ))
async def list_messages(
    session: SessionDep,
    paging: PagingQuery,
    sequence_id: Ids = None,
    enrollment_id: Ids = None,
    candidate_id: Ids = None,
    state: Annotated[list[MessageState] | None, Query()] = None,
    step: Texts = None,
) -> Page[MessageRead]:
    by = MessageFilter(sequence_id or (), enrollment_id or (), candidate_id or (), state or (), step or ())
    return await messages.page(session, paging, by)


@router.get("/messages/{message_id}", summary="Read a message", **operation(READ, errors.MessageNotFound))
async def read_message(answer: AnswerDep, message: FoundMessage) -> MessageRead:
    return answer.versioned(MessageRead.model_validate(message))


@router.post(
    "/messages/{message_id}/resend",
    summary="Let a message go again",
    **operation(WRITE, errors.MessageNotFound, errors.MessageState, PreconditionFailed, empty_body=True),
)
async def resend_message(session: SessionDep, answer: AnswerDep, message: ExpectedMessage) -> MessageRead:
    return answer.versioned(await messages.resend(session, message))


@router.post(
    "/messages/{message_id}/redrive",
    summary="Let a dead message go again",
    **operation(WRITE, errors.MessageNotFound, errors.MessageState, PreconditionFailed, empty_body=True),
)
async def redrive_message(session: SessionDep, answer: AnswerDep, message: ExpectedMessage) -> MessageRead:
    return answer.versioned(await messages.resend(session, message, messages.DEAD))


@router.post(
    "/messages/{message_id}/settle",
    summary="Say what became of an unknown message",
    **operation(WRITE, errors.MessageNotFound, errors.MessageState, PreconditionFailed),
)
async def settle_message(
    session: SessionDep, answer: AnswerDep, message: ExpectedMessage, body: MessageSettle
) -> MessageRead:
    return answer.versioned(await messages.settle(session, message, body.outcome))
