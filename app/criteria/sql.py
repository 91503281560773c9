"""Criteria as one SQLAlchemy expression for a WHERE, where null is false.

A slice gives each of its fields an adapter: from a leaf and the time to an expression. Most are made here, of
*where the values are* (`column`, `array`, `each_text`, `each_member`, `keyed`, `elements`, `related`).
The dialect is that of PostgreSQL 18 (`casefold`), in a UTF-8 database.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Double,
    Numeric,
    Select,
    Text,
    and_,
    case,
    cast,
    collate,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.criteria.fields import Field
from app.criteria.predicate import span
from app.criteria.tree import All, AnyOf, Elements, Leaf, Node

Expression = ColumnElement[Any]
Condition = ColumnElement[bool]
Adapter = Callable[[Leaf, datetime], Condition]
Adapters = Mapping[str, Adapter]

_Test = Callable[[Expression], Condition]
_Some = Callable[[_Test], Condition]  # "some value of the field meets this test"
# The value as SQL of the type that is wanted; null when it is of another.
_Reading = Callable[[Field, Expression, Any], Expression]

_JSON_NULL = literal_column("'null'::jsonb", JSONB)
_NO_ITEMS = literal_column("'[]'::jsonb", JSONB)


def compiled(node: Node, adapters: Adapters, now: datetime) -> Condition:
    """Say the criteria in SQL; a field without an adapter is a `KeyError`, which is a bug of the wiring."""
    if isinstance(node, Leaf):
        return adapters[node.field.adapter](node, now)
    inner = [compiled(each, adapters, now) for each in node.nodes]
    if isinstance(node, All):
        return and_(true(), *inner)
    found = or_(false(), *inner)
    return found if isinstance(node, AnyOf) else _negated(found)


def _negated(condition: Condition) -> Condition:
    """Negate in two-valued logic; the positive leaf stays bare, so that an index may serve it."""
    return condition.is_not(true())


def folded(text: Expression) -> Expression:
    """Fold as `app.criteria.fold.fold` does."""
    nfkc: Expression = literal_column("NFKC")
    return func.normalize(func.casefold(collate(func.normalize(text, nfkc), "pg_unicode_fast")), nfkc)


def column(value: Expression) -> Adapter:
    """Ask one column; of a `folded` field it must be folded already (stored so, or by `folded`)."""
    return _asked(lambda test: test(value), _as_it_is)


def array(values: Expression) -> Adapter:
    """Ask the items of a `text[]` column."""
    return _asked(lambda test: _any_row(func.unnest(values, type_=Text).column_valued(), test), _as_text)


def each_text(values: Expression) -> Adapter:
    """Ask the strings of a jsonb array."""
    return _asked(_items(values), _from_json)


def each_member(values: Expression, member: str) -> Adapter:
    """Ask one member of each object in a jsonb array."""
    items = _items(values)
    return _asked(lambda test: items(lambda item: test(item[member])), _from_json)


def keyed(document: Expression) -> Adapter:
    """Ask `<group>.<key>` of a jsonb object; a list there is many values."""

    def adapter(leaf: Leaf, now: datetime) -> Condition:
        key = leaf.field.name.removeprefix(f"{leaf.field.group}.")
        return _asked(_items(_listed(document[key])), _from_json)(leaf, now)

    return adapter


def elements(values: Expression) -> Adapter:
    """Ask the objects of a jsonb array, several conditions of one of them."""

    def adapter(leaf: Leaf, now: datetime) -> Condition:
        item = _item(values)
        rows = select(item).where(item != _JSON_NULL)
        names = {each.field.name for each in leaf.field.members.values()}
        members = {name: _asked(_items(_listed(item[name])), _from_json) for name in names}
        return related(rows, members)(leaf, now)

    return adapter


def related(rows: Select[Any], members: Adapters) -> Adapter:
    """Ask rows of another table, already narrowed to the person; `members` adapt what the conditions ask."""

    def adapter(leaf: Leaf, now: datetime) -> Condition:
        if leaf.op == "exists":
            return rows.exists() if leaf.value else _negated(rows.exists())
        wanted: Elements = leaf.value
        met = rows.where(compiled(wanted.conditions, members, now))
        if wanted.min_count == 1:
            return met.exists()
        counted = met.with_only_columns(func.count(), maintain_column_froms=True)
        return counted.scalar_subquery() >= wanted.min_count

    return adapter


def _asked(some: _Some, reading: _Reading) -> Adapter:
    def adapter(leaf: Leaf, now: datetime) -> Condition:
        wanted = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
        if leaf.op == "exists":
            found = some(_present)
            return found if leaf.value else _negated(found)
        if leaf.op == "has_all":
            return and_(true(), *(some(_among(leaf, (value,), reading)) for value in wanted))
        if leaf.op in {"ne", "not_in"}:
            return _negated(some(_among(leaf, wanted, reading)))
        if leaf.op in {"eq", "in", "has", "has_any"}:
            return some(_among(leaf, wanted, reading))
        return some(_test(leaf, reading, now))

    return adapter


def _present(value: Expression) -> Condition:
    return value != _JSON_NULL if isinstance(value.type, JSONB) else value.is_not(None)


def _among(leaf: Leaf, wanted: tuple[Any, ...], reading: _Reading) -> _Test:
    def test(value: Expression) -> Condition:
        return or_(false(), *(equal(reading(leaf.field, value, one), one) for one in wanted))

    def equal(left: Expression, one: object) -> Condition:
        return left == _parameter(one, left)

    return test


def _test(leaf: Leaf, reading: _Reading, now: datetime) -> _Test:
    def ordered(value: Expression, op: str, wanted: Any) -> Condition:  # noqa: ANN401  of any kind that has an order
        left = reading(leaf.field, value, wanted)
        return _ORDERS[op](collate(left, "C") if isinstance(left.type, Text) else left, _parameter(wanted, left))

    def contains(value: Expression) -> Condition:
        text = reading(leaf.field, value, leaf.value)
        return func.strpos(text if leaf.field.kind == "folded" else folded(text), leaf.value) > 0

    if leaf.op == "contains":
        return contains
    if leaf.op in _ORDERS:
        return lambda value: ordered(value, leaf.op, leaf.value)
    earliest, latest = span(leaf, now)
    if leaf.op == "within_days":
        return lambda value: and_(ordered(value, "gte", earliest), ordered(value, "lte", latest))
    return lambda value: ordered(value, "lt", earliest)


_ORDERS: dict[str, Callable[[Expression, Expression], Condition]] = {
    "gt": lambda left, right: left > right,
    "gte": lambda left, right: left >= right,
    "lt": lambda left, right: left < right,
    "lte": lambda left, right: left <= right,
}


def _parameter(value: object, left: Expression) -> Expression:
    if isinstance(value, bool):
        return literal(value, Boolean)
    if isinstance(value, float):
        # A number of a document is decimal there; making it binary could overflow.
        decimal = type(left.type) is Numeric
        return literal(Decimal(repr(value)), Numeric) if decimal else literal(value, Double)
    if isinstance(value, datetime):
        return literal(value, DateTime(timezone=True))
    if isinstance(value, date):
        return literal(value.isoformat(), Text) if isinstance(left.type, Text) else literal(value, Date)
    return literal(value, Text)


def _as_it_is(field: Field, value: Expression, wanted: object) -> Expression:
    del field, wanted
    return value


def _as_text(field: Field, value: Expression, wanted: object) -> Expression:
    del wanted
    return folded(value) if field.kind == "folded" else value


def _from_json(field: Field, value: Expression, wanted: object) -> Expression:
    text: Expression = value.op("#>>")(literal_column("'{}'"))
    if isinstance(wanted, bool):
        return _typed(value, "boolean", cast(text, Boolean))
    if isinstance(wanted, float):
        return _typed(value, "number", cast(text, Numeric))
    text = _typed(value, "string", cast(text, Text))
    return folded(text) if field.kind == "folded" else text


def _typed(value: Expression, json_type: str, read: Expression) -> Expression:
    return case((func.jsonb_typeof(value) == json_type, read))


def _items(values: Expression) -> _Some:
    return lambda test: _any_row(_item(values), test)


def _item(values: Expression) -> Expression:
    array = case((func.jsonb_typeof(values) == "array", values), else_=_NO_ITEMS)
    return func.jsonb_array_elements(array, type_=JSONB).column_valued()


def _any_row(item: Expression, test: _Test) -> Condition:
    return select(item).where(test(item)).exists()


def _listed(value: Expression) -> Expression:
    return case(
        (func.jsonb_typeof(value) == "array", value),
        else_=func.jsonb_build_array(func.coalesce(value, _JSON_NULL)),
    )
