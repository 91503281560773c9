from typing import Any
from uuid import UUID

from pydantic import ConfigDict

from app.consent.schemas import DECISION, DecisionRead, LeaseRead
from app.kit.schemas import Schema, Timestamp


class LineRead(Schema):
    """One fact, and the records or touchpoints that say so."""

    topic: str
    text: str
    record_ids: list[UUID]
    touchpoint_ids: list[UUID]


class BriefRead(Schema):
    """One page before a call. Nothing in it is invented: each line cites what it is from."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "candidate_id": "01999999-0000-7000-8000-000000000003",
                "as_of": "2026-11-23T00:00:00Z",
                "language": "en",
                "lines": [
                    {
                        "topic": "profile",
                        "text": "Company: Example K.K.",
                        "record_ids": ["01999999-0000-7000-8000-000000000004"],
                        "touchpoint_ids": [],
                    },
                    {
                        "topic": "timeline",
                        "text": "2026-11-20: Attended an event (python)",
                        "record_ids": [],
                        "touchpoint_ids": ["01999999-0000-7000-8000-000000000010"],
                    },
                ],
                "score": 20.0,
                "tier": "warm",
                "contact": dict[str, Any](DECISION),
                "lease": None,
            }
        }
    )
    candidate_id: UUID
    as_of: Timestamp
    language: str
    lines: list[LineRead]
    score: float
    tier: str
    contact: DecisionRead
    lease: LeaseRead | None
