"""Criteria as a Python predicate over the facts of one candidate.

Two-valued: there is no "unknown". `sql.py` says the same in SQL; a property test holds the two equal.
"""

import operator
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from functools import partial
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
        return _test(node, now)(list(node.field.read(facts)))
    if isinstance(node, All):
        return all(holds(inner, facts, now) for inner in node.nodes)
    found = any(holds(inner, facts, now) for inner in node.nodes)
    return found if isinstance(node, AnyOf) else not found


def explainer(node: Node, now: datetime) -> Callable[[Facts], tuple[tuple[bool, ...], list[str]]]:
    """Return what explains the criteria by the facts of one after the other.

    It says of every leaf, in the order in which they are written, whether it holds; and it names the fields that are
    asked for and not known, each once, in order.
    """
    asked = [(leaf.field, leaf.op != "exists", _test(leaf, now)) for leaf in leaves(node)]

    def explain(facts: Facts) -> tuple[tuple[bool, ...], list[str]]:
        held: list[bool] = []
        missing: dict[str, None] = {}
        for field, must_be_known, test in asked:
            found = list(field.read(facts))
            held.append(test(found))
            if must_be_known and not found:
                missing[field.name] = None
        return tuple(held), list(missing)

    return explain


_Found = list[Any]
_Test = Callable[[_Found], bool]


def _test(leaf: Leaf, now: datetime) -> _Test:
    """Return what a leaf asks of the values that were found."""
    if leaf.op == "exists":
        return lambda found: bool(found) is leaf.value
    if leaf.field.kind == "element":
        return lambda found: _elements(leaf.value, found, now)
    if leaf.op == "has_all":
        each = [_among((value,), leaf.field) for value in _wanted(leaf)]
        return lambda found: all(test(found) for test in each)
    if leaf.op in {"ne", "not_in"}:
        one = _among(_wanted(leaf), leaf.field)
        return lambda found: not one(found)
    if leaf.op in {"eq", "in", "has", "has_any"}:
        return _among(_wanted(leaf), leaf.field)
    test, comparable = _compared(leaf, now), partial(_comparable, leaf.field)
    return lambda found: any(map(test, map(comparable, found)))


def _elements(wanted: Elements, found: Iterable[Facts], now: datetime) -> bool:
    return sum(holds(wanted.conditions, element, now) for element in found) >= wanted.min_count


def _wanted(leaf: Leaf) -> tuple[Any, ...]:
    wanted = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
    return tuple(_comparable(leaf.field, value) for value in wanted)


def _among(wanted: tuple[Any, ...], field: Field) -> _Test:
    """Return what says whether one of the values is wanted."""
    typed = [(_json_type(value), value) for value in wanted]

    def test(found: _Found) -> bool:
        values = [_comparable(field, value) for value in found]
        return any(_json_type(value) is kind and value == one for kind, one in typed for value in values)

    return test


def _comparable(field: Field, value: Any) -> Any:  # noqa: ANN401  facts are JSON-like
    if field.kind == "folded":
        return field.fold(value)
    # A date inside a document is ISO text, which has the same order.
    return value.isoformat() if field.kind == "date" and isinstance(value, date) else value


def _json_type(value: object) -> type:
    """Return a value's type in JSON: a boolean is no number, and 1 is 1.0."""
    if isinstance(value, bool):
        return bool
    if isinstance(value, int | float):
        return float
    return str if isinstance(value, str) else type(value)


def _compared(leaf: Leaf, now: datetime) -> Callable[[Any], bool]:
    """Return what says of one comparable value whether it is as the leaf asks."""
    wanted = leaf.value if leaf.op.endswith("_days") else _comparable(leaf.field, leaf.value)
    if leaf.op == "contains":
        return lambda value: isinstance(value, str) and wanted in leaf.field.fold(value)
    if leaf.op in _ORDERS:
        compare, kind = _ORDERS[leaf.op], _json_type(wanted)
        return lambda value: _json_type(value) is kind and compare(value, wanted)
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
