from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, ValidationInfo, field_validator

from app.candidates.profile import SOURCE_ORDER
from app.candidates.schemas import EXAMPLE, CandidateFields, Word
from app.kit.schemas import Body, Ignored, Schema, Timestamp

Term = Literal[
    "name",
    "email",
    "mobile",
    "fixed_phone",
    "profile_url",
    "birth_date",
    "employer",
    "external_id",
    "name_kanji",
    "name_kana",
    "name_romaji",
]
Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


_EVIDENCE: dict[str, Any] = {
    "probability": 0.999998897314026,
    "weight": 19.790578,
    "evidence": [
        {"feature": "name", "verdict": "agree", "weight": 12.440293, "left": "髙橋 花子", "right": "高橋花子"},
        {
            "feature": "email",
            "verdict": "agree",
            "weight": 19.960141,
            "left": "Hanako@example.jp",
            "right": "hanako@example.jp",
        },
        {"feature": "prior", "verdict": "prior", "weight": -12.609856, "left": None, "right": None},
    ],
}


class EvidenceRead(Schema):
    """One row of an explanation; `weight` is in bits."""

    feature: str
    verdict: str
    weight: float
    left: str | None
    right: str | None


class MatchRead(Schema):
    """Somebody who may be this person; the evidence sums to `weight`, in bits."""

    candidate_id: UUID
    probability: float
    weight: float
    decision: str
    evidence: list[EvidenceRead]


class Matches(Schema):
    """Who this could be, the best first."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "data": [
                    {"candidate_id": "01999999-0000-7000-8000-000000000001", **_EVIDENCE, "decision": "same"},
                ]
            }
        }
    )
    data: list[MatchRead]


class CheckBody(CandidateFields):
    """A candidate's fields, to be told who that could be."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})
    exclude_id: UUID | None = None
    include: Literal["all"] | None = None


class ExplainBody(Body):
    """Two candidates, by any id they ever had."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "left_id": "01999999-0000-7000-8000-000000000001",
                "right_id": "01999999-0000-7000-8000-000000000002",
            }
        }
    )
    left_id: UUID
    right_id: UUID


class Explanation(Schema):
    """What speaks for and against two candidates being one person; `decided_by` is set where a person has decided."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "left_id": "01999999-0000-7000-8000-000000000001",
                "right_id": "01999999-0000-7000-8000-000000000002",
                **_EVIDENCE,
                "decision": "same",
                "decided_by": None,
            }
        }
    )
    left_id: UUID
    right_id: UUID
    probability: float
    weight: float
    decision: str
    decided_by: str | None
    evidence: list[EvidenceRead]


class PairRead(Schema):
    """Two candidates that may be one person."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "01999999-0000-7000-8000-000000000003",
                "left_id": "01999999-0000-7000-8000-000000000001",
                "right_id": "01999999-0000-7000-8000-000000000002",
                "status": "open",
                "reason": "several",
                **_EVIDENCE,
                "decided_by": None,
                "decided_at": None,
                "created_at": "2026-11-20T09:00:00Z",
            }
        }
    )
    id: UUID
    left_id: UUID
    right_id: UUID
    status: str
    reason: str
    probability: float
    weight: float
    evidence: list[EvidenceRead]
    decided_by: str | None
    decided_at: Timestamp | None
    created_at: Timestamp


class Rule(Body):
    """When all these terms agree, the tenant decides so by itself."""

    all: list[Term] = Field(min_length=1, max_length=11)
    decision: Literal["same", "possible"]


class PolicyBody(Body):
    """Replaces the policy; what is absent has its default."""

    model_config = ConfigDict(json_schema_extra={"example": {"auto_threshold": 0.99, "source_order": ["self", "ats"]}})
    version: Ignored = None
    updated_at: Ignored = None
    auto_threshold: Probability = 0.99
    review_threshold: Probability = Field(0.5, validate_default=True)
    min_agreeing: int = Field(2, ge=1, le=8)
    automatic: bool = True
    rules: list[Rule] = Field(default=[], max_length=50)
    unique_sources: list[Word] = Field(default=[], max_length=200)
    source_order: list[Word] = Field(default=list(SOURCE_ORDER), max_length=200)

    @field_validator("review_threshold")
    @classmethod
    def _below(cls, review: float, info: ValidationInfo) -> float:
        if review > info.data.get("auto_threshold", 1):
            raise ValueError
        return review


class PolicyRead(Schema):
    """How this tenant matches, and whose word stands."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "version": 0,
                "auto_threshold": 0.99,
                "review_threshold": 0.5,
                "min_agreeing": 2,
                "automatic": True,
                "rules": [],
                "unique_sources": [],
                "source_order": list(SOURCE_ORDER),
            }
        }
    )
    version: int
    auto_threshold: float
    review_threshold: float
    min_agreeing: int
    automatic: bool
    rules: list[Rule]
    unique_sources: list[str]
    source_order: list[str]
