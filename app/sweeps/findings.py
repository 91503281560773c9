"""What a sweep has found, and what follows from all of it together."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from app.dedup.components import Components, Edge, components
from app.dedup.rules import STRONG, Decision, Judgement, contradict
from app.dedup.sides import Side

Pair = tuple[UUID, UUID]


@dataclass(slots=True)
class Findings:
    """Judged pairs of candidates, the older id first: the `same` ones with their weight, and those to be asked."""

    same: dict[Pair, float] = field(default_factory=dict)
    possible: set[Pair] = field(default_factory=set)
    compared: int = 0
    named: Mapping[Pair, str | None] = field(default_factory=dict)
    """`possible` pair of two candidates of one record → the level of their names, where the engine has told it."""
    sharing: dict[UUID, set[UUID]] = field(default_factory=dict)
    """Candidate without a name → everybody with whom it shares a contact."""

    def add(self, pair: Pair, judgement: Judgement, left: Sequence[Side], right: Sequence[Side]) -> None:
        """Take one judged pair in."""
        self.note(pair, judgement.decision, judgement.weight)
        if judgement.agreeing & STRONG:
            for own, other, said in ((pair[0], pair[1], left), (pair[1], pair[0], right)):
                if all(side.name is None for side in said):
                    self.sharing.setdefault(own, set()).add(other)

    def note(self, pair: Pair, decision: Decision, weight: float) -> None:
        """Take in what was decided on one pair, both with a name."""
        self.compared += 1
        if decision == "same":
            self.same[pair] = weight
        elif decision == "possible":
            self.possible.add(pair)

    def settle_nameless(self, groups: Collection[Sequence[UUID]]) -> None:
        """Link whoever has no name to the only person who shares a contact with them; where several do, ask about each.

        Candidates of one of `groups` are one person, and so are those without a name who share contacts, as they are
        when they come to a door one after the other.
        """
        person = {each: members[0] for members in groups for each in members}
        for crowd in self._crowds():
            named = {person.get(other, other) for own in crowd for other in self.sharing[own] - self.sharing.keys()}
            for own in crowd:
                pairs = [(min(own, other), max(own, other)) for other in self.sharing[own]]
                if len(named) <= 1 or len({person.get(other, other) for other in self.sharing[own]}) == 1:
                    self.same.update((pair, 0.0) for pair in pairs if pair not in self.same)
                self.possible.update(pairs)
        self.possible -= self.same.keys()

    def _crowds(self) -> Iterator[Sequence[UUID]]:
        """Yield those without a name, together with whom they share contacts that have none either."""
        edges = (
            Edge(own, other, 0.0) for own, others in self.sharing.items() for other in others & self.sharing.keys()
        )
        together = components(edges).members
        yield from together
        yield from ([own] for own in self.sharing.keys() - {each for members in together for each in members})


def joined(
    same: Mapping[Pair, float], differing: Collection[Pair], people: Mapping[UUID, Sequence[Side]]
) -> Components[UUID]:
    """Return which candidates become one: by falling weight, never over a `different` or a contradiction.

    `people` holds what is said of candidates in chains, who may contradict each other though their neighbours do not.
    """

    def contradicts(left: Sequence[UUID], right: Sequence[UUID]) -> bool:
        if len(left) == len(right) == 1:
            return False
        return any(contradict(a, b) for x in left for y in right for a in people.get(x, ()) for b in people.get(y, ()))

    edges = (Edge(left, right, weight) for (left, right), weight in same.items())
    return components(edges, differing, contradicts=contradicts)


def chained(same: Collection[Pair]) -> set[UUID]:
    """Return everybody who is not in a pair of two only."""
    met: dict[UUID, int] = {}
    for pair in same:
        for each in pair:
            met[each] = met.get(each, 0) + 1
    return {each for pair in same if any(met[one] > 1 for one in pair) for each in pair}


def strongest(same: Mapping[Pair, float], groups: Collection[Sequence[UUID]]) -> dict[UUID, Pair]:
    """Return member → the pair that speaks most strongly for its being in its group."""
    group = {each: place for place, members in enumerate(groups) for each in members}
    best: dict[UUID, Pair] = {}
    for pair, _ in sorted(same.items(), key=lambda item: (item[1], item[0])):
        if pair[0] in group and group[pair[0]] == group.get(pair[1]):
            best.update(dict.fromkeys(pair, pair))
    return best
