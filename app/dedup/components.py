"""Which records are one person, by the edges between them: the best links first, and none against what is known.

Joining whatever is linked makes chains, in which strangers meet through those between them. So edges are taken by
falling weight, and an edge falls where it would put two into one component of whom it is known that they differ, or
make a component too large. What remains is the same for every order of the edges.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, NamedTuple, Protocol, Self, TypeVar


class Ordered(Hashable, Protocol):
    """What stands for a record: it can be told apart and put in order, as a UUID or a text can."""

    def __lt__(self, other: Self, /) -> bool: ...


K = TypeVar("K", bound=Ordered)

MOST_MEMBERS: Final = 25
"""A component with more records is no person but a chain."""


class Edge(NamedTuple, Generic[K]):
    """Two records that may be one person; `weight` is in bits."""

    left: K
    right: K
    weight: float


@dataclass(frozen=True, slots=True)
class Components(Generic[K]):
    """Components of two and more members, each in order; `refused` are the edges that a guard held back."""

    members: tuple[tuple[K, ...], ...]
    refused: tuple[Edge[K], ...]


Contradicts = Callable[[Sequence[K], Sequence[K]], bool]


@dataclass(slots=True)
class _Growing(Generic[K]):
    """Components while they grow: the root of each record, and of each root its members and whom they must not meet."""

    apart: dict[K, set[K]]
    roots: dict[K, K] = field(default_factory=dict)
    members: dict[K, list[K]] = field(default_factory=dict)

    def root(self, record: K) -> K:
        return self.roots.setdefault(record, record)

    def of(self, root: K) -> list[K]:
        return self.members.get(root, [root])

    def both(self, mine: K, theirs: K) -> tuple[list[K], list[K]]:
        return sorted(self.of(mine)), sorted(self.of(theirs))

    def may_join(self, mine: K, theirs: K, most: int) -> bool:
        few, many = sorted((self.of(mine), self.of(theirs)), key=len)
        if len(few) + len(many) > most:
            return False
        others = set(many)
        return all(others.isdisjoint(self.apart.get(each, ())) for each in few)

    def join(self, mine: K, theirs: K) -> None:
        kept, gone = sorted((mine, theirs), key=lambda root: (-len(self.of(root)), root))
        joined = [*self.of(kept), *self.of(gone)]
        self.members.pop(gone, None)
        self.members[kept] = joined
        self.roots.update(dict.fromkeys(joined, kept))


def components(
    edges: Iterable[Edge[K]],
    cannot: Collection[tuple[K, K]] = (),
    *,
    contradicts: Contradicts[K] | None = None,
    most: int = MOST_MEMBERS,
) -> Components[K]:
    """Join records by falling weight of their edges, equal weights in the order of the records.

    `cannot` are pairs that must not end in one component, `contradicts` says of two components (members in order)
    whether anything in one excludes the other, `most` is the largest number of members.
    """
    apart: dict[K, set[K]] = {}
    for left, right in cannot:
        apart.setdefault(left, set()).add(right)
        apart.setdefault(right, set()).add(left)
    growing, refused = _Growing(apart), []
    for edge in sorted(map(_ordered, edges), key=lambda each: (-each.weight, each.left, each.right)):
        mine, theirs = growing.root(edge.left), growing.root(edge.right)
        if mine == theirs:
            continue
        if growing.may_join(mine, theirs, most) and not (contradicts and contradicts(*growing.both(mine, theirs))):
            growing.join(mine, theirs)
        else:
            refused.append(edge)
    found = sorted(tuple(sorted(each)) for each in growing.members.values())
    return Components(tuple(found), tuple(refused))


def _ordered(edge: Edge[K]) -> Edge[K]:
    return edge if edge.left < edge.right else Edge(edge.right, edge.left, edge.weight)
