"""Components do not depend on the order of their edges, and hold nobody together who must be apart."""

from collections.abc import Sequence
from itertools import combinations
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from app.dedup.components import Edge, components

_RECORDS = st.integers(0, 12)
_PAIRS = st.tuples(_RECORDS, _RECORDS).filter(lambda pair: pair[0] != pair[1])
_EDGES = st.lists(
    st.builds(lambda pair, weight: Edge(pair[0], pair[1], weight), _PAIRS, st.sampled_from([1.0, 5.0, 9.0]))
)


@given(_EDGES, st.lists(_PAIRS, max_size=4), st.integers(2, 6), st.randoms(use_true_random=False))
def test_the_order_of_the_edges_does_not_matter(
    edges: list[Edge[int]], cannot: list[tuple[int, int]], most: int, dice: Random
) -> None:
    shuffled = [Edge(edge.right, edge.left, edge.weight) if dice.random() < 0.5 else edge for edge in edges]
    dice.shuffle(shuffled)
    assert components(edges, cannot, most=most) == components(shuffled, cannot[::-1], most=most)


@given(_EDGES, st.lists(_PAIRS, max_size=6), st.integers(2, 6))
def test_no_component_holds_a_cannot_link_or_too_many(
    edges: list[Edge[int]], cannot: list[tuple[int, int]], most: int
) -> None:
    found = components(edges, cannot, most=most)
    apart = {frozenset(pair) for pair in cannot}
    for members in found.members:
        assert 2 <= len(members) <= most
        assert apart.isdisjoint(map(frozenset, combinations(members, 2)))
    everybody = [record for members in found.members for record in members]
    assert len(everybody) == len(set(everybody))


@given(_EDGES)
def test_without_guards_components_are_those_of_the_graph(edges: list[Edge[int]]) -> None:
    found = components(edges)
    together = {record: members for members in found.members for record in members}
    assert not found.refused
    assert all(together[edge.left] == together[edge.right] for edge in edges)


def test_the_weaker_link_of_a_chain_falls() -> None:
    edges = [Edge("father", "mailbox", 9.0), Edge("mailbox", "son", 12.0)]
    found = components(edges, [("father", "son")])
    assert found.members == (("mailbox", "son"),)
    assert found.refused == (Edge("father", "mailbox", 9.0),)


def test_a_contradiction_is_asked_of_whole_components() -> None:
    edges = [Edge(1, 2, 9.0), Edge(3, 4, 9.0), Edge(2, 3, 5.0)]
    asked: list[tuple[list[int], list[int]]] = []

    def contradicts(left: Sequence[int], right: Sequence[int]) -> bool:
        asked.append(([*left], [*right]))
        return 1 in left and 4 in right

    assert components(edges, contradicts=contradicts).members == ((1, 2), (3, 4))
    assert asked[-1] == ([1, 2], [3, 4])
