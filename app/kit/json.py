"""JSON by orjson: UTF-8, RFC 3339 times with Z, no NaN."""

from typing import Any, Final
from uuid import UUID

import orjson

_OPTIONS: Final = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS


class Written:
    """A resource that is JSON text already, and its id."""

    __slots__ = ("id", "part")

    def __init__(self, id_: UUID, text: str) -> None:
        self.id = id_
        self.part = orjson.Fragment(text)


def _default(value: object) -> object:
    if isinstance(value, Written):
        return value.part
    if isinstance(value, UUID):  # the driver's own subclass, which orjson does not take for a UUID
        return str(value)
    raise TypeError


def dumps(value: Any) -> str:  # noqa: ANN401 (any JSON value)
    """Return compact JSON text; raises TypeError for what JSON cannot hold."""
    return orjson.dumps(value, default=_default, option=_OPTIONS).decode()


def dumpb(value: Any) -> bytes:  # noqa: ANN401 (any JSON value)
    """Return compact JSON bytes; raises TypeError for what JSON cannot hold."""
    return orjson.dumps(value, default=_default, option=_OPTIONS)


def part(value: Any) -> orjson.Fragment:  # noqa: ANN401 (any JSON value)
    """Return a value that is written already, for whatever it is to be part of."""
    return orjson.Fragment(dumpb(value))


def canonical(value: Any) -> bytes:  # noqa: ANN401 (any JSON value)
    """Return JSON bytes with sorted keys, so that equal values have equal bytes."""
    return orjson.dumps(value, default=_default, option=_OPTIONS | orjson.OPT_SORT_KEYS)


def loads(text: str | bytes) -> Any:  # noqa: ANN401 (any JSON value)
    """Parse strict JSON; raises ValueError."""
    return orjson.loads(text)


def pretty(value: Any) -> str:  # noqa: ANN401 (any JSON value)
    """Return JSON for a file that people read: sorted keys, two spaces."""
    return orjson.dumps(value, default=_default, option=_OPTIONS | orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2).decode()
