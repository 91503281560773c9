"""The grammar of criteria: from JSON to a tree whose fields, ops and values are known to be right."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.criteria import values
from app.criteria.fields import Field, Fields
from app.kit.pointers import at_unknown, below

MAX_DEPTH = 8
MAX_LEAVES = 200
_MAX_COUNT = 1_000_000


@dataclass(frozen=True, slots=True)
class Leaf:
    """One question. `value` is typed and folded; `pointer` is where it stands in the tree as it came."""

    field: Field
    op: str
    value: Any
    pointer: str


@dataclass(frozen=True, slots=True)
class All:
    nodes: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    nodes: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class NoneOf:
    nodes: tuple["Node", ...]


Node = All | AnyOf | NoneOf | Leaf

_COMBINATORS: dict[str, type[All | AnyOf | NoneOf]] = {"all": All, "any": AnyOf, "not": NoneOf}


@dataclass(frozen=True, slots=True)
class Elements:
    """The value of `has` on a list of objects: at least `min_count` elements meet every condition."""

    conditions: All
    min_count: int = 1


@dataclass(frozen=True, slots=True)
class Problem:
    """`pointer` is a JSON pointer (RFC 6901) from the root of the tree."""

    pointer: str
    code: str


class CriteriaInvalidError(ValueError):
    """The criteria are not well formed."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(", ".join(f"{each.code} at {each.pointer or '/'}" for each in problems))
        self.problems = problems


def parse(data: object, fields: Fields) -> Node:
    """Read a tree; raise `CriteriaInvalidError` with every problem found.

    Codes: `unknown_field`, `unknown_op`, `wrong_type`, `too_deep` (more than 8 of `all`, `any`, `not` in
    one another), `too_many_leaves` (more than 200).
    """
    reader = _Reader(fields)
    node = reader.node(data, "", 1)
    if reader.leaves > MAX_LEAVES:
        reader.problems.append(Problem("", "too_many_leaves"))
    if reader.problems:
        raise CriteriaInvalidError(tuple(reader.problems))
    return node


def leaves(node: Node) -> Iterator[Leaf]:
    """Walk the leaves in the order in which they are written."""
    if isinstance(node, Leaf):
        yield node
    else:
        for inner in node.nodes:
            yield from leaves(inner)


@dataclass(slots=True)
class _Reader:
    """Reads on after a problem, so that one answer names them all; what stands for a bad node is not used."""

    fields: Fields
    problems: list[Problem] = field(default_factory=list)
    leaves: int = 0

    def node(self, data: object, pointer: str, depth: int) -> Node:
        if not isinstance(data, Mapping):
            return self.refuse(pointer, "wrong_type")
        key = next((key for key in _COMBINATORS if key in data), None)
        if key is None:
            return self.leaf(data, pointer)
        return self.combination(key, data, pointer, depth)

    def combination(self, key: str, data: Mapping[str, Any], pointer: str, depth: int) -> Node:
        if depth > MAX_DEPTH:
            return self.refuse(pointer, "too_deep")
        inner = data[key]
        if len(data) > 1 or not isinstance(inner, list):
            return self.refuse(pointer, "wrong_type")
        nodes = (self.node(each, f"{pointer}/{key}/{index}", depth + 1) for index, each in enumerate(inner))
        return _COMBINATORS[key](tuple(nodes))

    def leaf(self, data: Mapping[str, Any], pointer: str) -> Node:
        self.leaves += 1
        if self.leaves > MAX_LEAVES:
            return All(())
        if set(data) - {"field", "op", "value"} or "field" not in data or "op" not in data:
            return self.refuse(pointer, "wrong_type")
        name, op = data["field"], data["op"]
        found = self.fields.find(name) if isinstance(name, str) else None
        if found is None:
            return self.refuse(f"{pointer}/field", "unknown_field")
        if not isinstance(op, str) or op not in found.ops:
            return self.refuse(f"{pointer}/op", "unknown_op")
        return self.asked(found, op, data.get("value", True if op == "exists" else None), pointer)

    def asked(self, found: Field, op: str, raw: object, pointer: str) -> Node:
        if found.kind == "element" and op == "has":
            return Leaf(found, op, self.elements(found, raw, f"{pointer}/value"), pointer)
        try:
            return Leaf(found, op, values.read(found, op, raw), pointer)
        except values.WrongTypeError:
            return self.refuse(f"{pointer}/value", "wrong_type")

    def elements(self, found: Field, raw: object, pointer: str) -> Elements:
        if not isinstance(raw, Mapping):
            self.refuse(pointer, "wrong_type")
            return Elements(All(()))
        conditions = [self.condition(found, key, value, pointer) for key, value in raw.items() if key != "min_count"]
        count = raw.get("min_count", 1)
        if type(count) is not int or not 1 <= count <= _MAX_COUNT:
            self.refuse(f"{pointer}/min_count", "wrong_type")
        return Elements(All(tuple(conditions)), count)

    def condition(self, found: Field, key: str, raw: object, within: str) -> Node:
        member = found.members.get(key)
        if member is None:
            return self.refuse(at_unknown(within, key), "unknown_field")
        pointer = below(within, key)
        try:
            return Leaf(member.field, member.op, values.read(member.field, member.op, raw), pointer)
        except values.WrongTypeError:
            return self.refuse(pointer, "wrong_type")

    def refuse(self, pointer: str, code: str) -> All:
        self.problems.append(Problem(pointer, code))
        return All(())
