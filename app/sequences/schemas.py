from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, PlainValidator, StringConstraints

from app.contents.schemas import Key, ReadOnly
from app.kit.schemas import BatchItem, Body, Ignored, Kept, ListPatch, Schema, Timestamp
from app.sequences.definition import Definition, ExitWord, Reentry
from app.sequences.render import DISPLAY_ITEMS
from app.tenancy.schemas import Language, OneLine, SendWindow

ID = "01999999-0000-7000-8000-000000000020"
CANDIDATE = "01999999-0000-7000-8000-000000000003"
AT = "2026-11-23T00:00:00Z"
Source = str
"""Limited by the renderer, which says so by its own code."""
Line = Annotated[str, StringConstraints(max_length=2000)]
TEMPLATE: dict[str, Any] = {
    "key": "thanks",
    "name": "Thank you",
    "audience": "candidate",
    "language": "ja",
    "subject": "{{ candidate.family_name }} 様、ご来場ありがとうございました",
    "preheader": "次回のご案内",
    "format": "html",
    "body": "<p>{{ candidate.family_name }} 様</p><p>{{ legal_footer }}</p>",
    "text": None,
    "on_unknown": "hold",
}
DEFINITION: dict[str, Any] = {
    "purpose": "talent_pool",
    "channel": "email",
    "steps": [{"key": "thanks", "type": "send", "template_id": ID}, {"key": "pause", "type": "wait", "for": "P7D"}],
    "entry": [],
    "exit_on": ["reply", "unsubscribed", "consent_withdrawn"],
    "exit_if": None,
    "reentry": {"allowed": False, "after": None},
    "window": None,
}
SEQUENCE: dict[str, Any] = {"key": "after-meetup", "name": "After the meetup", **DEFINITION}
ENROLLMENT: dict[str, Any] = {
    "id": ID,
    "version": 1,
    "sequence_id": ID,
    "sequence_revision": 1,
    "candidate_id": CANDIDATE,
    "state": "active",
    "step": "thanks",
    "next": {"step": "thanks", "due_at": AT, "scheduled_at": AT, "reasons": []},
    "exit": None,
    "entered_by": "key:01999999-0000-7000-8000-000000000001",
    "started_at": AT,
    "finished_at": None,
}


def example(value: Any) -> ConfigDict:  # noqa: ANN401 (any JSON value)
    return ConfigDict(json_schema_extra={"example": value})


class TemplateWrite(ReadOnly):
    """A wording; without a format it is MJML when it begins like it, else HTML."""

    model_config = example(TEMPLATE) | ConfigDict(str_max_length=1 << 20)
    revision: Ignored = None
    key: Key
    name: OneLine | None = None
    audience: Literal["candidate", "internal", "transactional"] = "candidate"
    language: Language = "ja"
    subject: Line
    preheader: Line = ""
    format: Literal["mjml", "html"] | None = None
    body: Source
    text: Source | None = None
    on_unknown: Literal["hold", "resend"] = "hold"


class TemplateRead(Schema):
    model_config = example(
        {"id": ID, "version": 1, "revision": 1, **TEMPLATE, "created_at": AT, "updated_at": AT},
    )
    id: UUID
    version: int
    revision: int
    key: str
    name: str
    audience: str
    language: str
    subject: str
    preheader: str
    format: str
    body: str
    text: str | None
    on_unknown: str
    created_at: Timestamp
    updated_at: Timestamp


class PreviewCreate(Body):
    model_config = example({"candidate_id": CANDIDATE})
    candidate_id: UUID
    content_id: UUID | None = None


class PreviewRead(Schema):
    """What one candidate would get; its links do nothing."""

    model_config = example(
        {
            "subject": "山田 様、ご来場ありがとうございました",
            "preheader": "次回のご案内",
            "html": "<html><body><p>山田 様</p></body></html>",
            "text": "山田 様",
            "display_items": dict.fromkeys(DISPLAY_ITEMS, True),
            "missing_variables": ["candidate.nickname"],
            "size_bytes": 2048,
        }
    )
    subject: str
    preheader: str
    html: str
    text: str
    display_items: dict[str, bool]
    missing_variables: list[str]
    size_bytes: int


class SequenceWrite(Definition):
    """A definition under its key; what the service decides itself is ignored."""

    model_config = example(SEQUENCE)
    key: Key
    name: OneLine | None = None
    id: Ignored = None
    version: Ignored = None
    revision: Ignored = None
    draft_revision: Ignored = None
    status: Ignored = None
    created_at: Ignored = None
    updated_at: Ignored = None

    def definition(self) -> Definition:
        """Return the part that revisions keep."""
        return Definition.model_construct(**{name: getattr(self, name) for name in Definition.model_fields})


