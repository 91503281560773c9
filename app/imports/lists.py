"""Files that are lists of people at an event: of which connection, and of which event."""

from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from app.connectors import service as connectors
from app.connectors.errors import ConnectionNotFound
from app.connectors.translation import source_of
from app.imports import attendance
from app.imports.schemas import EventIn, ImportForm
from app.kit import json
from app.kit.db import Session
from app.kit.edge import field_error
from app.kit.errors import FieldError, Invalid

SOURCE_TYPE: Final = "event"
CONSENT: Final = "consent"


@dataclass(frozen=True, slots=True)
class Listed:
    """What holds for every row of a list; `source` is that of the connection's touchpoints."""

    source: str
    basis: str | None
    event: dict[str, Any]


async def listed(session: Session, form: ImportForm) -> Listed | None:
    """Return what is special about a list, None for any other file. Raises ConnectionNotFound, Invalid."""
    if form.connection_id is None:
        if form.event is not None:
            raise _invalid("/connection_id", "missing", "A list of people at an event comes from a connection.")
        return None
    try:
        connection = await connectors.find(session, form.connection_id)
    except ConnectionNotFound as error:
        named = FieldError("/connection_id", error.code, ConnectionNotFound.sentence())
        raise ConnectionNotFound(errors=[named]) from error
    provider = connection.provider
    if provider not in attendance.PROVIDERS:
        raise _invalid("/connection_id", "no_list", "This connection's provider has no lists of people at an event.")
    event = _event(form.event)
    topics = list(dict.fromkeys([*connection.settings.get("topics", ()), *event.topics]))
    return Listed(
        source=source_of(provider, connection.id),
        basis=CONSENT if provider in attendance.CONSENTING else form.basis,
        event=event.model_dump(mode="json", exclude_none=True) | {"topics": topics},
    )


def _event(text: str | None) -> EventIn:
    if text is None:
        raise _invalid("/event", "missing", "A list of people at an event says of which event.")
    try:
        return EventIn.model_validate(json.loads(text))
    except ValidationError as error:
        wrong = [field_error({**item, "loc": ("body", "event", *item["loc"])}) for item in error.errors()]
        raise Invalid(errors=wrong) from error
    except ValueError as error:
        raise _invalid("/event", "json_invalid", "The event is not JSON.") from error


def _invalid(pointer: str, code: str, detail: str) -> Invalid:
    return Invalid(errors=[FieldError(pointer, code, detail)])
