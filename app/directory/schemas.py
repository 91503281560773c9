"""What a list or a search of candidates is asked for, and what it answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints
from pydantic.json_schema import SkipJsonSchema

from app.candidates.schemas import EXAMPLE_READ, CandidateRead
from app.kit.schemas import Body, Ignored, Kept, ListPatch, Page, Schema, Timestamp
from app.scores.schemas import ScoreRow
from app.touchpoints.schemas import TouchpointRead

Status = Literal["active", "hidden"]
Query = Annotated[str, StringConstraints(max_length=500)]
Facet = Literal["tags", "interests", "skills.name", "sources.type", "current_company", "location.city", "score.tier"]
Expansion = Literal["score", "last_touchpoint", "pools"]
Vocabulary = Literal["skills", "interests", "tags", "sources", "companies", "cities"]
Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
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


@dataclass(frozen=True, slots=True)
class View:
    """How much of each candidate is answered: only these members of it (all when empty), and what is set beside it."""

    fields: frozenset[str] = frozenset()
    expand: frozenset[str] = frozenset()

    def shows(self, *names: str) -> bool:
        return not self.fields or not self.fields.isdisjoint(names)


class PoolName(Schema):
    """A pool that somebody is in."""

    id: UUID
    key: str
    name: str


class CandidateShown(CandidateRead):
    """A candidate, and what `expand` asks for: its score, its newest touchpoint (if there is one), its pools."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE_READ})
    score: ScoreRow | SkipJsonSchema[None] = Field(default=None, exclude_if=lambda value: value is None)
    last_touchpoint: TouchpointRead | SkipJsonSchema[None] = Field(default=None, exclude_if=lambda value: value is None)
    pools: list[PoolName] | SkipJsonSchema[None] = Field(default=None, exclude_if=lambda value: value is None)


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
    fields: list[str] = Field(default=[], max_length=50)
    expand: list[Expansion] = Field(default=[], max_length=3)


class FacetCount(Schema):
    """How many of the people found have this value."""

    value: str
    count: int


class CandidatePage(Page[CandidateShown]):
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


class WordRead(Schema):
    """A word that is in use, and how many people have it."""

    model_config = ConfigDict(json_schema_extra={"example": {"value": "Python", "count": 120}})
    value: str
    count: int


SEARCH_EXAMPLE: dict[str, Any] = {
    "key": "warm-backend",
    "name": "Warm backend engineers",
    "criteria": {"all": [{"field": "score.tier", "op": "in", "value": ["warm", "hot"]}]},
    "q": "python",
    "sort": "-last_interaction_at",
    "facets": ["tags"],
    "owner": "hanako@example.co.jp",
}


class SearchReadOnly(Body):
    """What an answer holds besides what can be set; it is ignored."""

    id: Ignored = None
    version: Ignored = None
    created_at: Ignored = None
    updated_at: Ignored = None


class SavedSearchCreate(SearchReadOnly):
    """A search to be asked again: its members are those of `POST /v1/candidates/search`."""

    model_config = ConfigDict(json_schema_extra={"example": SEARCH_EXAMPLE})
    key: Key
    name: Name
    criteria: dict[str, Any] | None = None
    q: Query | None = None
    sort: str | None = None
    facets: list[Facet] = Field(default=[], max_length=7)
    owner: str | None = Field(None, max_length=200)


class SavedSearchUpdate(SearchReadOnly):
    """Absent stays, null clears what may be null; `facets` change by `add` and `remove`."""

    model_config = ConfigDict(json_schema_extra={"example": {"sort": "-created_at"}})
    key: Kept[Key] = None
    name: Kept[Name] = None
    criteria: dict[str, Any] | None = None
    q: Query | None = None
    sort: str | None = None
    facets: Kept[ListPatch[Facet]] = None
    owner: str | None = Field(None, max_length=200)


class SavedSearchRead(Schema):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "01999999-0000-7000-8000-000000000060",
                "version": 1,
                **SEARCH_EXAMPLE,
                "created_at": "2026-11-23T00:00:00Z",
                "updated_at": "2026-11-23T00:00:00Z",
            }
        }
    )
    id: UUID
    version: int
    key: str
    name: str
    criteria: dict[str, Any] | None
    q: str | None
    sort: str | None
    facets: list[str]
    owner: str | None
    created_at: Timestamp
    updated_at: Timestamp


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
