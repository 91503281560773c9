"""Criteria as a Python predicate over the facts of one candidate.

Two-valued: there is no "unknown". `sql.py` says the same in SQL; a property test holds the two equal.
"""

import operator
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from app.criteria.fields import Facts, Field
from app.criteria.tree import All, AnyOf, Elements, Leaf, Node, leaves

_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def holds(node: Node, facts: Facts, now: datetime) -> bool:
    """Say whether the facts meet the criteria at `now` (aware; its zone gives the calendar day)."""
    if isinstance(node, Leaf):
        return _leaf(node, facts, now)
    if isinstance(node, All):
        return all(holds(inner, facts, now) for inner in node.nodes)
    found = any(holds(inner, facts, now) for inner in node.nodes)
    return found if isinstance(node, AnyOf) else not found


def explained(node: Node, facts: Facts, now: datetime) -> list[tuple[Leaf, bool]]:
    """List every leaf with whether it holds, in the order in which they are written."""
    return [(leaf, _leaf(leaf, facts, now)) for leaf in leaves(node)]


def missing(node: Node, facts: Facts) -> list[str]:
    """Name the fields that the criteria ask for and the facts do not hold, each once, in order."""
    asked = {leaf.field.name: leaf.field for leaf in leaves(node) if leaf.op != "exists"}
    return [name for name, field in asked.items() if not any(True for _ in field.read(facts))]


def _leaf(leaf: Leaf, facts: Facts, now: datetime) -> bool:
    found = list(leaf.field.read(facts))
    if leaf.op == "exists":
        return bool(found) is leaf.value
    if leaf.field.kind == "element":
        return _elements(leaf.value, found, now)
    comparable = [_comparable(leaf.field, value) for value in found]
    if leaf.op == "has_all":
        return all(_among((value,), comparable) for value in _wanted(leaf))
    if leaf.op in {"ne", "not_in"}:
        return not _among(_wanted(leaf), comparable)
    if leaf.op in {"eq", "in", "has", "has_any"}:
        return _among(_wanted(leaf), comparable)
    test = _test(leaf, now)
    return any(test(value) for value in comparable)


def _elements(wanted: Elements, found: Iterable[Facts], now: datetime) -> bool:
    return sum(holds(wanted.conditions, element, now) for element in found) >= wanted.min_count


def _wanted(leaf: Leaf) -> tuple[Any, ...]:
    wanted = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
    return tuple(_comparable(leaf.field, value) for value in wanted)


def _among(wanted: tuple[Any, ...], found: list[Any]) -> bool:
    return any(_same_type(one, two) and one == two for one in wanted for two in found)


def _comparable(field: Field, value: Any) -> Any:  # noqa: ANN401  facts are JSON-like
    if field.kind == "folded":
        return field.fold(value)
    # A date inside a document is ISO text, which has the same order.
    return value.isoformat() if field.kind == "date" and isinstance(value, date) else value


def _same_type(one: object, two: object) -> bool:
    """Compare by JSON's types: a boolean is no number, and 1 is 1.0."""
    return _json_type(one) is _json_type(two)


def _json_type(value: object) -> type:
    if isinstance(value, bool):
        return bool
    if isinstance(value, int | float):
        return float
    return str if isinstance(value, str) else type(value)


def _test(leaf: Leaf, now: datetime) -> Callable[[Any], bool]:
    wanted = leaf.value if leaf.op.endswith("_days") else _comparable(leaf.field, leaf.value)
    if leaf.op == "contains":
        return lambda value: isinstance(value, str) and wanted in leaf.field.fold(value)
    if leaf.op in _ORDERS:
        compare = _ORDERS[leaf.op]
        return lambda value: _same_type(value, wanted) and compare(value, wanted)
    earliest, latest = (_comparable(leaf.field, end) for end in span(leaf, now))
    if leaf.op == "within_days":
        return lambda value: bool(earliest <= value <= latest)
    return lambda value: bool(value < earliest)


def span(leaf: Leaf, now: datetime) -> tuple[Any, Any]:
    """Give the ends of `within_days`, both inclusive; `older_than_days` is what lies before the first.

    A `datetime` counts days of 24 hours, a `date` calendar days of the zone of `now`. The future is within no
    number of days.
    """
    if leaf.field.kind == "date":
        return (now - timedelta(days=leaf.value)).date(), now.date()
    return now.astimezone(UTC) - timedelta(days=leaf.value), now
