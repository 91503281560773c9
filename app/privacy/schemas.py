from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from app.candidates.schemas import EXAMPLE_READ, CandidateRead
from app.consent.schemas import Evidence
from app.kit.schemas import Body, Schema, Timestamp
from app.privacy.export import PARTS

Short = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Long = Annotated[str, StringConstraints(max_length=2000)]
ACK: dict[str, Any] = {"system": "ats", "evidence": "ticket 4711", "at": "2026-11-23T00:05:00Z"}
ERASURE: dict[str, Any] = {
    "id": "01999999-0000-7000-8000-000000000060",
    "candidate_id": "01999999-0000-7000-8000-000000000003",
    "at": "2026-11-23T00:00:00Z",
    "reason": "asked by the person",
    "counts": {"records": 2, "identifiers": 3, "touchpoints": 14, "messages": 2},
    "acks": [ACK],
    "lifted_at": None,
}


def example(value: Any) -> ConfigDict:  # noqa: ANN401 (any JSON value)
    return ConfigDict(json_schema_extra={"example": value})


class EraseCreate(Body):
    """Why; a reason that names the person is not kept."""

    model_config = example({"reason": "asked by the person"})
    reason: Short | None = None


class AckCreate(Body):
    """Which system has forgotten the person, too."""

    model_config = example({"system": ACK["system"], "evidence": ACK["evidence"]})
    system: Short
    evidence: Long | None = None


class LiftCreate(Body):
    """How the person themselves said that they want to come back; of it only the kind and a keyed hash are kept."""

    model_config = example({"evidence": {"kind": "form", "detail": "career site, 2026-11-20"}})
    evidence: Evidence
    policy_version: Short | None = None
    wording: Annotated[str, StringConstraints(max_length=20_000)] | None = None
    obtained_at: Timestamp | None = None


class AckRead(Schema):
    system: str
    evidence: str | None
    at: Timestamp = Field(validation_alias="created_at")


class ErasureRead(Schema):
    """One person forgotten: when, how many rows of what, and which systems have followed."""

    model_config = example(ERASURE)
    id: UUID
    candidate_id: UUID
    at: Timestamp
    reason: str | None
    counts: dict[str, int]
    acks: list[AckRead]
    lifted_at: Timestamp | None


class ExportRead(Schema):
    """Everything that is kept about one person; each part is a list of rows, the oldest first."""

    model_config = example(
        {
            "exported_at": "2026-11-23T00:00:00Z",
            "candidate": EXAMPLE_READ,
            **{name: [] for name in PARTS},
        }
    )
    exported_at: Timestamp
    candidate: CandidateRead
    records: list[dict[str, Any]]
    consents: list[dict[str, Any]]
    touchpoints: list[dict[str, Any]]
    messages: list[dict[str, Any]]
    pools: list[dict[str, Any]]
    decisions_on_pools: list[dict[str, Any]]
    scores: list[dict[str, Any]]
    disclosures: list[dict[str, Any]]
