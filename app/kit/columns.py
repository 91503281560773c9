"""Many rows in one insert: a column that differs goes as an array, one that is the same in all rows is sent once.

And several inserts in one statement, where none of them needs to see what another has written.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

from app.kit import json

TENANT: Final = "(select cast(current_setting('app.tenant') as uuid))"
"""Found out once a statement, not once a row as the column's default would be.

Said of rows that are asked for by keys, too: the planner does not look it up as it does a policy's, so that the plan
that an empty tenant leaves serves the largest.
"""
Columns = tuple[tuple[str, str], ...]
"""Names of columns, with their types."""
Rows = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Target:
    """Where rows go: the table, its columns, and how the statement ends."""

    table: str
    columns: Columns
    end: str = ""


class Part(NamedTuple):
    """What can be written together with others: named statements, as they stand in a `with`, and their parameters.

    No two parts have the same names.
    """

    sql: str
    values: Mapping[str, Any]


def together(parts: Iterable[Part]) -> tuple[str, dict[str, Any]]:
    """Return the one statement that writes all parts, and its parameters."""
    known = list(parts)
    return f"with {', '.join(part.sql for part in known)} select", {
        name: value for part in known for name, value in part.values.items()
    }


def insert(target: Target, rows: Rows, prefix: str = "") -> tuple[str, dict[str, Any]]:
    """Return the statement that inserts `rows`, by column at least one of each, and its parameters.

    These are called as the columns are, behind the `prefix`.
    """
    differing, values = _sorted_out(target.columns, rows, prefix)
    return _statement(target, differing, prefix), values


def relation(columns: Columns, rows: Rows, prefix: str = "") -> tuple[str, dict[str, Any]]:
    """Return a relation of `rows`, by column at least one of each, whose `place` counts from 1; and its parameters.

    These are called as the columns are, behind the `prefix`.
    """
    differing, values = _sorted_out(columns, rows, prefix)
    return _relation(columns, differing, prefix), values


def array_text(values: Iterable[str]) -> str:
    """Return texts as PostgreSQL writes a `text[]`."""
    escaped = ['"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values]
    return "{" + ",".join(escaped) + "}"


_WRITTEN: Final[Mapping[str, Callable[[Any], str]]] = {"text[]": array_text, "jsonb": json.dumps}
"""An array of arrays must be rectangular, so what may be longer in one row than in another is sent as text."""


def _sorted_out(columns: Columns, rows: Rows, prefix: str) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Return which columns differ from row to row, and the parameters."""
    values: dict[str, Any] = {}
    differing: list[str] = []
    for name, type_ in columns:
        column = rows[name]
        write = _WRITTEN.get(type_)
        if _is_same(column):
            values[prefix + name] = column[0] if write is None else write(column[0])
        else:
            differing.append(name)
            values[prefix + name] = column if write is None else list(map(write, column))
    return tuple(differing), values


def _is_same(column: Sequence[Any]) -> bool:
    return column[0] == column[-1] and column.count(column[0]) == len(column)


@lru_cache(maxsize=1024)
def _statement(target: Target, differing: tuple[str, ...], prefix: str) -> str:
    names = ", ".join(name for name, _ in target.columns)
    given, source = _selected(target.columns, differing, prefix)
    unnested = f" from {source} as t({', '.join(differing)})" if differing else ""
    return f"insert into {target.table} (tenant_id, {names}) select {TENANT}, {given}{unnested} {target.end}"


@lru_cache(maxsize=1024)
def _relation(columns: Columns, differing: tuple[str, ...], prefix: str) -> str:
    given, source = _selected(columns, differing, prefix, named=True)
    if not differing:
        return f"(select {given}, 1 as place)"
    unnested = f"{source} with ordinality as t({', '.join(differing)}, place)"
    return f"(select {given}, place from {unnested})"  # noqa: S608 (names of ours)


def _selected(columns: Columns, differing: tuple[str, ...], prefix: str, *, named: bool = False) -> tuple[str, str]:
    """Return what is selected for the columns, and of what."""
    types = dict(columns)
    sent = {name: "text" if types[name] in _WRITTEN else types[name] for name in types}
    given = [
        f"cast({name if name in differing else f':{prefix}{name}'} as {types[name]})" + (f" as {name}" if named else "")
        for name in types
    ]
    arrays = [f"cast(:{prefix}{name} as {sent[name]}[])" for name in differing]
    return ", ".join(given), f"unnest({', '.join(arrays)})"
