"""Textual SQL with named parameters, as the driver takes it: numbered, each with the type of its value."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import asyncpg

_NAME: Final = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")
_INTEGER_BITS: Final = 31
_TYPES: Final[tuple[tuple[type, str], ...]] = (
    (bool, "boolean"), (int, "integer"), (float, "float8"), (str, "varchar"), (bytes, "bytea"),
    (datetime, "timestamptz"), (date, "date"), (timedelta, "interval"), (UUID, "uuid"),
)  # fmt: skip


class Row(asyncpg.Record):  # type: ignore[misc] # the driver has no types
    """A row whose columns are attributes, too."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (a column's value)
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


def positional(sql: str, parameters: Mapping[str, Any]) -> tuple[str, Sequence[Any]]:
    """Return `sql` with `$1` for the first named parameter, and the values in that order."""
    kinds = tuple((name, _kind(value)) for name, value in parameters.items())
    numbered, order = _numbered(sql, kinds)
    return numbered, [parameters[name] for name in order]


@lru_cache(maxsize=4096)
def _numbered(sql: str, kinds: tuple[tuple[str, str | None], ...]) -> tuple[str, tuple[str, ...]]:
    known, order = dict(kinds), dict[str, int]()

    def number(match: re.Match[str]) -> str:
        name = match[1]
        place = order.setdefault(name, len(order) + 1)
        return f"${place}" if known[name] is None else f"${place}::{known[name]}"

    numbered = _NAME.sub(number, sql)
    return numbered, tuple(order)


def _kind(value: Any) -> str | None:  # noqa: ANN401 (an SQL parameter)
    """Return the type that PostgreSQL is told, or None where it must find out itself: null, arrays."""
    if isinstance(value, int) and value.bit_length() > _INTEGER_BITS:
        return "bigint"
    return _kinds[type(value)]


class _Kinds(dict[type[Any], str | None]):
    """Which type PostgreSQL is told of values of a class."""

    def __missing__(self, class_: type[Any]) -> str | None:
        found = self[class_] = next((name for kind, name in _TYPES if issubclass(class_, kind)), None)
        return found


_kinds = _Kinds()
