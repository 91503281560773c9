"""What is known of people who are to become one: read in a bounded number of statements for any number of them.

What they are told by is looked at without a lock, for that takes longest; what they have is read while they are held.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from app.candidates import merging as people
from app.candidates import service as candidates
from app.candidates.draft import Draft
from app.candidates.features import Features
from app.candidates.profile import Computed, Record, compute
from app.candidates.standing import Standing, standing_of
from app.consent import service as consent
from app.dedup import merging as matching
from app.dedup import service as dedup
from app.kit.db import Session
from app.kit.ids import new_id
from app.merges import plan
from app.merges.choice import chosen
from app.merges.kept import profile_of, record_ids
from app.merges.locks import hold
from app.pools import service as pools
from app.sequences import service as sequences
from app.touchpoints import merging as touchpoints


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who shall become part of whom, and on what terms; `edge` is why matching says so."""

    survivor_id: UUID
    loser_id: UUID
    fields: Mapping[str, str] = field(default_factory=dict)
    override: bool = False
    plan_hash: str | None = None
    edge: matching.Edge | None = None


@dataclass(frozen=True, slots=True)
class United:
    """One merge in hand: the survivor before it, and what it makes of them.

    `versions` are those of survivor and loser before, `stood` and `came` the records of each; `choice` is the record of
    chosen fields, if one is needed.
    """

    wanted: Wanted
    before: Computed
    versions: tuple[int, int]
    stood: Sequence[UUID]
    came: Sequence[UUID]
    fields: Mapping[str, Mapping[str, Any]]
    changed: Sequence[str]
    choice: Record | None


@dataclass(slots=True)
class Scene:
    """People in hand as they were seen; merges are done to it one after the other."""

    order: Sequence[str]
    """The policy's order of sources."""
    seen: Mapping[UUID, Any]
    drafts: dict[UUID, Draft]
    standings: dict[UUID, Standing]

    def unite(self, wanted: Wanted) -> United:
        """Let the survivor's draft be the one person that both are."""
        survivor, loser = self.drafts[wanted.survivor_id], self.drafts[wanted.loser_id]
        before, version = profile_of(survivor), survivor.version
        stood, came = record_ids(survivor), record_ids(loser)
        survivor.records = sorted([*survivor.records, *loser.records], key=lambda each: each.age)
        merged = compute(survivor.records, self.order)
        fields = plan.winners(before.fields, loser.fields, merged.fields)
        sides = {"survivor": before.fields, "loser": loser.fields}
        choice = _choice(chosen(wanted.fields, sides, merged.fields))
        if choice is not None:
            survivor.records.append(choice)
            survivor.added.append(choice)
            merged = compute(survivor.records, self.order)
        changed = survivor.take(merged)
        survivor.version = version + 1
        return United(wanted, before, (version, loser.version), stood, came, fields, changed, choice)

    async def hold(self, session: Session) -> bool:
        """Lock these people and all that could change who they are; return whether they are as they were seen."""
        standing = await hold(session, list(self.seen))
        return all(standing[each].written_by == was.written_by for each, was in self.seen.items())

    def shows(self, ids: Iterable[UUID]) -> bool:
        """Whether all of these people were live when they were seen, and while what they are told by was read."""
        return all(people.is_live(self.seen.get(each)) and each in self.drafts for each in ids)


def _choice(payload: Mapping[str, object]) -> Record | None:
    if not payload:
        return None
    return Record(str(new_id()), "manual", None, 1, "manual", payload, Features())


async def look(session: Session, ids: Iterable[UUID]) -> Scene:
    """Read what these people are told by; who is not live any more is not there."""
    asked = sorted(set(ids))
    seen = await people.stand_now(session, asked)
    found = await candidates.profiles(session, asked)
    said = await candidates.records_of(session, list(found))
    return Scene(
        order=(await dedup.read_policy(session)).source_order,
        seen=seen,
        drafts={each: candidates.draft_of(profile, said[each]) for each, profile in found.items()},
        standings={each: standing_of(profile) for each, profile in found.items()},
    )


COUNTED = ("records", "touchpoints", "consents", "enrollments", "messages", "memberships")


@dataclass(frozen=True, slots=True)
class Belongings:
    """What people who are to become one have, loser by loser, and which of them a person has called different."""

    counts: Mapping[UUID, Mapping[str, int]]
    effects: Mapping[UUID, Sequence[Mapping[str, Any]]]
    conflicts: Mapping[UUID, Sequence[plan.Conflict]]
    different: Collection[UUID]

    def plan(self, united: United) -> dict[str, Any]:
        """Return what a merge will do."""
        loser_id = united.wanted.loser_id
        return plan.plan(
            united.versions,
            united.fields,
            {**dict.fromkeys(COUNTED, 0), **self.counts.get(loser_id, {}), "records": len(united.came)},
            self.effects.get(loser_id, ()),
            [*plan.disagreements(united.fields, loser_id), *self.conflicts.get(loser_id, ())],
        )


async def belongings(session: Session, wanted: Sequence[Wanted]) -> Belongings:
    """Read what the losers have, and what stands against these merges."""
    moves = {each.loser_id: each.survivor_id for each in wanted}
    different = await matching.differing(session, _pairs(wanted))
    return Belongings(
        counts=await _counts(session, list(moves)),
        effects=await _effects(session, moves),
        conflicts=await _conflicts(session, moves, different),
        different={each for pair in different for each in pair} & moves.keys(),
    )


def _pairs(wanted: Sequence[Wanted]) -> list[tuple[UUID, UUID]]:
    """Return every two of whom a person must not have said that they are different, if all this is to be merged."""
    groups: dict[UUID, list[UUID]] = {}
    found = []
    for each in wanted:
        group = groups.setdefault(each.survivor_id, [each.survivor_id])
        found += [(member, each.loser_id) for member in group]
        group.append(each.loser_id)
    return found


async def _counts(session: Session, ids: Sequence[UUID]) -> dict[UUID, Counter[str]]:
    found: dict[UUID, Counter[str]] = {}
    for slice_ in (touchpoints.counts, consent.counts, sequences.counts, pools.counts):
        for each, counted in (await slice_(session, ids)).items():
            found.setdefault(each, Counter()).update(counted)
    return found


async def _effects(session: Session, moves: Mapping[UUID, UUID]) -> dict[UUID, list[dict[str, Any]]]:
    groups: dict[UUID, list[UUID]] = {}
    for loser, survivor in moves.items():
        groups.setdefault(survivor, [survivor]).append(loser)
    held: dict[UUID, list[tuple[str, str]]] = {}
    for side, purpose, channel in await consent.carried(session, list(groups.values())):
        held.setdefault(side, []).append((purpose, channel))
    return {
        loser: [
            {"side": name, "purpose": purpose, "channel": channel, "status": "withdrawn"}
            for name, side in (("survivor", survivor), ("loser", loser))
            for purpose, channel in held.get(side, ())
        ]
        for loser, survivor in moves.items()
        if held
    }


async def _conflicts(
    session: Session, moves: Mapping[UUID, UUID], different: Collection[tuple[UUID, UUID]]
) -> dict[UUID, list[plan.Conflict]]:
    ways, hands = await sequences.shared(session, moves), await pools.opposed(session, moves)
    return {
        loser: [
            *([plan.conflict("different", loser)] if (min(loser, survivor), max(loser, survivor)) in different else ()),
            *(plan.conflict("enrollment", each) for each in ways[loser]),
            *(plan.conflict("membership", each) for each in hands[loser]),
        ]
        for loser, survivor in moves.items()
    }
