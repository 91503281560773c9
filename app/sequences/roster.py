"""Who is in a sequence: asked for, changed and listed over the API."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from app.candidates import service as candidates
from app.candidates.errors import CandidateNotFound
from app.kit import outbox
from app.kit.clock import now
from app.kit.db import Session
from app.kit.errors import AppError, FieldError, Invalid
from app.kit.paging import Paging
from app.kit.schemas import BatchItem, Page, ProblemField
from app.sequences import definition as words
from app.sequences import enrollments, events, models, schedule, service
from app.sequences.definition import Definition
from app.sequences.enrollments import Live
from app.sequences.errors import (
    EnrollmentFinished,
    EnrollmentNotFound,
    ReentryNotAllowed,
    RevisionNotFound,
    SequenceNotActive,
    TooManyCandidates,
)
from app.sequences.models import Enrollment, Message
from app.sequences.repository import EnrollmentRepository, MessageRepository, SequenceRevisionRepository
from app.sequences.schemas import EnrollmentBatch, EnrollmentCreate, EnrollmentRead, Left, NextStep, Reason

MOST: Final = 500
STATUS: Final = {"created": 201, "existing": 200}


@dataclass(frozen=True, slots=True)
class Entered:
    """What became of one candidate who was to be let in."""

    outcome: str
    enrollment_id: UUID | None = None
    version: int | None = None
    error: AppError | None = None


async def enroll(
    session: Session, sequence: models.Sequence, candidate_id: UUID, start_at: datetime | None
) -> tuple[EnrollmentRead, bool]:
    """Let one candidate in; return the enrollment and whether it is new.

    Raises SequenceNotActive, CandidateNotFound, ReentryNotAllowed.
    """
    [entered] = await _enroll(session, sequence, [candidate_id], start_at)
    if entered.error is not None or entered.enrollment_id is None:
        raise entered.error or SequenceNotActive
    found = await find(session, entered.enrollment_id)
    return await read(session, found), entered.outcome == "created"


async def enroll_many(session: Session, sequence: models.Sequence, body: EnrollmentCreate) -> EnrollmentBatch:
    """Let many in, each by itself; raises SequenceNotActive, TooManyCandidates."""
    ids = body.candidate_ids or []
    if len(ids) > MOST:
        raise TooManyCandidates
    entered = await _enroll(session, sequence, ids, body.start_at)
    counts = Counter(each.outcome for each in entered)
    return EnrollmentBatch(
        counts={**{name: counts[name] for name in ("created", "existing", "refused")}, "total": len(entered)},
        items=[_item(index, each) for index, each in enumerate(entered)],
    )


async def admit(session: Session, sequence: models.Sequence, ids: Sequence[UUID], by: str) -> None:
    """Let those in who may enter, for a reason that is no caller's."""
    await _enroll(session, sequence, ids, None, by)


def require_one_way(body: EnrollmentCreate) -> None:
    """Raise Invalid unless exactly one of `candidate_id` and `candidate_ids` is given."""
    if (body.candidate_id is None) == (body.candidate_ids is None):
        sentence = "Give candidate_id, or candidate_ids."
        raise Invalid(errors=[FieldError("/candidate_id", "missing", sentence)])


async def find(session: Session, enrollment_id: UUID, *, lock: bool = False) -> Enrollment:
    """Return an enrollment's row; raises EnrollmentNotFound."""
    repository = EnrollmentRepository(session)
    enrollment = await (repository.hold(enrollment_id) if lock else repository.get(enrollment_id))
    if enrollment is None:
        raise EnrollmentNotFound
    return enrollment


async def read(session: Session, enrollment: Enrollment) -> EnrollmentRead:
    """Return an enrollment as it is answered."""
    return (await _read_many(session, [enrollment]))[0]


async def page(
    session: Session, paging: Paging, sequence_id: UUID, states: list[str], asked: list[UUID]
) -> Page[EnrollmentRead]:
    """Return the enrollments of a sequence, the newest first."""
    live = await candidates.resolve_many(session, asked)
    ids = [live.get(each, each) for each in asked]
    bound = ("enrollments", sequence_id, sorted(states), sorted(map(str, ids)))
    repository = EnrollmentRepository(session)
    rows, total = await repository.newest(repository.narrowed(sequence_id, states, ids), paging, *bound)
    shown = {each.id: each for each in await _read_many(session, rows)}
    return paging.page(rows, lambda row: shown[row.id], lambda row: [row.id], *bound, total=total)


async def stop(session: Session, enrollment: Enrollment, reason: str) -> EnrollmentRead:
    """End an enrollment by hand; raises EnrollmentFinished."""
    if enrollment.state != "active":
        raise EnrollmentFinished
    await enrollments.leave(session, enrollment, reason, state="stopped")
    return await read(session, enrollment)


