from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, InstanceOf, JsonValue, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from app.kit import json
from app.kit.schemas import Body, Ignored, ProblemField, Schema, Timestamp
from app.touchpoints.trust import Actor, ProviderFlag

DATA_MAX_BYTES = 16 * 1024

_EXAMPLE_IN: dict[str, Any] = {
    "email": "hanako@example.com",
    "type": "event_attended",
    "occurred_at": "2026-11-23T10:00:00Z",
    "source": "meetups",
    "external_id": "visit-81",
    "topics": ["python"],
    "data": {"event": {"id": "meetup-7", "title": "Python night"}},
}
_EXAMPLE: dict[str, Any] = {
    "id": "01999999-0000-7000-8000-000000000010",
    "candidate_id": "01999999-0000-7000-8000-000000000003",
    "identifier": {"kind": "email", "value": "hanako@example.com"},
    "type": "event_attended",
    "occurred_at": "2026-11-23T10:00:00Z",
    "received_at": "2026-11-23T12:00:00Z",
    "source": "meetups",
    "external_id": "visit-81",
    "topics": ["python"],
    "data": {"event": {"id": "meetup-7", "title": "Python night"}},
    "actor": "human",
    "actor_reasons": ["deed"],
    "actor_rule_version": 1,
    "connection_id": None,
    "delivery_id": None,
}


def _small(data: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if len(json.dumpb(data)) > DATA_MAX_BYTES:
        raise PydanticCustomError("too_large", "data is larger than 16 kB")
    return data


Source = Annotated[str, StringConstraints(min_length=1, max_length=100)]
EventId = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Topic = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Given = Annotated[str, StringConstraints(min_length=1, max_length=500)]


class ExternalIdIn(Body):
    source: Source
    id: EventId


class PersonIn(Body):
    """A person as another system names them."""

    external_id: ExternalIdIn


class EvidenceIn(Body):
    """What tells a person from a machine; judged, then dropped."""

    user_agent: Annotated[str, StringConstraints(max_length=2000)] | None = None
    ip: Annotated[str, StringConstraints(max_length=100)] | None = None
    method: Annotated[str, StringConstraints(max_length=20)] | None = None

    @property
    def flag(self) -> ProviderFlag | None:
        """What the provider itself says; only a connector can know it."""
        return None


@dataclass(slots=True)  # lighter than a Body, for they go by the thousand
class ProviderEvidence:
    """The same as a connector sees it."""

    user_agent: str | None = None
    ip: str | None = None
    method: str | None = None
    flag: ProviderFlag | None = None


class TouchpointIn(Body):
    """Something that happened; exactly one of `candidate_id`, `email`, `phone` and `person` says with whom.

    (`source`, `external_id`) is the event's own name for ever: the same one again changes nothing.
    """

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE_IN})

    candidate_id: UUID | None = None
    email: Given | None = None
    phone: Given | None = None
    person: PersonIn | None = None
    type: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    occurred_at: Timestamp
    source: Source
    external_id: EventId | None = None
    topics: Annotated[list[Topic], Field(default_factory=list, max_length=50)]
    data: Annotated[dict[str, JsonValue], AfterValidator(_small), Field(default_factory=dict)]
    actor: Actor | None = Field(None, description="Kept as said, and not judged.")
    client_ref: Annotated[str, StringConstraints(max_length=200)] | None = None
    evidence: EvidenceIn | None = None

    id: Ignored = None
    identifier: Ignored = None
    received_at: Ignored = None
    actor_reasons: Ignored = None
    actor_rule_version: Ignored = None
    connection_id: Ignored = None
    delivery_id: Ignored = None

    @property
    def told_of(self) -> Any:  # noqa: ANN401 (a member of free data)
        """Name the mail whose signals are judged together."""
        return self.data.get("message_id")

    _people: ClassVar[frozenset[int]] = frozenset({1})
    """How many may be named."""

    @model_validator(mode="after")
    def _one_person(self) -> Self:
        by_address = (self.email is not None) + (self.phone is not None)
        if (self.candidate_id is not None) + by_address + (self.person is not None) not in self._people:
            raise PydanticCustomError("exactly_one_person", "exactly one of candidate_id, email, phone and person")
        return self


class ProviderTouchpointIn(TouchpointIn):
    """The same as a connector says it: some events do not tell of whom they are, and stay unmatched."""

    data: Annotated[dict[str, Any], AfterValidator(_small), Field(default_factory=dict)]
    evidence: InstanceOf[ProviderEvidence] | None = None  # type: ignore[assignment] # it has the same members
    mail: str | None = None

    @property
    def told_of(self) -> Any:  # noqa: ANN401 (a member of free data)
        """Name the mail as its provider does, if that is another name."""
        return self.mail or super().told_of

    _people: ClassVar[frozenset[int]] = frozenset({0, 1})


class TouchpointUpdate(Body):
    """A person's verdict on who it was; it wins for ever."""

    model_config = ConfigDict(json_schema_extra={"example": {"actor": "human"}})
    actor: Actor


class IdentifierRead(Schema):
    """As whom the person was named; an external id is `source:id`."""

    kind: Literal["email", "phone", "external_id"]
    value: str


class TouchpointRead(Schema):
    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})
    id: UUID
    candidate_id: UUID | None
    identifier: IdentifierRead | None
    type: str
    occurred_at: Timestamp
    received_at: Timestamp
    source: str
    external_id: str | None
    topics: list[str]
    data: dict[str, Any]
    actor: Actor
    actor_reasons: list[str]
    actor_rule_version: int | None
    connection_id: UUID | None
    delivery_id: UUID | None


class UnmatchedRead(TouchpointRead):
    """A touchpoint whose person is not known yet, and why."""

    model_config = ConfigDict(json_schema_extra={"example": {**_EXAMPLE, "candidate_id": None, "reason": "unknown"}})
    reason: Literal["unknown", "ambiguous"]


@dataclass(slots=True)  # lighter than a Schema, for they go by the thousand
class TouchpointItem:
    """What became of one item of a batch."""

    index: int
    client_ref: str | None
    status: int
    outcome: Literal["created", "repeated", "unmatched", "invalid"]
    id: UUID | None
    errors: list[ProblemField]


class TouchpointBatch(Schema):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "counts": {"created": 1, "repeated": 0, "unmatched": 0, "invalid": 0, "total": 1},
                "items": [
                    {
                        "index": 0,
                        "client_ref": "row-1",
                        "status": 201,
                        "outcome": "created",
                        "id": "01999999-0000-7000-8000-000000000010",
                        "errors": [],
                    }
                ],
            }
        }
    )
    counts: dict[str, int]
    items: list[TouchpointItem]


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list is narrowed to; an empty tuple asks for nothing."""

    candidate_ids: tuple[UUID, ...] = ()
    types: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    actors: tuple[str, ...] = ()
    since: datetime | None = None
    before: datetime | None = None
