"""Any sender that can put a secret into one header: a mapping of JSON pointers (RFC 6901) says what its JSON means."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, StringConstraints

from app.connectors import reading
from app.connectors.reading import Read
from app.connectors.signals import ExternalId, Parsed, Request, Signal, Verdict, text, written_time
from app.kit import json
from app.kit.schemas import Body
from app.touchpoints.kinds import TYPES, is_known

EVENT_TYPES: Final = (*sorted(TYPES), "custom:<name>")


def _known_type(name: str) -> str:
    if not is_known(name):
        raise ValueError
    return name


Pointer = Annotated[str, StringConstraints(pattern=r"^(/([^~/]|~[01])*)*$", max_length=500)]
HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$", max_length=100)]


class GenericMapping(Body):
    """Where things stand: in the body, or in each item of the array at `items`."""

    items: Pointer | None = None
    external_id: Pointer | None = None
    type: Pointer
    occurred_at: Pointer = Field(description="RFC 3339 with an offset, or Unix time in seconds or milliseconds.")
    email: Pointer | None = None
    phone: Pointer | None = None
    person: Pointer | None = Field(None, description="An object {source, id}.")
    topics: Pointer | None = None
    data: Pointer | None = None


class MappedSettings(Body):
    """Of a sender whose JSON a mapping explains."""

    mapping: GenericMapping
    types: dict[str, Annotated[str, AfterValidator(_known_type)]] = Field(
        description="Their types → ours; what is not named here is ignored."
    )


class GenericSettings(MappedSettings):
    header: HeaderName = Field(description="The header whose value is the secret.")


def accepts_secret(secret: str) -> bool:
    """Say whether a header can carry it: printable ASCII, no blank at the ends. How long, the sender decides."""
    return bool(secret) and secret.isascii() and secret.isprintable() and secret == secret.strip()


def verify(
    request: Request,
    secrets: Sequence[str],
    now: datetime,
    certificates: Mapping[str, bytes],
    settings: Mapping[str, Any],
) -> Verdict:
    """Compare the header with each live secret, in constant time."""
    del now, certificates
    given = request.headers.get(settings["header"].lower())
    if not given:
        return Verdict(ok=False, reason="missing_signature")
    if not any(hmac.compare_digest(given.encode(), secret.encode()) for secret in secrets):
        return Verdict(ok=False, reason="bad_signature")
    return Verdict(ok=True)


def parse(headers: Mapping[str, str], raw: bytes, settings: Mapping[str, Any]) -> Parsed:
    """Read one event or many; never raises: what cannot be read is counted."""
    del headers
    return reading.counted(read(raw, settings))


def read(raw: bytes, settings: Mapping[str, Any]) -> list[Read]:
    """Read each item of a body, in order; a body without items is one that is unreadable."""
    try:
        body = json.loads(raw)
    except ValueError:
        return ["unreadable"]
    at = settings["mapping"].get("items")
    items = [body] if at is None else resolve(body, at)
    if not isinstance(items, list):
        return ["unreadable"]
    return [_item(item, raw if at is None else None, settings) for item in items]


def resolve(value: Any, pointer: str) -> Any:  # noqa: ANN401 (any JSON value)
    """Return what `pointer` points at; None when there is nothing."""
    for token in pointer.split("/")[1:]:
        if isinstance(value, dict):
            value = value.get(token.replace("~1", "/").replace("~0", "~"))
        elif isinstance(value, list) and token.isascii() and token.isdigit() and len(token) < 10:  # noqa: PLR2004 (no array is longer)
            value = value[int(token)] if int(token) < len(value) else None
        else:
            return None
    return value


def _item(item: object, raw: bytes | None, settings: Mapping[str, Any]) -> Read:
    mapped = {name: resolve(item, at) for name, at in settings["mapping"].items() if name != "items"}
    theirs, occurred_at = text(mapped, "type"), _moment(mapped["occurred_at"])
    if theirs is None or _holds_nul(mapped.get("data")):
        return "unreadable"
    if theirs not in settings["types"]:
        return "ignored"
    if occurred_at is None:
        return "unreadable"
    data = mapped.get("data")
    return Signal(
        type=settings["types"][theirs],
        occurred_at=occurred_at,
        external_id=_external_id(mapped) or hashlib.sha256(raw or json.canonical(item)).hexdigest(),
        email=text(mapped, "email"),
        phone=text(mapped, "phone"),
        person=_person(mapped.get("person")),
        topics=reading.words(mapped.get("topics")),
        data=data if isinstance(data, dict) else {},
    )


def _moment(value: object) -> datetime | None:
    if isinstance(value, str) and not value.isdigit():
        return written_time(value)
    return reading.unix_moment(value)


def _external_id(mapped: Mapping[str, Any]) -> str | None:
    named = reading.word(mapped, "external_id")
    return named and reading.fitting(named)


def _person(value: object) -> ExternalId | None:
    if not isinstance(value, dict):
        return None
    source, named = text(value, "source"), text(value, "id")
    return ExternalId(source, named) if source and named else None


def _holds_nul(data: object) -> bool:
    return isinstance(data, dict) and "\\u0000" in json.dumps(data)
