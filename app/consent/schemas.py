from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, PlainValidator, SkipValidation, StringConstraints
from pydantic_core import PydanticCustomError

from app.consent.gate import Answer
from app.kit.schemas import BatchItem, Body, Ignored, Problem, Schema, Timestamp

Channel = Literal["email", "phone", "sms", "sns", "post"]
Purpose = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$"),
    Field(description="`recruiting talent_pool events newsletter service`, or the tenant's own."),
]
Basis = Literal["consent", "existing_dealings", "written_notice", "published_address", "legitimate_interest"]
Status = Literal["granted", "withdrawn"]
Cause = Literal["manual", "unsubscribed", "hard_bounce", "complaint", "erased"]
Short = Annotated[str, StringConstraints(max_length=200)]
Long = Annotated[str, StringConstraints(max_length=20_000)]
Address = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
"""Taken and ignored, so that what was read can be sent back."""

ID = "01999999-0000-7000-8000-00000000000c"
CANDIDATE = "01999999-0000-7000-8000-000000000003"
GRANT = {
    "purpose": "talent_pool",
    "channel": "email",
    "status": "granted",
    "basis": "consent",
    "policy_version": "2026-04",
    "wording": "求人やイベントのご案内をメールで受け取ることに同意します。",
    "evidence": {"kind": "form", "detail": "career site", "url": "https://example.co.jp/careers"},
    "obtained_at": "2026-11-01T03:00:00Z",
    "expires_at": None,
    "lift_suppression": False,
}
QUESTION = {"candidate_id": CANDIDATE, "channel": "email", "purpose": "talent_pool"}
DECISION = {
    "id": ID,
    **QUESTION,
    "at": "2026-11-23T09:30:00Z",
    "decision": "not_before",
    "not_before": "2026-11-24T00:00:00Z",
    "reasons": [{"code": "outside_window", "detail": "This is outside the hours in which contacts may leave."}],
    "rule_version": 1,
    "expires_at": "2026-11-23T09:45:00Z",
}
SUPPRESSION = {
    "id": ID,
    "channel": "email",
    "reason": "manual",
    "source": "key:01999999-0000-7000-8000-000000000001",
    "hint": "a…@e…",
    "created_at": "2026-11-23T00:00:00Z",
}


def example(value: Any) -> ConfigDict:  # noqa: ANN401 (any JSON value)
    return ConfigDict(json_schema_extra={"example": value})


class Evidence(Body):
    """Where and how the person said so."""

    kind: Literal["form", "mail", "paper", "import", "api"]
    detail: Annotated[str, StringConstraints(max_length=2000)] | None = None
    url: Annotated[str, StringConstraints(max_length=2000, pattern=r"^https?://")] | None = None


class ConsentCreate(Body):
    """One statement. Purpose, channel and status are enough to withdraw; a grant needs basis and obtained_at."""

    model_config = example(GRANT)
    id: Ignored = None
    candidate_id: Ignored = None
    recorded_at: Ignored = None
    actor: Ignored = None
    purpose: Purpose
    channel: Channel
    status: Status
    basis: Basis | None = None
    policy_version: Short | None = None
    wording: Long | None = None
    evidence: Evidence | None = None
    obtained_at: Timestamp | None = None
    expires_at: Timestamp | None = None
    lift_suppression: bool = False


class ConsentStatement(ConsentCreate):
    """A statement, and whose it is."""

    model_config = example({"candidate_id": CANDIDATE, **GRANT})
    candidate_id: UUID


class ConsentItem(ConsentStatement):
    model_config = example({"candidate_id": CANDIDATE, **GRANT, "client_ref": "row 1"})
    client_ref: Short | None = None


class ConsentBatch(Body):
    model_config = example({"items": [{"candidate_id": CANDIDATE, **GRANT, "client_ref": "row 1"}]})
    items: list[SkipValidation[ConsentItem]]
    """Judged one by one, so that a bad one does not fail the others."""


