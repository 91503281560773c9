"""When the answer to criteria changes by the mere passing of time."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from app.criteria.fields import Facts
from app.criteria.predicate import span
from app.criteria.tree import All, AnyOf, Elements, Leaf, Node, leaves

_TIMED: Final = frozenset({"within_days", "older_than_days"})
_TICK: Final = timedelta(microseconds=1)
_DAY: Final = timedelta(days=1)


def is_timed(node: Node) -> bool:
    """Whether the passing of time may change the answer for anybody."""
    asked = [leaf.value.conditions if isinstance(leaf.value, Elements) else leaf for leaf in leaves(node)]
    return any(leaf.op in _TIMED for each in asked for leaf in leaves(each))


def next_change(node: Node, facts: Facts, now: datetime) -> datetime | None:
    """Give the next moment after `now` (aware; its zone gives the calendar day) at which a time leaf may change."""
    moments = (moment for leaf in leaves(node) for moment in _of_leaf(leaf, facts, now))
    return min((moment for each in moments if (moment := each.astimezone(UTC)) > now), default=None)


def _of_leaf(leaf: Leaf, facts: Facts, now: datetime) -> Iterator[datetime]:
    if isinstance(leaf.value, Elements):
        for element in leaf.field.read(facts):
            for condition in leaves(leaf.value.conditions):
                yield from _of_leaf(condition, element, now)
    elif leaf.op in _TIMED:
        for value in leaf.field.read(facts):
            with suppress(OverflowError):  # beyond the year 9999
                yield from _of_value(leaf, value, now)


def _of_value(leaf: Leaf, value: Any, now: datetime) -> Iterator[datetime]:  # noqa: ANN401 (a date, a moment, or ISO text)
    days = timedelta(days=leaf.value)
    if leaf.field.kind == "datetime":
        yield value
        yield value + days + _TICK
        return
    day = value if isinstance(value, date) else date.fromisoformat(value)
    midnight = datetime.combine(day, time.min, now.tzinfo)
    yield midnight
    yield midnight + _DAY + days


def awaiting(node: Node, now: datetime) -> Node | None:
    """Give the criteria of everybody for whom some time leaf may still change after `now`; None when there is none."""
    found = [changed for leaf in leaves(node) if (changed := _may_change(leaf, now)) is not None]
    return AnyOf(tuple(found)) if found else None


def _may_change(leaf: Leaf, now: datetime) -> Leaf | None:
    if isinstance(leaf.value, Elements):
        conditions = tuple(_may_change(each, now) or each for each in leaves(leaf.value.conditions))
        if all(each.op not in _TIMED for each in leaves(leaf.value.conditions)):
            return None
        return replace(leaf, value=Elements(All(conditions)))
    return replace(leaf, op="gte", value=span(leaf, now)[0]) if leaf.op in _TIMED else None
