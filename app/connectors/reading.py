"""How the JSON of a provider is read: carefully, because anything may stand in it."""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, Literal

from app.connectors.signals import Parsed, Signal, text, unix_time
from app.kit import json

ID_MAX: Final = 500
MILLISECONDS_FROM: Final = 100_000_000_000
"""As seconds, this is the year 5138; as milliseconds, 1973."""
_NAMED_ADDRESS: Final = re.compile(r"[^<>]*<([^<>]+)>\s*")

Read = Signal | Literal["ignored", "unreadable"]
"""What became of one item."""


def document(raw: bytes | str) -> Any:  # noqa: ANN401 (any JSON value)
    """Return what a body says; None for what is no JSON."""
    try:
        return json.loads(raw)
    except ValueError:
        return None


def counted(read: Iterable[Read]) -> Parsed:
    """Return the signals among what was read, and count the rest."""
    listed = list(read)
    return Parsed(
        signals=tuple(each for each in listed if isinstance(each, Signal)),
        ignored=listed.count("ignored"),
        unreadable=listed.count("unreadable"),
    )


def one(raw: bytes, read: Callable[[Mapping[str, Any]], Read]) -> Parsed:
    """Read a body that is one event."""
    body = document(raw)
    return counted([read(body) if isinstance(body, dict) else "unreadable"])


def each(items: object, read: Callable[[Mapping[str, Any]], Read]) -> Parsed:
    """Read an array of events."""
    if not isinstance(items, list):
        return Parsed(unreadable=1)
    return counted(read(item) if isinstance(item, dict) else "unreadable" for item in items)


def section(item: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """Return the object that stands in another under these names; an empty one where there is none."""
    for name in names:
        value = item.get(name)
        if not isinstance(value, dict):
            return {}
        item = value
    return item


def word(item: Mapping[str, Any], name: str) -> str | None:
    """Read a text, or a whole number as text: ids and codes come as either."""
    value = item.get(name)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else text(item, name)


def words(*values: object) -> tuple[str, ...]:
    """Return the texts among values and lists of values, each once."""
    named = [each for value in values for each in (value if isinstance(value, list) else [value])]
    return tuple(dict.fromkeys(each for each in named if isinstance(each, str) and each and "\0" not in each))


def address(value: object) -> str | None:
    """Return the bare address of `Name <address>`, or of itself."""
    if not isinstance(value, str) or not value or "\0" in value:
        return None
    named = _NAMED_ADDRESS.fullmatch(value)
    return named[1] if named else value


def unix_moment(value: object) -> datetime | None:
    """Read milliseconds since 1970, or seconds where the number is too small for that; a number or its digits."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len("253402300799999"):
        value = int(value)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return unix_time(value / 1000 if value >= MILLISECONDS_FROM else value)


def digest(*parts: object) -> str:
    """Return the name of what has no id of its own: the SHA-256 of what makes it the one it is."""
    return hashlib.sha256(json.canonical(list(parts))).hexdigest()


def fitting(named: str) -> str:
    """Return an id as it is, or its SHA-256 when it is longer than an id may be."""
    return named if len(named) <= ID_MAX else hashlib.sha256(named.encode()).hexdigest()
