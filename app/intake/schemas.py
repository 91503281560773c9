from typing import Literal
from uuid import UUID

from pydantic import ConfigDict, Field, SkipValidation

from app.candidates.schemas import EXAMPLE, EXAMPLE_READ, CandidateFields, CandidateRead
from app.intake.statement import OnMatch
from app.kit.schemas import BatchItem, Body, Schema


class CandidateUpsert(CandidateFields):
    """What is known of one person, and what a match shall mean."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})
    on_match: OnMatch = "policy"


class BatchUpsertItem(CandidateUpsert):
    client_ref: str | None = Field(None, max_length=200)


class BatchUpsert(Body):
    """Up to 500 items; each is read by itself, so that one bad item fails alone."""

    model_config = ConfigDict(json_schema_extra={"example": {"items": [{**EXAMPLE, "client_ref": "row-1"}]}})
    items: list[SkipValidation[BatchUpsertItem]]


class PairOpened(Schema):
    """Somebody else who may be this person."""

    pair_id: UUID
    candidate_id: UUID
    probability: float
    decision: str


class Matched(Schema):
    """What the match meant."""

    outcome: Literal["created", "linked", "review", "updated", "unchanged"]
    pairs: list[PairOpened]


class CandidateMatched(CandidateRead):
    """The candidate, and how the statement found it."""

    model_config = ConfigDict(
        json_schema_extra={"example": {**EXAMPLE_READ, "match": {"outcome": "created", "pairs": []}}}
    )
    match: Matched


class UpsertedItem(BatchItem):
    """What became of one item."""

    pairs: list[PairOpened]


class BatchUpserted(Schema):
    """What became of a batch, item by item."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "counts": {"created": 1},
                "items": [
                    {
                        "index": 0,
                        "client_ref": "row-1",
                        "status": 201,
                        "outcome": "created",
                        "id": EXAMPLE_READ["id"],
                        "version": 1,
                        "errors": [],
                        "pairs": [],
                    }
                ],
            }
        }
    )
    counts: dict[str, int]
    items: list[UpsertedItem]
