"""What of criteria an index of terms can answer: whom it leaves out cannot meet them; and what it leaves open."""

from collections.abc import Iterator, Mapping
from typing import Final

from app.candidates.terms import filter_term
from app.criteria.tree import All, AnyOf, Elements, Leaf, Node

FILED: Final[Mapping[str, str]] = {
    "tags": "tag",
    "skills.name": "skill",
    "interests": "interest",
    "sources.type": "source_type",
    "current_company": "company",
    "location.city": "city",
}
_POSITIVE: Final = frozenset({"eq", "in", "has", "has_any"})

Terms = frozenset[str]


def needed(node: Node) -> list[Terms]:
    """List sets of terms: who meets the criteria is filed under at least one term of each set."""
    if isinstance(node, Leaf):
        return list(_of_leaf(node))
    if isinstance(node, All):
        return [terms for inner in node.nodes for terms in needed(inner)]
    if not isinstance(node, AnyOf):
        return []
    ways = [needed(inner) for inner in node.nodes]
    return [Terms().union(*(min(way, key=len) for way in ways))] if ways and all(ways) else []


def rest(node: Node) -> Node | None:
    """Return what these sets leave open of the criteria: whoever is filed so and meets it, meets them; None is nothing.

    Somebody is filed under a term as long as they have its value, and values are compared as terms are.
    """
    if isinstance(node, All):
        left = tuple(each for each in map(rest, node.nodes) if each is not None)
        return All(left) if left else None
    is_answered = isinstance(node, Leaf) and node.field.kind == "folded" and any(True for _ in _of_leaf(node))
    return None if is_answered else node


def _of_leaf(leaf: Leaf) -> Iterator[Terms]:
    if isinstance(leaf.value, Elements):
        for inner in leaf.value.conditions.nodes:
            if isinstance(inner, Leaf):
                yield from _filed(f"{leaf.field.name}.{inner.field.name}", inner)
    else:
        yield from _filed(leaf.field.name, leaf)


def _filed(name: str, leaf: Leaf) -> Iterator[Terms]:
    kind = FILED.get(name)
    if kind is None:
        return
    values = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
    if leaf.op == "has_all":
        yield from (Terms({filter_term(kind, value)}) for value in values)
    elif leaf.op in _POSITIVE and values:
        yield Terms(filter_term(kind, value) for value in values)
