"""What a list or a search of candidates is asked for, and what it answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints
from pydantic.json_schema import SkipJsonSchema

from app.candidates.schemas import CandidateRead
from app.kit.schemas import Body, Page, Schema, Timestamp

Status = Literal["active", "hidden"]
Query = Annotated[str, StringConstraints(max_length=500)]
Facet = Literal["tags", "interests", "skills.name", "sources.type", "current_company", "location.city", "score.tier"]
FACET_VALUES = 50
FACET_SAMPLE = 10_000


@dataclass(frozen=True, slots=True)
class Filters:
    """The flat filters of the list: the same name is any of, different names are all of."""

    tag: Sequence[str] = ()
    skill: Sequence[str] = ()
    interest: Sequence[str] = ()
    source_type: Sequence[str] = ()
    source: Sequence[str] = ()
    external_id: Sequence[tuple[str, str]] = ()
    pool_id: Sequence[UUID] = ()
    status: Sequence[Status] = ()
    created_at_gte: datetime | None = None
    created_at_lt: datetime | None = None
    updated_at_gte: datetime | None = None
    updated_at_lt: datetime | None = None
    last_interaction_at_gte: datetime | None = None
    last_interaction_at_lt: datetime | None = None
    q: str = ""


class CandidateSearch(Body):
    """A search: criteria, text, order; `facets` count the values of what was found."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "criteria": {"all": [{"field": "skills.name", "op": "has", "value": "python"}]},
                "q": "さとう",
                "sort": "-last_interaction_at",
                "limit": 20,
                "include": ["total"],
                "facets": ["tags", "sources.type"],
            }
        }
    )
    criteria: dict[str, Any] | None = None
    q: Query | None = None
    sort: str | None = None
    limit: int | None = None
    cursor: str | None = None
    include: list[Literal["total"]] = Field(default=[])
    facets: list[Facet] = Field(default=[], max_length=7)


class FacetCount(Schema):
    """How many of the people found have this value."""

    value: str
    count: int


class CandidatePage(Page[CandidateRead]):
    """One page of a search; the first one has the facets that were asked for."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "data": [],
                "next_cursor": None,
                "has_more": False,
                "total": 0,
                "total_is_capped": False,
                "facets": {"tags": [{"value": "backend", "count": 12}]},
            }
        }
    )
    facets: dict[str, list[FacetCount]] = Field(default={})
    facets_are_capped: bool | SkipJsonSchema[None] = Field(default=None, exclude_if=lambda value: value is None)


class RecordRead(Schema):
    """One incoming statement as it came, and which fields of the profile were taken from it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "record_id": "01999999-0000-7000-8000-000000000030",
                "candidate_id": "01999999-0000-7000-8000-000000000003",
                "first_candidate_id": "01999999-0000-7000-8000-000000000003",
                "source": "greenhouse",
                "external_id": "123",
                "version": 1,
                "is_current": True,
                "door": "api",
                "by": "key:01999999-0000-7000-8000-000000000001",
                "received_at": "2026-11-23T00:00:00Z",
                "fields": {"full_name": "髙橋 花子", "tags": ["backend"]},
                "provenance": {"full_name": "used", "tags": "used"},
            }
        }
    )
    record_id: UUID
    candidate_id: UUID
    first_candidate_id: UUID
    source: str | None
    external_id: str | None
    version: int
    is_current: bool
    door: str
    by: str
    received_at: Timestamp
    fields: dict[str, Any]
    provenance: dict[str, Literal["used", "superseded"]]
