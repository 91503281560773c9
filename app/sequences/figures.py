"""What is counted of a sequence, as it is answered."""

from typing import Literal
from uuid import UUID

from pydantic import ConfigDict

from app.kit.schemas import Schema, Timestamp

ID = "01999999-0000-7000-8000-000000000020"
AT = "2026-11-23T00:00:00Z"


class ByActor(Schema):
    human: int
    machine: int
    unknown: int


class VariantReport(Schema):
    """One wording of a step; `answered` are people who replied, or clicked as humans do."""

    key: str
    sent: int
    answered: int
    unsubscribed: int
    rate: float


class Comparison(Schema):
    """Whether the difference between wordings may be chance; `needed` is per wording, as the difference is now."""

    verdict: Literal["too_few", "not_significant", "significant"]
    best: str | None
    p_value: float | None
    needed: int | None


class StepReport(Schema):
    key: str
    type: str
    messages: dict[str, int]
    by_reason: dict[str, int]
    delivered: int
    bounced: int
    complained: int
    unsubscribed: int
    replied: int
    opened: ByActor
    clicked: ByActor
    variants: list[VariantReport]
    comparison: Comparison | None


class EnrollmentCounts(Schema):
    total: int
    active: int
    completed: int
    exited: int
    stopped: int
    by_exit: dict[str, int]


class SequenceReport(Schema):
    """Counts of messages are those that the list of messages gives for the same filters."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "sequence_id": ID,
                "as_of": AT,
                "enrollments": {"total": 1, "active": 0, "completed": 1, "exited": 0, "stopped": 0, "by_exit": {}},
                "steps": [
                    {
                        "key": "thanks",
                        "type": "send",
                        "messages": {"sent": 1},
                        "by_reason": {},
                        "delivered": 0,
                        "bounced": 0,
                        "complained": 0,
                        "unsubscribed": 0,
                        "replied": 0,
                        "opened": {"human": 0, "machine": 0, "unknown": 0},
                        "clicked": {"human": 0, "machine": 0, "unknown": 0},
                        "variants": [],
                        "comparison": None,
                    }
                ],
            }
        }
    )
    sequence_id: UUID
    as_of: Timestamp
    enrollments: EnrollmentCounts
    steps: list[StepReport]