async def move(session: Session, enrollment: Enrollment, revision: int) -> EnrollmentRead:
    """Pin an active enrollment to another revision that was live and has its step.

    Raises EnrollmentFinished, RevisionNotFound.
    """
    if enrollment.state != "active":
        raise EnrollmentFinished
    target = await SequenceRevisionRepository(session).one(enrollment.sequence_id, revision)
    is_usable = target is not None and target.activated_at is not None
    steps = Definition.model_validate(target.definition) if target is not None and is_usable else Definition()
    if words.find(steps, enrollment.step or "") is None:
        raise RevisionNotFound(errors=[FieldError("/revision", "not_found", RevisionNotFound.sentence())])
    enrollment.sequence_revision = revision
    enrollment.touch()
    await session.flush()
    await outbox.record(session, events.enrollment_changed(enrollment))
    return await read(session, enrollment)


async def _enroll(
    session: Session,
    sequence: models.Sequence,
    ids: Sequence[UUID | None],
    start_at: datetime | None,
    by: str | None = None,
) -> list[Entered]:
    if sequence.status != "active" or sequence.revision is None:
        raise SequenceNotActive
    if start_at is not None and start_at - now() > schedule.LONGEST_WAIT:
        raise Invalid(errors=[FieldError("/start_at", "too_late", "This is more than ten years ahead.")])
    live = Live.of(await service.revision_of(session, sequence.id, sequence.revision))
    resolved = await candidates.resolve_many(session, [each for each in ids if each is not None])
    repository = EnrollmentRepository(session)
    before = await repository.latest(sequence.id, set(resolved.values()))
    new = {
        each: before[each].occurrence + 1 if each in before else 1
        for each in dict.fromkeys(resolved.values())
        if _may_enter(before.get(each), live.definition)
    }
    created = await enrollments.enter(session, sequence.id, sequence.revision, live, new, start_at, by)
    raced = await repository.latest(sequence.id, set(new) - set(created))
    known = before | raced
    return _answers(ids, resolved, created, known)


def _may_enter(before: Enrollment | None, definition: Definition) -> bool:
    if before is None:
        return True
    rule = definition.reentry
    if before.state == "active" or not rule.allowed or before.finished_at is None:
        return False
    return before.finished_at + schedule.duration(rule.after or "PT0S") <= now()


def _answers(
    ids: Sequence[UUID | None], resolved: dict[UUID, UUID], created: dict[UUID, UUID], known: dict[UUID, Enrollment]
) -> list[Entered]:
    answers: list[Entered] = []
    told: set[UUID] = set()
    for asked in ids:
        candidate_id = None if asked is None else resolved.get(asked)
        if candidate_id is None:
            answers.append(Entered("refused", error=CandidateNotFound(errors=[_unknown("/candidate_id")])))
        elif candidate_id in created:
            answers.append(Entered("existing" if candidate_id in told else "created", created[candidate_id], 1))
            told.add(candidate_id)
        elif known[candidate_id].state == "active":
            answers.append(Entered("existing", known[candidate_id].id, known[candidate_id].version))
        else:
            answers.append(Entered("refused", error=ReentryNotAllowed()))
    return answers


def _unknown(pointer: str) -> FieldError:
    return FieldError(pointer, "not_found", "There is none with this id in this tenant.")


def _item(index: int, entered: Entered) -> BatchItem:
    error = entered.error
    listed = [FieldError(f"/candidate_ids/{index}", error.code, error.detail)] if error is not None else []
    return BatchItem(
        index=index,
        client_ref=None,
        status=error.status if error is not None else STATUS[entered.outcome],
        outcome=entered.outcome,
        id=entered.enrollment_id,
        version=entered.version,
        errors=[ProblemField.model_validate(each) for each in listed],
    )


async def _read_many(session: Session, rows: list[Enrollment]) -> list[EnrollmentRead]:
    active = [row for row in rows if row.state == "active"]
    waiting_for = await MessageRepository(session).unsent_of([row.id for row in active])
    found = await enrollments.lives(session, active)
    return [_read(row, _next(row, found.get((row.sequence_id, row.sequence_revision)), waiting_for)) for row in rows]


def _next(row: Enrollment, live: Live | None, waiting_for: dict[UUID, Message]) -> NextStep | None:
    if row.state != "active" or row.step is None or live is None:
        return None
    message = waiting_for.get(row.id)
    if message is not None and message.step == row.step:
        reasons = [Reason.model_validate(each) for each in message.reasons]
        return NextStep(step=row.step, due_at=message.due_at, scheduled_at=message.scheduled_at, reasons=reasons)
    if row.next_at is None:
        return None
    after = words.following(live.definition, row.step)
    at = row.limit_at or row.next_at
    return NextStep(step=after.key if after else row.step, due_at=at, scheduled_at=at, reasons=[])


def _read(row: Enrollment, following: NextStep | None) -> EnrollmentRead:
    return EnrollmentRead(
        id=row.id,
        version=row.version,
        sequence_id=row.sequence_id,
        sequence_revision=row.sequence_revision,
        candidate_id=row.candidate_id,
        state=row.state,
        step=row.step,
        next=following,
        exit=None if row.exit is None else Left.model_validate(row.exit),
        entered_by=row.entered_by,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )
