"""The shapes that every resource shares."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Generic, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, GetCoreSchemaHandler
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import CoreSchema, PydanticCustomError

from app.kit.exact import exact

T = TypeVar("T")


_MOMENT: Final = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]", re.ASCII)
_FIRST: Final = datetime.min.replace(microsecond=1, tzinfo=UTC)
_LAST: Final = datetime.max.replace(microsecond=999_998, tzinfo=UTC)
"""The very ends of the calendar, which programs know as their least and greatest time, are infinities to the driver."""


def _written_as_moment(value: Any) -> Any:  # noqa: ANN401 (whatever was sent)
    """Refuse the numbers that pydantic would take for Unix time."""
    if isinstance(value, datetime) or (isinstance(value, str) and _MOMENT.match(value)):
        return value
    raise PydanticCustomError("not_a_moment", "This must be a moment.")


def _utc(moment: datetime) -> datetime:
    try:
        return min(max(moment.astimezone(UTC), _FIRST), _LAST)
    except OverflowError:  # in UTC, it is outside the years 1 to 9999
        raise PydanticCustomError("not_a_moment", "This must be a moment.") from None


def _not_null(value: T | None) -> T:
    if value is None:
        raise PydanticCustomError("not_nullable", "This cannot be cleared.")
    return value


Kept = Annotated[T | None, BeforeValidator(_not_null)]
"""A member of a PATCH that may be absent (then it stays), but cannot be cleared by null."""

Ignored = Annotated[Any, Field(json_schema_extra={"readOnly": True})]
"""A member that an answer holds and nobody sets: it is passed over, so that what was read can be sent back."""

Timestamp = Annotated[AwareDatetime, BeforeValidator(_written_as_moment), AfterValidator(_utc)]
"""RFC 3339 with an offset, answered in UTC with Z; the ends of the calendar are taken a microsecond within."""


class Schema(BaseModel):
    """What is answered: every field always present."""

    model_config = ConfigDict(frozen=True, from_attributes=True, json_schema_serialization_defaults_required=True)


class Body(BaseModel):
    """What is sent: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=100_000)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 (pydantic's)
        found: CoreSchema = exact(handler(source), cls)
        return found


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

    def applied(self, words: Iterable[Any]) -> list[Any]:
        """Return what a list of words is afterwards, each of them once."""
        return [word for word in dict.fromkeys((*words, *self.add)) if word not in self.remove]


class BatchItem(Schema):
    """What became of one item of a batch."""

    index: int
    client_ref: str | None
    status: int
    outcome: str
    id: Any
    version: int | None
    errors: list[ProblemField]
