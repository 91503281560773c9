"""The people that one transaction can meet, in memory: who shares a key with whom, and what that means.

Statements are judged one after the other, each seeing those before it, so a batch has the result of its items one by
one.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal
from uuid import UUID

from app.candidates.features import Features
from app.dedup.levels import LEVELS, name_level
from app.dedup.rules import STRONG, Judgement, Knowledge, judge, name_suffices
from app.dedup.sides import Side, side_of, value_hash
from app.normalise.keys import BlockingKey, Identity, KeyKind, blocking_keys, key_hash

GENERIC_FROM: Final = 4
"""So many candidates whose names are pairwise different make a shared value generic."""

SHARED: Final[Collection[KeyKind]] = ("email", "phone", "url")
NAME_KINDS: Final[Collection[KeyKind]] = ("sorted_name", "kanji_name", "unsplit_name")
"""Keys of nothing but a name."""


@dataclass(frozen=True, slots=True)
class Keyed:
    """One statement with the hashes of its keys, and of its values that are counted over the pool."""

    features: Features
    side: Side
    keys: tuple[tuple[BlockingKey, bytes], ...]
    counted: tuple[tuple[tuple[str, str], bytes], ...]

    def hashes(self, kinds: Collection[str] | None = None) -> list[bytes]:
        """Return the hashes of the keys, or of those of some kinds."""
        return [hashed for key, hashed in self.keys if kinds is None or key.kind in kinds]


def keyed(features: Features, secret: bytes, record_id: UUID | None = None) -> Keyed:
    """File one statement's features under all their keys, hashed with a tenant's secret of 16 to 64 bytes."""
    identity = Identity(
        name=features.name,
        emails=features.keys("email"),
        phones=features.keys("phone"),
        urls=features.keys("url"),
        external_ids=features.external_ids,
        employers=(features.employer,) if features.employer else (),
        birth_date=date.fromisoformat(features.birth_date) if features.birth_date else None,
    )
    side = side_of(features, record_id)
    return Keyed(
        features,
        side,
        tuple((key, key_hash(secret, key.kind, key.value)) for key in sorted(blocking_keys(identity))),
        tuple((each, value_hash(secret, *each)) for each in side.counted()),
    )


def idle_names(statements: Sequence[Keyed], known: Knowledge) -> set[bytes]:
    """Return the hashes of names that tell too little for somebody who shares nothing else to be asked about."""
    idle, asked = set[bytes](), set[bytes]()
    for statement in statements:
        known.learn(statement.side)
        (asked if name_suffices(statement.side, known) else idle).update(statement.hashes(NAME_KINDS))
    return idle - asked


@dataclass(frozen=True, slots=True)
class Met:
    """Somebody whom a statement may be about."""

    candidate_id: UUID
    judgement: Judgement


@dataclass(slots=True)
class Pool:
    """Who is known, under which keys, and which keys are generic."""

    known: Knowledge
    people: dict[UUID, list[Side]] = field(default_factory=dict)
    holders: dict[bytes, dict[UUID, None]] = field(default_factory=dict)
    idle: set[bytes] = field(default_factory=set)
    """Names of which nobody is asked who shares nothing else."""
    generic: set[bytes] = field(default_factory=set)
    turned_generic: set[bytes] = field(default_factory=set)
    gained: dict[bytes, int] = field(default_factory=dict)
    """How many more candidates hold a counted value than before this transaction."""

    def file(self, candidate_id: UUID, statement: Keyed, record_id: UUID | None = None) -> None:
        """Remember that this person said this."""
        said = self.people.setdefault(candidate_id, [])
        for (column, value), hashed in statement.counted:
            if all(getattr(side, column) != value for side in said):
                self.gained[hashed] = self.gained.get(hashed, 0) + 1
                self.known.holders[column, value] = self.known.holders.get((column, value), 0) + 1
        said.append(side_of(statement.features, record_id))
        for _, hashed in statement.keys:
            self.holders.setdefault(hashed, {})[candidate_id] = None

    def holding(self, hashes: Iterable[bytes]) -> tuple[set[UUID], set[UUID]]:
        """Return who holds any of these keys, and apart from them who holds nothing but idle names."""
        telling, named = set[UUID](), set[UUID]()
        for hashed in hashes:
            (named if hashed in self.idle else telling).update(self.holders.get(hashed, ()))
        return telling, named - telling

    def meet(self, statement: Keyed, own: UUID | None = None, *, told: Literal["all"] | None = None) -> list[Met]:
        """Return whom a statement matches, the best first; `own` is the candidate that it belongs to already.

        Whom the rules call `different` is left out, unless all are to be told.
        """
        self._learn(statement, own)
        found = [
            Met(each, judge([statement.side], self.people[each], self.known))
            for each in self._met(statement)
            if each != own and each in self.people
        ]
        found = self._nameless(statement, found)
        kept = [each for each in found if told or each.judgement.decision != "different"]
        return sorted(kept, key=lambda each: (*each.judgement.order, each.candidate_id))

    def _met(self, statement: Keyed) -> set[UUID]:
        telling, named = self.holding(statement.hashes())
        return telling | {each for each in named if any(_near(statement.side, x) for x in self.people.get(each, ()))}

    def _nameless(self, statement: Keyed, found: list[Met]) -> list[Met]:
        """Link whoever has no name to the only one who shares a contact; where several do, pair them all."""
        sharing = {each.candidate_id for each in found if each.judgement.agreeing & STRONG}

        def is_nameless(met: Met) -> bool:
            said = self.people[met.candidate_id]
            return statement.side.name is None or all(side.name is None for side in said)

        def told(met: Met) -> Met:
            if met.candidate_id not in sharing or met.judgement.decision == "same" or not is_nameless(met):
                return met
            if len(sharing) == 1:
                return Met(met.candidate_id, met.judgement.decided("same", by="rule"))
            return Met(met.candidate_id, met.judgement.decided("possible", "several"))

        return [told(each) for each in found]

    def _learn(self, statement: Keyed, own: UUID | None) -> None:
        """Take in what is shipped of this statement's values, and which of them have become generic with it."""
        self.known.learn(statement.side)
        for key, hashed in statement.keys:
            if key.kind not in SHARED:
                continue
            if hashed not in self.generic and self._is_generic(statement.side, hashed, own):
                self.generic.add(hashed)
                self.turned_generic.add(hashed)
            if hashed in self.generic:
                self.known.generic.add(key.value)

    def _is_generic(self, side: Side, hashed: bytes, own: UUID | None) -> bool:
        others = [each for each in self.holders.get(hashed, ()) if each != own and each in self.people]
        if len(others) < GENERIC_FROM - 1:
            return False
        own_records = self.people.get(own, []) if own else []
        return differing([[side, *own_records], *(self.people[each] for each in others)]) >= GENERIC_FROM


def _near(left: Side, right: Side) -> bool:
    """Whether two records share an employer or most of a birth date."""
    born = (left.birth_date, right.birth_date)
    alike = all(born) and any(len({day[part] for day in born if day}) == 1 for part in (slice(4), slice(4, None)))
    return alike or (left.employer is not None and left.employer == right.employer)


def differing(people: Iterable[Sequence[Side]]) -> int:
    """Count people whose names are pairwise neither `agree` nor `partial`; names that cannot be compared differ."""
    kept: list[Sequence[Side]] = []
    for person in people:
        if not any(_alike(person, other) for other in kept):
            kept.append(person)
    return len(kept)


def _alike(left: Sequence[Side], right: Sequence[Side]) -> bool:
    found = (name_level(a.name, b.name) for a in left for b in right)
    return any(level is not None and LEVELS["name", level].verdict in ("agree", "partial") for level in found)
