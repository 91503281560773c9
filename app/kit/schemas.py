"""The shapes that every resource shares."""

from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

T = TypeVar("T")


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


Timestamp = Annotated[AwareDatetime, AfterValidator(_utc)]
"""RFC 3339 with an offset, answered in UTC with Z."""


class Schema(BaseModel):
    """What is answered: every field always present."""

    model_config = ConfigDict(frozen=True, from_attributes=True, json_schema_serialization_defaults_required=True)


class Body(BaseModel):
    """What is sent: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=100_000)


class Page(Schema, Generic[T]):
    """One page of a list; `total` is there when `include=total` asked for it."""

    data: list[T]
    next_cursor: str | None
    has_more: bool
    total: int | SkipJsonSchema[None] = Field(default=None, exclude_if=lambda value: value is None)
    total_is_capped: bool | SkipJsonSchema[None] = Field(default=None, exclude_if=lambda value: value is None)


class Problem(Schema):
    """RFC 9457: what went wrong, for programs (`code`, `errors`) and for people (`detail`)."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "urn:talentpool:problem:not_found",
                "title": "Not Found",
                "status": 404,
                "detail": "There is no such resource in this tenant.",
                "instance": "urn:uuid:01999999-0000-7000-8000-000000000000",
                "code": "not_found",
                "request_id": "01999999-0000-7000-8000-000000000000",
                "errors": [],
            }
        }
    )
    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    request_id: str
    errors: list["ProblemField"]


class ProblemField(Schema):
    """One wrong place of the request: a JSON pointer, a code, a sentence; never the value itself."""

    pointer: str
    code: str
    detail: str


class ListPatch(Body, Generic[T]):
    """How a list changes: items are added or updated by their key, and removed by their key."""

    add: list[T] = []
    remove: list[Any] = []


class BatchItem(Schema):
    """What became of one item of a batch."""

    index: int
    client_ref: str | None
    status: int
    outcome: str
    id: Any
    version: int | None
    errors: list[ProblemField]