class SequencePatch(ReadOnly):
    """Absent stays, null clears; `exit_on` changes by `add` and `remove`, and steps only by PUT."""

    model_config = example({"name": "After every meetup"})
    revision: Ignored = None
    draft_revision: Ignored = None
    status: Ignored = None
    name: Kept[OneLine] = None
    purpose: Kept[Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]] = None
    exit_on: Kept[ListPatch[ExitWord]] = None
    exit_if: dict[str, Any] | None = None
    reentry: Kept[Reentry] = None
    window: SendWindow | None = None


class SequenceRead(Schema):
    """`revision` is live, `draft_revision` is what is shown when there is one."""

    model_config = example(
        {
            "id": ID,
            "version": 1,
            "revision": None,
            "draft_revision": 1,
            "status": "draft",
            **SEQUENCE,
            "created_at": AT,
            "updated_at": AT,
        }
    )
    id: UUID
    version: int
    revision: int | None
    draft_revision: int | None
    key: str
    name: str
    status: str
    purpose: str
    channel: str
    steps: list[dict[str, Any]]
    entry: list[dict[str, Any]]
    exit_on: list[str]
    exit_if: dict[str, Any] | None
    reentry: dict[str, Any]
    window: dict[str, Any] | None
    created_at: Timestamp
    updated_at: Timestamp


def _id_or_nobody(value: Any) -> UUID | None:  # noqa: ANN401 (any JSON value)
    try:
        return UUID(value)
    except (ValueError, TypeError, AttributeError):
        return None


NamedId = Annotated[UUID | None, PlainValidator(_id_or_nobody, json_schema_input_type=UUID)]
"""What is no id names nobody, and is answered like an id that nobody has: an item of a batch fails alone."""


class EnrollmentCreate(Body):
    """One candidate, or up to 500."""

    model_config = example({"candidate_id": CANDIDATE})
    candidate_id: UUID | None = None
    candidate_ids: list[NamedId] | None = None
    start_at: Timestamp | None = None


class Reason(Schema):
    code: str
    detail: str


class NextStep(Schema):
    step: str
    due_at: Timestamp
    scheduled_at: Timestamp
    reasons: list[Reason]


class Left(Schema):
    """Why somebody left, and the touchpoint that says so when there is one."""

    reason: str
    touchpoint_id: UUID | None
    at: Timestamp


class EnrollmentRead(Schema):
    model_config = example(ENROLLMENT)
    id: UUID
    version: int
    sequence_id: UUID
    sequence_revision: int
    candidate_id: UUID
    state: str
    step: str | None
    next: NextStep | None
    exit: Left | None
    entered_by: str
    started_at: Timestamp
    finished_at: Timestamp | None


class EnrollmentBatch(Schema):
    """What became of each candidate, in order."""

    model_config = example(
        {
            "counts": {"created": 1, "existing": 0, "refused": 0, "total": 1},
            "items": [
                {
                    "index": 0,
                    "client_ref": None,
                    "status": 201,
                    "outcome": "created",
                    "id": ID,
                    "version": 1,
                    "errors": [],
                }
            ],
        }
    )
    counts: dict[str, int]
    items: list[BatchItem]


class EnrollmentStop(Body):
    model_config = example({"reason": "hired elsewhere"})
    reason: Annotated[OneLine, Field(min_length=1)]


class EnrollmentMove(Body):
    model_config = example({"revision": 2})
    revision: int = Field(ge=1)


class Reply(Schema):
    code: int
    reply: str


class MessageRead(Schema):
    model_config = example(
        {
            "id": ID,
            "version": 3,
            "sequence_id": ID,
            "sequence_revision": 1,
            "enrollment_id": ID,
            "step": "thanks",
            "occurrence": 1,
            "candidate_id": CANDIDATE,
            "channel": "email",
            "purpose": "talent_pool",
            "template_id": ID,
            "template_revision": 1,
            "variant": None,
            "content_id": None,
            "content_reason": None,
            "state": "sent",
            "reasons": [],
            "attempt": 1,
            "due_at": AT,
            "scheduled_at": AT,
            "sent_at": AT,
            "message_id_header": "<0199@example.co.jp>",
            "to": "taro@example.com",
            "smtp": {"code": 250, "reply": "2.0.0 Ok"},
            "decision_id": ID,
            "consent_id": ID,
            "rendered_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "delivery": "none",
        }
    )
    id: UUID
    version: int
    sequence_id: UUID
    sequence_revision: int
    enrollment_id: UUID
    step: str
    occurrence: int
    candidate_id: UUID
    channel: str
    purpose: str
    template_id: UUID
    template_revision: int
    variant: str | None
    content_id: UUID | None
    content_reason: dict[str, Any] | None
    state: str
    reasons: list[Reason]
    attempt: int
    due_at: Timestamp
    scheduled_at: Timestamp
    sent_at: Timestamp | None
    message_id_header: str | None
    to: str | None
    smtp: Reply | None
    decision_id: UUID | None
    consent_id: UUID | None
    rendered_hash: str | None
    delivery: str


class MessageSettle(Body):
    model_config = example({"outcome": "sent"})
    outcome: Literal["sent", "not_sent"]
