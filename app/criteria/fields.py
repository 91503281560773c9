"""What may be asked: fields, their kinds and their ops.

A field has no value, one value, or many. Every op means "some value of the field …"; `ne`, `not_in` and
`exists: false` are the negations, so a leaf over a missing value is false but for those three.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Self

from app.criteria.fold import fold

Facts = Mapping[str, Any]
_MANY: Final = (list, tuple, set, frozenset)
_OBJECT: Final = (dict, Mapping)
Kind = Literal["text", "folded", "number", "date", "datetime", "bool", "scalar", "element"]

_EQUALITY = frozenset({"eq", "ne", "in", "not_in", "exists"})
_ORDER = frozenset({"gt", "gte", "lt", "lte"})
_TIME = frozenset({"within_days", "older_than_days"})
_LISTS = frozenset({"has", "has_any", "has_all"})
_OPS: dict[Kind, frozenset[str]] = {
    "text": _EQUALITY | {"contains"},
    "folded": _EQUALITY | {"contains"},
    "number": _EQUALITY | _ORDER,
    "date": _EQUALITY | _ORDER | _TIME,
    "datetime": _EQUALITY | _ORDER | _TIME,
    "bool": frozenset({"eq", "ne", "exists"}),
    "scalar": _EQUALITY | _ORDER | {"contains"},
    "element": frozenset({"has", "exists"}),
}


def path(first: str, *steps: str) -> Callable[[Facts], Sequence[Any]]:
    """Read the values found by these steps; lists on the way are walked, nulls and absences skipped."""

    def read(facts: Facts) -> Sequence[Any]:
        return _found(facts.get(first), steps)

    return read


def _found(value: Any, steps: tuple[str, ...]) -> Sequence[Any]:  # noqa: ANN401  facts are JSON-like
    if value is None:
        return ()
    if isinstance(value, _MANY):
        return [each for item in value for each in _found(item, steps)]
    if not steps:
        return (value,)
    return _found(value.get(steps[0]), steps[1:]) if isinstance(value, _OBJECT) else ()


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that may be asked.

    `kind` decides the ops and the type of a leaf's value: `text` is exact, `folded` compares by `fold`,
    `scalar` is a JSON string, number or boolean as it comes, `element` is a list of objects asked with
    several conditions at once. `group` names the SQL adapter where many fields share one (`custom_fields`).
    """

    name: str
    kind: Kind
    read: Callable[[Facts], Iterable[Any]]
    many: bool = False
    group: str = ""
    fold: Callable[[str], str] = fold
    members: Mapping[str, "Member"] = field(default_factory=dict)

    @property
    def ops(self) -> frozenset[str]:
        return _OPS[self.kind] | _LISTS if self.many and self.kind != "element" else _OPS[self.kind]

    @property
    def adapter(self) -> str:
        return self.group or self.name


@dataclass(frozen=True, slots=True)
class Member:
    """One condition on one element: this field of the element, by this op."""

    field: Field
    op: str


def scalar(name: str, kind: Kind, *, fold: Callable[[str], str] = fold) -> Field:
    """Declare a field with at most one value, found in the facts under its dotted name."""
    return Field(name, kind, path(*name.split(".")), fold=fold)


def each(name: str, kind: Kind, *, fold: Callable[[str], str] = fold) -> Field:
    """Declare a field with many values: `tags`, or `skills.name` of a list of objects."""
    return Field(name, kind, path(*name.split(".")), many=True, fold=fold)


def elements(name: str, /, **members: tuple[str, Kind, str]) -> Field:
    """Declare a list of objects by its conditions: `years_gte=("years", "number", "gte")`.

    A list inside an element (`topics`) is asked by `in`: some item of it is among the values.
    """
    return Field(
        name,
        "element",
        path(name),
        many=True,
        members={key: Member(each(inner, kind), op) for key, (inner, kind, op) in members.items()},
    )


Family = Callable[[str], Field | None]


def custom(prefix: str) -> Family:
    """Declare free keys below one object (`custom_fields.<key>`); a list there is many values."""

    def find(name: str) -> Field | None:
        key = name.removeprefix(f"{prefix}.")
        if key == name or not key or "\0" in key:
            return None

        def read(facts: Facts) -> list[Any]:
            value = (facts.get(prefix) or {}).get(key)
            items = value if isinstance(value, list) else [value]
            return [item for item in items if item is not None]

        return Field(name, "scalar", read, many=True, group=prefix)

    return find


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields that one kind of question may use."""

    known: Mapping[str, Field]
    families: tuple[Family, ...] = ()

    @classmethod
    def of(cls, fields: Iterable[Field], families: Iterable[Family] = ()) -> Self:
        return cls({each.name: each for each in fields}, tuple(families))

    def joined(self, other: "Fields") -> "Fields":
        return Fields({**self.known, **other.known}, (*self.families, *other.families))

    def without(self, *adapters: str) -> "Fields":
        """Leave out what these adapters answer: a fit rule may not ask for `score` or `pool`."""

        def keep(family: Family) -> Family:
            def find(name: str) -> Field | None:
                found = family(name)
                return None if found is None or found.adapter in adapters else found

            return find

        kept = {name: field for name, field in self.known.items() if field.adapter not in adapters}
        return Fields(kept, tuple(keep(family) for family in self.families))

    def find(self, name: str) -> Field | None:
        if name in self.known:
            return self.known[name]
        return next((found for family in self.families if (found := family(name))), None)
