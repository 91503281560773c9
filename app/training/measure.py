"""How good matching is, measured against the truth: pairs, clusters, and the curve between precision and recall."""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from app.dedup.components import MOST_MEMBERS, Contradicts, Edge, components


class Scored(NamedTuple):
    """Two records and the bits of their weight; `is_automatic` where the rules would link them by themselves."""

    left: int
    right: int
    weight: float
    is_automatic: bool = False


@dataclass(frozen=True)
class Truth:
    """Who each record is about, by its position; only pairs between two files count where there are two."""

    people: Sequence[Hashable]
    files: Sequence[int]

    @cached_property
    def is_one_file(self) -> bool:
        return len(set(self.files)) == 1

    @cached_property
    def pairs(self) -> int:
        """How many pairs of records are one person's."""
        apart = Counter(zip(self.people, self.files, strict=True))
        together = Counter(self.people)
        if self.is_one_file:
            return sum(many * (many - 1) // 2 for many in together.values())
        within = sum(many**2 for many in apart.values())
        return (sum(many**2 for many in together.values()) - within) // 2

    def is_same(self, left: int, right: int) -> bool:
        return self.people[left] == self.people[right]

    def is_asked(self, left: int, right: int) -> bool:
        return self.is_one_file or self.files[left] != self.files[right]


class Figures(NamedTuple):
    """Right and wrong pairs among those found, and how many there are to find."""

    right: int
    wrong: int
    true: int

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        return self.right / self.true if self.true else 1.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return _harmonic(self.precision, self.recall)


class BCubed(NamedTuple):
    """B³ (Bagga and Baldwin, 1998): precision and recall of a record's cluster, in the mean over all records."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        return _harmonic(*self)


def _harmonic(a: float, b: float) -> float:
    return 2 * a * b / (a + b) if a + b else 0.0


def of_pairs(found: Iterable[Scored], truth: Truth) -> Figures:
    """Count the pairs that were found."""
    verdicts = Counter(truth.is_same(each.left, each.right) for each in found)
    return Figures(verdicts[True], verdicts[False], truth.pairs)


def clusters_of(
    found: Iterable[Scored], many: int, most: int = MOST_MEMBERS, contradicts: Contradicts[int] | None = None
) -> list[int]:
    """Return the number of the cluster of each of `many` records, joined by the best links first."""
    edges = (Edge(each.left, each.right, each.weight) for each in found)
    joined = components(edges, contradicts=contradicts, most=most)
    clusters = list(range(many))
    for members in joined.members:
        for record in members:
            clusters[record] = members[0]
    return clusters


def of_clusters(clusters: Sequence[int], truth: Truth) -> Figures:
    """Count the pairs within clusters."""
    found = Truth(clusters, truth.files).pairs
    right = Truth(list(zip(clusters, truth.people, strict=True)), truth.files).pairs
    return Figures(right, found - right, truth.pairs)


def b_cubed(clusters: Sequence[int], truth: Truth) -> BCubed:
    """Measure clusters record by record."""
    both = Counter(zip(clusters, truth.people, strict=True))
    sizes: Mapping[int, int] = Counter(clusters)
    people = Counter(truth.people)
    many = len(clusters) or 1
    precision = sum(shared**2 / sizes[cluster] for (cluster, _), shared in both.items()) / many
    recall = sum(shared**2 / people[person] for (_, person), shared in both.items()) / many
    return BCubed(precision, recall)


class Point(NamedTuple):
    """Precision and recall, in 0..1, of all pairs of at least this weight."""

    weight: float
    precision: float
    recall: float


def curve(found: Iterable[Scored], truth: Truth) -> list[Point]:
    """Return the curve between precision and recall, from the heaviest pair down."""
    ordered = sorted(((each.weight, truth.is_same(each.left, each.right)) for each in found), reverse=True)
    points, right, true = [], 0, truth.pairs or 1
    for at, (weight, is_right) in enumerate(ordered, 1):
        right += is_right
        if at == len(ordered) or ordered[at][0] != weight:
            points.append(Point(weight, right / at, right / true))
    return points
