"""Many rows in one insert: a column that differs goes as an array, one that is the same in all rows is sent once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from app.kit import json


@dataclass(frozen=True, slots=True)
class Target:
    """Where rows go: the table, its columns with their types, and how the statement ends."""

    table: str
    columns: tuple[tuple[str, str], ...]
    end: str = ""


def insert(target: Target, rows: Mapping[str, Sequence[Any]]) -> tuple[str, dict[str, Any]]:
    """Return the statement that inserts `rows`, by column at least one of each, and its parameters."""
    values: dict[str, Any] = {}
    differing: list[str] = []
    for name, type_ in target.columns:
        column = rows[name]
        write = _WRITTEN.get(type_)
        if _is_same(column):
            values[name] = column[0] if write is None else write(column[0])
        else:
            differing.append(name)
            values[name] = column if write is None else list(map(write, column))
    return _statement(target, tuple(differing)), values


def array_text(values: Iterable[str]) -> str:
    """Return texts as PostgreSQL writes a `text[]`."""
    escaped = ['"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values]
    return "{" + ",".join(escaped) + "}"


_WRITTEN: Final[Mapping[str, Callable[[Any], str]]] = {"text[]": array_text, "jsonb": json.dumps}
"""An array of arrays must be rectangular, so what may be longer in one row than in another is sent as text."""


def _is_same(column: Sequence[Any]) -> bool:
    return column[0] == column[-1] and column.count(column[0]) == len(column)


@lru_cache(maxsize=1024)
def _statement(target: Target, differing: tuple[str, ...]) -> str:
    types = dict(target.columns)
    sent = {name: "text" if types[name] in _WRITTEN else types[name] for name in types}
    given = ", ".join(f"cast({name if name in differing else f':{name}'} as {types[name]})" for name in types)
    arrays = ", ".join(f"cast(:{name} as {sent[name]}[])" for name in differing)
    source = f" from unnest({arrays}) as t({', '.join(differing)})" if differing else ""
    return f"insert into {target.table} ({', '.join(types)}) select {given}{source} {target.end}"
