"""Many touchpoints in one body: a JSON array, or a JSON object a line (NDJSON), each read by itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from app.kit.body import Spoilt, client_ref_of, parse
from app.kit.edge import field_error
from app.kit.errors import AppError, FieldError, Invalid, Malformed, TooManyItems
from app.touchpoints.schemas import TouchpointIn

NDJSON: Final = "application/x-ndjson"
MAX_ITEMS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Refused:
    """An item that cannot be read, and why."""

    client_ref: str | None
    error: AppError


Item = TouchpointIn | Refused
_ALL: Final = TypeAdapter(list[TouchpointIn])


def read(raw: bytes, media: str) -> list[Item]:
    """Read the items in their order; raises Malformed (400), Invalid (422, no array) and TooManyItems (413)."""
    items = list(_lines(raw)) if media == NDJSON else _array(raw)
    try:
        return [*_ALL.validate_python(items)]
    except ValidationError:  # one by one, to say of each what is wrong with it
        return [each if isinstance(each, Refused) else _item(each) for each in items]


def _lines(raw: bytes) -> Iterator[Any]:
    lines = [line for line in raw.splitlines() if line.strip()]
    if len(lines) > MAX_ITEMS:
        raise TooManyItems
    for line in lines:
        try:
            yield parse(line)
        except (Malformed, Invalid) as error:
            yield Refused(None, Invalid(errors=error.errors or [FieldError("", error.code, error.sentence())]))


def _array(raw: bytes) -> list[Any]:
    items = parse(raw, each_alone=True)
    if not isinstance(items, list):
        raise Invalid(errors=[FieldError("", "list_type", "This must be an array.")])
    if len(items) > MAX_ITEMS:
        raise TooManyItems
    return [
        Refused(each.client_ref, Invalid(errors=[each.error])) if isinstance(each, Spoilt) else each for each in items
    ]


def _item(value: Any) -> Item:  # noqa: ANN401 (any JSON value)
    try:
        return TouchpointIn.model_validate(value)
    except ValidationError as error:
        found = [field_error({**item, "loc": ("body", *item["loc"])}) for item in error.errors()]
        return Refused(client_ref_of(value), Invalid(errors=found))
