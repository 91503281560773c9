"""The people that one transaction can meet, in memory: who shares a key with whom, and what that means.

Statements are judged one after the other, each seeing those before it, so a batch has the result of its items one by
one.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal
from uuid import UUID

from app.candidates.features import Features
from app.dedup.rules import STRONG, Judgement, Policy, judge, may_match
from app.normalise.keys import BlockingKey, Identity, blocking_keys
from app.normalise.name_verdict import name_verdict

GENERIC_FROM: Final = 4
"""So many candidates whose names are pairwise different make a shared value generic."""

SHARED: Final = ("email", "phone", "url")
MET_BY: Final = (*SHARED, "birth_family", "birth_given", "family_employer", "given_employer")
"""Keys that can decide something without weights; the others are filed for the model."""

Hasher = Callable[[str, str], bytes]


@dataclass(frozen=True, slots=True)
class Keyed:
    """One statement's features with the hashes of its keys."""

    features: Features
    keys: tuple[tuple[BlockingKey, bytes], ...]

    def hashes(self, kinds: Collection[str] = MET_BY) -> list[bytes]:
        return [hashed for key, hashed in self.keys if key.kind in kinds]


def keyed(features: Features, hasher: Hasher) -> Keyed:
    """File one statement's features under all their keys."""
    identity = Identity(
        name=features.name,
        emails=features.keys("email"),
        phones=features.keys("phone"),
        urls=features.keys("url"),
        external_ids=features.external_ids,
        employers=(features.employer,) if features.employer else (),
        birth_date=date.fromisoformat(features.birth_date) if features.birth_date else None,
    )
    return Keyed(features, tuple((key, hasher(key.kind, key.value)) for key in sorted(blocking_keys(identity))))


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody whom a statement may be about."""

    candidate_id: UUID
    judgement: Judgement


@dataclass(slots=True)
class Pool:
    """Who is known, under which keys, and which keys are generic."""

    policy: Policy
    people: dict[UUID, list[Features]] = field(default_factory=dict)
    holders: dict[bytes, dict[UUID, None]] = field(default_factory=dict)
    generic: set[bytes] = field(default_factory=set)
    turned_generic: set[bytes] = field(default_factory=set)

    def file(self, candidate_id: UUID, statement: Keyed) -> None:
        """Remember that this person said this."""
        self.people.setdefault(candidate_id, []).append(statement.features)
        for _, hashed in statement.keys:
            self.holders.setdefault(hashed, {})[candidate_id] = None

    def everybody(self) -> set[UUID]:
        """Return who holds any key that was asked for."""
        return {each for holders in self.holders.values() for each in holders}

    def meet(
        self,
        statement: Keyed,
        own: UUID | None = None,
        *,
        kinds: Collection[str] = MET_BY,
        told: Literal["all"] | None = None,
    ) -> list[Found]:
        """Return whom a statement matches, the best first; `own` is the candidate that it belongs to already.

        Whom the rules call `different` is left out, unless all are to be told.
        """
        generic = self._generic(statement, own)
        met = {each for hashed in statement.hashes(kinds) for each in self.holders.get(hashed, ()) if each != own}
        found = [
            Found(each, judge([statement.features], self.people[each], self.policy, generic))
            for each in sorted(met)
            if each in self.people and (told or self._may_match(statement.features, each))
        ]
        sharing = [each for each in found if each.judgement.agreeing & STRONG]
        if len(sharing) == 1 and sharing[0].judgement.is_nameless and not sharing[0].judgement.contradicts:
            found = [_linked(each) if each is sharing[0] else each for each in found]
        kept = [each for each in found if told or each.judgement.decision != "different"]
        return sorted(kept, key=lambda each: (*each.judgement.order, each.candidate_id))

    def _may_match(self, features: Features, other: UUID) -> bool:
        return any(may_match(features, each, self.policy) for each in self.people[other])

    def _generic(self, statement: Keyed, own: UUID | None) -> set[tuple[str, str]]:
        """Return (kind, key) of this statement's shared values that are generic, now that it holds them too."""
        found = set()
        for key, hashed in statement.keys:
            if key.kind not in SHARED:
                continue
            if hashed not in self.generic and self._is_generic(statement.features, hashed, own):
                self.generic.add(hashed)
                self.turned_generic.add(hashed)
            if hashed in self.generic:
                found.add((str(key.kind), key.value))
        return found

    def _is_generic(self, features: Features, hashed: bytes, own: UUID | None) -> bool:
        others = [each for each in self.holders.get(hashed, ()) if each != own and each in self.people]
        if len(others) < GENERIC_FROM - 1:
            return False
        return _different([[features], *(self.people[each] for each in others)]) >= GENERIC_FROM


def _linked(found: Found) -> Found:
    return Found(found.candidate_id, found.judgement.decided("same"))


def _different(people: Iterable[Sequence[Features]]) -> int:
    """Count people whose names are pairwise neither `agree` nor `partial`; names that cannot be compared differ."""
    kept: list[Sequence[Features]] = []
    for person in people:
        if not any(_alike(person, other) for other in kept):
            kept.append(person)
    return len(kept)


def _alike(left: Sequence[Features], right: Sequence[Features]) -> bool:
    return any(name_verdict(a.name, b.name).verdict in {"agree", "partial"} for a in left for b in right)
