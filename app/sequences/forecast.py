"""The calendar of one candidate's next months: what a sequence would do, if nothing happened meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from pydantic import ConfigDict

from app.candidates import service as candidates
from app.candidates.errors import CandidateNotFound
from app.consent import service as consent
from app.consent.outlook import Outlook
from app.kit.clock import now
from app.kit.db import Session
from app.kit.errors import FieldError
from app.kit.schemas import Body, Schema, Timestamp
from app.sequences import choice, flow, gate, links, models, service, templates
from app.sequences import definition as words
from app.sequences.definition import Branch, Definition, Exit, Send, Step, Wait
from app.sequences.models import Enrollment
from app.sequences.render import Facts
from app.sequences.repository import (
    EnrollmentRepository,
    MessageRepository,
    PersonRepository,
    TemplateRepository,
    TemplateRevisionRepository,
)
from app.settings import get_settings
from app.tenancy import service as tenancy

HORIZON: Final = timedelta(days=400)
MOST: Final = 200
ID: Final = "01999999-0000-7000-8000-000000000020"
AT: Final = "2026-11-24T00:00:00Z"


class ForecastCreate(Body):
    model_config = ConfigDict(json_schema_extra={"example": {"candidate_id": ID}})
    candidate_id: UUID


class Foreseen(Schema):
    """One step; `at` is when it would be done, None when it would not, `reasons` what puts it off or forbids it."""

    step: str
    type: str
    due_at: Timestamp
    at: Timestamp | None
    reasons: list[str]
    subject: str | None


class ForecastRead(Schema):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "sequence_id": ID,
                "revision": 1,
                "candidate_id": ID,
                "enrollment_id": None,
                "timezone": "Asia/Tokyo",
                "steps": [
                    {
                        "step": "thanks",
                        "type": "send",
                        "due_at": AT,
                        "at": AT,
                        "reasons": ["outside_window"],
                        "subject": "山田 様、ご来場ありがとうございました",
                    }
                ],
            }
        }
    )
    sequence_id: UUID
    revision: int
    candidate_id: UUID
    enrollment_id: UUID | None
    timezone: str
    steps: list[Foreseen]


@dataclass(frozen=True, slots=True)
class Scene:
    """Who goes through what, from where."""

    candidate_id: UUID
    definition: Definition
    zone: str
    outlook: Outlook
    subjects: Mapping[UUID, str]
    sequence_id: UUID


async def forecast(session: Session, sequence: models.Sequence, body: ForecastCreate) -> ForecastRead:
    """Say what would happen: from where the candidate stands, or as if they entered now. Raises CandidateNotFound."""
    candidate_id = (await candidates.resolve_many(session, [body.candidate_id])).get(body.candidate_id)
    known = await candidates.facts(session, [candidate_id]) if candidate_id else {}
    if candidate_id is None or candidate_id not in known:
        raise CandidateNotFound(errors=[FieldError("/candidate_id", "not_found", CandidateNotFound.sentence())])
    stood = (await EnrollmentRepository(session).latest(sequence.id, [candidate_id])).get(candidate_id)
    stood = stood if stood is not None and stood.state == "active" else None
    revision = stood.sequence_revision if stood else sequence.draft_revision or sequence.revision or 1
    definition = Definition.model_validate((await service.revision_of(session, sequence.id, revision)).definition)
    scene = Scene(
        candidate_id,
        definition,
        known[candidate_id].get("timezone") or (await tenancy.read(session)).timezone,
        await consent.outlook(
            session, candidate_id, definition.channel, definition.purpose, gate.windows_of(definition)
        ),
        await _subjects(session, definition, known[candidate_id]),
        sequence.id,
    )
    step, at = await _start(session, definition, stood)
    return ForecastRead(
        sequence_id=sequence.id,
        revision=revision,
        candidate_id=candidate_id,
        enrollment_id=stood.id if stood else None,
        timezone=scene.zone,
        steps=await _walk(session, scene, step, at),
    )


async def _start(session: Session, definition: Definition, stood: Enrollment | None) -> tuple[Step | None, datetime]:
    """Return the next step and when it is reached."""
    if stood is None or stood.step is None:
        return words.first(definition), now()
    waiting = (await MessageRepository(session).unsent_of([stood.id])).get(stood.id)
    if waiting is not None:
        return words.find(definition, stood.step), max(waiting.due_at, now())
    return words.following(definition, stood.step), stood.limit_at or stood.next_at or now()


async def _walk(session: Session, scene: Scene, step: Step | None, at: datetime) -> list[Foreseen]:
    found: list[Foreseen] = []
    end = now() + HORIZON
    while step is not None and at <= end and len(found) < MOST:
        following = words.following(scene.definition, step.key)
        due_at, reasons, done_at = at, list[str](), at
        subject = None
        if isinstance(step, Send):
            allowed, reasons = scene.outlook.first_allowed(at)
            _, template_id = choice.wording(step, scene.sequence_id, scene.candidate_id)
            subject = scene.subjects.get(template_id)
            if allowed is None:
                return [*found, _foreseen(step, due_at, None, reasons, subject)]
            scene.outlook.count(allowed)
            done_at = at = allowed
        elif isinstance(step, Wait):
            done_at = at = _end(step, at, scene.zone)
            reasons = ["at_the_latest"] if step.until is not None else []
        elif isinstance(step, Branch):
            holds = bool(await PersonRepository(session).meeting([scene.candidate_id], step.if_))
            following, reasons = flow.after_branch(scene.definition, step, holds=holds), ["then" if holds else "else"]
        elif isinstance(step, Exit):
            following, reasons = None, [step.reason]
        found.append(_foreseen(step, due_at, done_at, reasons, subject))
        step = following
    return found


def _end(wait: Wait, at: datetime, zone: str) -> datetime:
    return flow.limit_of(wait, at) if wait.until is not None else flow.end_of(wait, at, zone)


def _foreseen(step: Step, due_at: datetime, at: datetime | None, reasons: list[str], subject: str | None) -> Foreseen:
    return Foreseen(step=step.key, type=step.type, due_at=due_at, at=at, reasons=reasons, subject=subject)


async def _subjects(session: Session, definition: Definition, candidate: Mapping[str, Any]) -> dict[UUID, str]:
    """Return template → its subject for this candidate, as it is worded now."""
    used = {of for _, step, _ in words.walk(definition.steps) if isinstance(step, Send) for _, of in step.templates}
    known = await TemplateRepository(session).many(used)
    revisions = await TemplateRevisionRepository(session).of([(each.id, each.revision) for each in known.values()])
    facts = Facts(candidate, await templates.sender(session), links.inert_url(get_settings().base_url))
    return {
        of: (await templates.rendered_or_refused(templates.wording(revision), facts)).subject
        for of, revision in revisions.items()
    }