class ConsentBatchResult(Schema):
    model_config = example(
        {
            "counts": {"created": 1, "invalid": 0, "total": 1},
            "items": [
                {
                    "index": 0,
                    "client_ref": "row 1",
                    "status": 201,
                    "outcome": "created",
                    "id": ID,
                    "version": None,
                    "errors": [],
                }
            ],
        }
    )
    counts: dict[str, int]
    items: list[BatchItem]


class ConsentRead(Schema):
    model_config = example(
        {"id": ID, "candidate_id": CANDIDATE, **GRANT, "recorded_at": "2026-11-01T03:00:01Z", "actor": "key:01999999"}
    )
    id: UUID
    candidate_id: UUID
    purpose: str
    channel: str
    status: str
    basis: str | None
    policy_version: str | None
    wording: str | None
    evidence: dict[str, Any] | None
    obtained_at: Timestamp
    expires_at: Timestamp | None
    lift_suppression: bool
    recorded_at: Timestamp
    actor: str


class SuppressionCreate(Body):
    model_config = example({"channel": "email", "value": "aiko@example.co.jp", "reason": "manual"})
    id: Ignored = None
    source: Ignored = None
    hint: Ignored = None
    created_at: Ignored = None
    channel: Channel
    value: Address
    reason: Cause = "manual"
    note: Annotated[str, StringConstraints(max_length=2000)] | None = None


class SuppressionCheck(Body):
    model_config = example({"channel": "email", "value": "aiko@example.co.jp"})
    channel: Channel
    value: Address


class SuppressionRead(Schema):
    """A suppression; the address itself is not kept."""

    model_config = example(SUPPRESSION)
    id: UUID
    channel: str
    reason: str
    source: str
    hint: str
    created_at: Timestamp


class SuppressionAnswer(Schema):
    model_config = example({"suppressed": True, "data": [SUPPRESSION]})
    suppressed: bool
    data: list[SuppressionRead]


def _near(at: datetime) -> datetime:
    """Refuse moments so far that windows and caps around them would leave the calendar."""
    if not 1900 <= at.year < 3000:  # noqa: PLR2004 (said above)
        raise PydanticCustomError("out_of_range", "Ask about the years 1900 to 2999.")
    return at


class ContactQuestion(Body):
    """Whether this person may be contacted on this channel for this purpose, at this moment (now, if none is named)."""

    model_config = example(QUESTION)
    candidate_id: UUID
    channel: Channel
    purpose: Purpose
    at: Annotated[Timestamp, AfterValidator(_near)] | None = None


class ContactQuestions(Body):
    model_config = example({"items": [QUESTION]})
    items: list[ContactQuestion]


def _one_or_many(value: Any) -> ContactQuestion | ContactQuestions:  # noqa: ANN401 (any JSON value)
    kind = ContactQuestions if isinstance(value, dict) and "items" in value else ContactQuestion
    return kind.model_validate(value)


DecisionRequest = Annotated[
    ContactQuestion | ContactQuestions,
    PlainValidator(_one_or_many, json_schema_input_type=ContactQuestion | ContactQuestions),
]


class ReasonRead(Schema):
    code: str
    detail: str


class DecisionRead(Schema):
    """A contact decision with all its reasons; it may be relied on until `expires_at`."""

    model_config = example(DECISION)
    id: UUID
    candidate_id: UUID
    channel: str
    purpose: str
    at: Timestamp
    decision: Answer
    not_before: Timestamp | None
    reasons: list[ReasonRead]
    rule_version: int
    expires_at: Timestamp


class DecisionList(Schema):
    """The answers in the order of the questions; about a candidate that is not known, a problem."""

    model_config = example({"data": [DECISION]})
    data: list[DecisionRead | Problem]


class LeaseRead(Schema):
    """Who holds the lease on a person, and until when."""

    model_config = example({"holder": "user:aiko", "expires_at": "2026-11-24T00:00:00Z"})
    holder: str
    expires_at: Timestamp
