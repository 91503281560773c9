"""Positions as they are written and read, and who fits them."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field

from app.consent.schemas import DECISION, DecisionRead
from app.kit.schemas import Body, Kept, ListPatch, Page, Schema, Timestamp
from app.pools.schemas import Name, ReadOnly
from app.scores.schemas import ModelKey

WISHES_MAX = 50

_SKILLED: dict[str, Any] = {"field": "skills", "op": "has", "value": {"name": "python", "years_gte": 3}}
_WISH: dict[str, Any] = {"criteria": {"field": "tags", "op": "has", "value": "tokyo"}, "weight": 2.0}
EXAMPLE: dict[str, Any] = {
    "name": "Backend engineer, Tokyo",
    "criteria": _SKILLED,
    "wishes": [_WISH],
    "score_model": "default",
}


class Wish(Body):
    """Criteria that a match need not meet, and what it counts when they do."""

    model_config = ConfigDict(json_schema_extra={"example": _WISH})
    criteria: dict[str, Any]
    weight: Annotated[float, Field(ge=-1_000_000, le=1_000_000, allow_inf_nan=False)]


class PositionCreate(ReadOnly):
    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})
    name: Name
    criteria: dict[str, Any]
    wishes: Annotated[list[Wish], Field(default_factory=list, max_length=WISHES_MAX)]
    score_model: ModelKey = "default"


class PositionUpdate(ReadOnly):
    """Absent stays; `wishes` change by `add` and `remove`, and what tells two apart is their criteria."""

    model_config = ConfigDict(json_schema_extra={"example": {"name": "Backend engineer, Osaka"}})
    name: Kept[Name] = None
    criteria: Kept[dict[str, Any]] = None
    wishes: Kept[ListPatch[Wish]] = None
    score_model: Kept[ModelKey] = None


class WishRead(Schema):
    model_config = ConfigDict(json_schema_extra={"example": _WISH})
    criteria: dict[str, Any]
    weight: float


class PositionRead(Schema):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "01999999-0000-7000-8000-000000000021",
                "version": 1,
                **EXAMPLE,
                "created_at": "2026-11-23T00:00:00Z",
                "updated_at": "2026-11-23T00:00:00Z",
            }
        }
    )
    id: UUID
    version: int
    name: str
    criteria: dict[str, Any]
    wishes: list[WishRead]
    score_model: str
    created_at: Timestamp
    updated_at: Timestamp


class MatchRead(Schema):
    """Who meets the criteria, by how much more (`fit`), which wishes they meet, and whether they may be contacted."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "candidate_id": "01999999-0000-7000-8000-000000000003",
                "rank": 1,
                "fit": 2.0,
                "score": 42.5,
                "met": [_WISH],
                "unmet": [],
                "contact": dict[str, Any](DECISION),
            }
        }
    )
    candidate_id: UUID
    rank: int
    fit: float
    score: float
    met: list[WishRead]
    unmet: list[WishRead]
    contact: DecisionRead


class MatchPage(Page[MatchRead]):
    """Matches of one moment: `as_of` is the same on all pages."""

    as_of: Timestamp
