"""Pools as they are written and read, their members, and what is decided by hand."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from app.consent.schemas import DECISION, Channel, DecisionRead, LeaseRead, Purpose
from app.kit.schemas import Body, Ignored, Kept, ListPatch, Page, Schema, Timestamp
from app.scores.schemas import ModelKey
from app.touchpoints.schemas import TouchpointRead

Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
FieldName = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Threshold = Annotated[float, Field(allow_inf_nan=False)]
Membership = Literal["include", "exclude"]

EXAMPLE: dict[str, Any] = {
    "key": "backend",
    "name": "Backend engineers",
    "criteria": {
        "all": [
            {"field": "skills", "op": "has", "value": {"name": "python", "years_gte": 3}},
            {"field": "touchpoints", "op": "has", "value": {"types": ["event_attended"], "within_days": 365}},
        ]
    },
    "required_fields": ["years_of_experience"],
    "score_model": "default",
    "threshold": 20,
    "channel": "email",
    "purpose": "recruiting",
    "owner": "hanako@example.co.jp",
}
POOL_ID = "01999999-0000-7000-8000-000000000020"
CANDIDATE_ID = "01999999-0000-7000-8000-000000000003"


class ReadOnly(Body):
    """What an answer holds besides what can be set; it is ignored, so that what was read can be sent back."""

    id: Ignored = None
    version: Ignored = None
    created_at: Ignored = None
    updated_at: Ignored = None


class PoolReadOnly(ReadOnly):
    rebuild_job_id: Ignored = None


class PoolCreate(PoolReadOnly):
    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})
    key: Key
    name: Name
    criteria: dict[str, Any]
    required_fields: list[FieldName] = Field(default=[], max_length=50)
    score_model: ModelKey = "default"
    threshold: Threshold | None = None
    channel: Channel = "email"
    purpose: Purpose = "recruiting"
    owner: str | None = Field(None, max_length=200)


class PoolUpdate(PoolReadOnly):
    """Absent stays, null clears what may be null; `required_fields` changes by `add` and `remove`."""

    model_config = ConfigDict(json_schema_extra={"example": {"threshold": 30}})
    key: Kept[Key] = None
    name: Kept[Name] = None
    criteria: Kept[dict[str, Any]] = None
    required_fields: Kept[ListPatch[FieldName]] = None
    score_model: Kept[ModelKey] = None
    threshold: Threshold | None = None
    channel: Kept[Channel] = None
    purpose: Kept[Purpose] = None
    owner: str | None = Field(None, max_length=200)


class PoolRead(Schema):
    """A pool; while `rebuild_job_id` is set, that job finds its members anew, and those before are served."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": POOL_ID,
                "version": 1,
                **EXAMPLE,
                "rebuild_job_id": None,
                "created_at": "2026-11-23T00:00:00Z",
                "updated_at": "2026-11-23T00:00:00Z",
            }
        }
    )
    id: UUID
    version: int
    key: str
    name: str
    criteria: dict[str, Any]
    required_fields: list[str]
    score_model: str
    threshold: float | None
    channel: str
    purpose: str
    owner: str | None
    rebuild_job_id: UUID | None
    created_at: Timestamp
    updated_at: Timestamp


class Criterion(Schema):
    """One leaf of the criteria as it is written, and whether it holds for this person now."""

    criterion: dict[str, Any]
    holds: bool


class MemberRead(Schema):
    """A member, why, and what should be known about them and is not."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "candidate_id": CANDIDATE_ID,
                "by": "criteria",
                "since": "2026-11-23T00:00:00Z",
                "why": [{"criterion": EXAMPLE["criteria"]["all"][0], "holds": True}],
                "missing": ["years_of_experience"],
            }
        }
    )
    candidate_id: UUID
    by: str
    since: Timestamp
    why: list[Criterion]
    missing: list[str]


class OverrideWrite(Body):
    """What is decided by hand: it beats the criteria until it is taken back."""

    model_config = ConfigDict(json_schema_extra={"example": {"membership": "include", "note": "Met at PyCon."}})
    membership: Membership
    note: str | None = Field(None, max_length=2000)


class OverrideRead(Schema):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "pool_id": POOL_ID,
                "candidate_id": CANDIDATE_ID,
                "membership": "include",
                "note": "Met at PyCon.",
                "by": "key:01999999-0000-7000-8000-000000000001",
                "created_at": "2026-11-23T00:00:00Z",
            }
        }
    )
    pool_id: UUID
    candidate_id: UUID
    membership: str
    note: str | None
    by: str
    created_at: Timestamp


class LastTouchpoint(Schema):
    """What happened last, and how it ended; null where the type says nothing of that."""

    touchpoint: TouchpointRead
    outcome: str | None


class Suggestion(Schema):
    """What fits as the next contact: one of the company's contents, or a talk without obligation."""

    kind: str
    content_id: UUID | None
    title: str | None
    url: str | None
    topics: list[str]


SUGGESTION: dict[str, Any] = {
    "kind": "interview",
    "content_id": "01999999-0000-7000-8000-000000000010",
    "title": "How our platform team works",
    "url": "https://www.example.co.jp/blog/platform",
    "topics": ["engineering"],
}


class ApproachRow(Schema):
    """Whom to contact now, why, whether that is permitted, what happened last, and who has them in hand."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "candidate_id": CANDIDATE_ID,
                "rank": 1,
                "score": 42.5,
                "tier": "warm",
                "reasons": ["Attended an event on 2026-11-20: +25.0 points."],
                "contact": dict[str, Any](DECISION),
                "last": None,
                "suggested": SUGGESTION,
                "lease": None,
            }
        }
    )
    candidate_id: UUID
    rank: int
    score: float
    tier: str
    reasons: list[str]
    contact: DecisionRead
    last: LastTouchpoint | None
    suggested: Suggestion | None
    lease: LeaseRead | None


class ApproachPage(Page[ApproachRow]):
    """Rows of one moment: `as_of` is the same on all pages."""

    as_of: Timestamp


class LeaseWrite(Body):
    """Until when the caller has the person in hand."""

    model_config = ConfigDict(json_schema_extra={"example": {"expires_at": "2026-11-24T00:00:00Z"}})
    expires_at: Timestamp


class BlockedRead(Schema):
    """How many members a decision keeps from being contacted now, by one of its codes."""

    code: str
    count: int


class StaleRead(Schema):
    """How many members have a required field that nobody has stated for a year."""

    field: str
    count: int


class MissingRead(Schema):
    """How many members lack a field, and how many people it would make reachable, or could make members."""

    field: str
    count: int
    would_reach: int
    would_match: int


class ReadinessRead(Schema):
    """What can be done with a pool now; what is missing is ranked by how many people each field would open up."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "as_of": "2026-11-23T00:00:00Z",
                "matched": 120,
                "contactable": 80,
                "blocked": [{"code": "consent_missing", "count": 30}, {"code": "no_address", "count": 10}],
                "stale": [{"field": "years_of_experience", "count": 12}],
                "missing": [{"field": "email_addresses.value", "count": 10, "would_reach": 10, "would_match": 0}],
            }
        }
    )
    as_of: Timestamp
    matched: int
    contactable: int
    blocked: list[BlockedRead]
    stale: list[StaleRead]
    missing: list[MissingRead]
