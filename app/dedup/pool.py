"""The people that one transaction can meet, in memory: who shares a key with whom, and what that means.

Statements are judged one after the other, each seeing those before it, so a batch has the result of its items one by
one.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import IntEnum
from typing import Final, Literal
from uuid import UUID

from app.candidates.features import Features
from app.dedup.levels import LEVELS, name_level
from app.dedup.rules import STRONG, Judgement, Knowledge, employer_suffices, judge, name_suffices
from app.dedup.sides import Side, side_of, value_hash, written
from app.normalise.keys import BlockingKey, Identity, KeyKind, blocking_keys, key_hash

GENERIC_FROM: Final = 4
"""So many candidates whose names are pairwise different make a shared value generic."""

SHARED: Final[Collection[KeyKind]] = ("email", "phone", "url")
NAME_KINDS: Final[Collection[KeyKind]] = ("sorted_name", "kanji_name", "unsplit_name")
"""Keys of nothing but a name."""
EMPLOYER_KINDS: Final[Collection[KeyKind]] = ("family_employer", "given_employer")
"""Keys of an employer and one part of a name."""


class Asked(IntEnum):
    """What is asked of somebody before their records are read, beside sharing a key.

    Whoever is led to by a name and by an employer is read, too.
    """

    NOTHING = 0
    BIRTH_OR_EMPLOYER = 1
    """To share the employer or most of a birth date: their name tells too little."""
    BIRTH_UNLESS_KANJI = 2
    """To share most of a birth date, unless their name is in kanji, too: it would share a key if it were the same."""
    BIRTH_UNLESS_LATIN = 3
    """The same of names in nothing but one word of Latin letters for each part."""
    BIRTH = 4
    """To share most of a birth date: even under the same name that employer tells too little."""


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


def asked(statements: Iterable[Keyed], known: Knowledge) -> dict[bytes, int]:
    """Return key hash → what is asked of whom it leads to: where statements ask for different things, nothing.

    A key that asks for what its statement does not show leads to nobody, and is left out.
    """
    found: dict[bytes, int] = {}
    for statement in statements:
        known.learn(statement.side)
        by_name = Asked.NOTHING if name_suffices(statement.side, known) else Asked.BIRTH_OR_EMPLOYER
        by_work = _asked_at_work(statement.side, known)
        asks = {**dict.fromkeys(NAME_KINDS, by_name), **dict.fromkeys(EMPLOYER_KINDS, by_work)}
        vain = _in_vain(statement.side)
        for key, hashed in statement.keys:
            least = asks.get(key.kind, Asked.NOTHING)
            if least not in vain:
                found[hashed] = least if found.get(hashed, least) == least else Asked.NOTHING
    return found


def _in_vain(side: Side) -> Collection[Asked]:
    """Return what nobody can share with this record, because it does not show it."""
    if side.birth_date:
        return ()
    return (Asked.BIRTH,) if side.employer else (Asked.BIRTH, Asked.BIRTH_OR_EMPLOYER)


def _asked_at_work(side: Side, known: Knowledge) -> Asked:
    """Return what is asked of who shares an employer and one part of a name with this record."""
    if employer_suffices(side, known):
        return Asked.NOTHING
    if not employer_suffices(side, known, is_name_agreeing=True):
        return Asked.BIRTH
    unless = {"kanji": Asked.BIRTH_UNLESS_KANJI, "latin": Asked.BIRTH_UNLESS_LATIN}
    return unless.get(written(side.name) or "", Asked.NOTHING)


@dataclass(frozen=True, slots=True)
class Met:
    """Somebody whom a statement may be about."""

    candidate_id: UUID
    judgement: Judgement


@dataclass(slots=True)
class Pool:
    """Who is known, and under which keys."""

    known: Knowledge
    people: dict[UUID, list[Side]] = field(default_factory=dict)
    holders: dict[bytes, dict[UUID, None]] = field(default_factory=dict)
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
        said.append(replace(statement.side, record_id=record_id))
        for _, hashed in statement.keys:
            self.holders.setdefault(hashed, {})[candidate_id] = None

    def meet(self, statement: Keyed, own: UUID | None = None, *, told: Literal["all"] | None = None) -> list[Met]:
        """Return whom a statement matches, the best first; `own` is the candidate that it belongs to already.

        Whom the rules call `different` is left out, unless all are to be told.
        """
        self._learn(statement, own)
        sharing = {each for hashed in statement.hashes() for each in self.holders.get(hashed, ()) if each != own}
        found = [
            Met(each, judge([statement.side], self.people[each], self.known)) for each in sharing if each in self.people
        ]
        found = self._nameless(statement, found)
        kept = [each for each in found if told or each.judgement.decision != "different"]
        return sorted(kept, key=lambda each: (*each.judgement.order, each.candidate_id))

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
            is_telling = key.kind in SHARED and key.value not in self.known.generic
            if is_telling and self._is_generic(statement.side, hashed, own):
                self.known.generic.add(key.value)
                self.turned_generic.add(hashed)

    def _is_generic(self, side: Side, hashed: bytes, own: UUID | None) -> bool:
        others = [each for each in self.holders.get(hashed, ()) if each != own and each in self.people]
        if len(others) < GENERIC_FROM - 1:
            return False
        own_records = self.people.get(own, []) if own else []
        return are_many([[side, *own_records], *(self.people[each] for each in others)])


def are_many(people: Iterable[Sequence[Side]]) -> bool:
    """Whether the names of so many people are pairwise neither `agree` nor `partial` that what they share is generic.

    Names that cannot be compared differ.
    """
    kept: list[Sequence[Side]] = []
    for person in people:
        if not any(_alike(person, other) for other in kept):
            kept.append(person)
        if len(kept) == GENERIC_FROM:
            return True
    return False


def _alike(left: Sequence[Side], right: Sequence[Side]) -> bool:
    found = (name_level(a.name, b.name) for a in left for b in right)
    return any(level is not None and LEVELS["name", level].verdict in ("agree", "partial") for level in found)
