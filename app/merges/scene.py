"""What is known of people who are to become one: read in a bounded number of statements for any number of them."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
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
from app.merges.schemas import ConflictRead, ConsentEffect, MergePlan
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
    """One merge in hand: the plan, what changes, and the record of chosen fields, if one is needed."""

    plan: MergePlan
    changed: list[str]
    choice: Record | None


@dataclass(slots=True)
class Scene:
    """People in hand, and what they have; merges are done to it one after the other."""

    order: Sequence[str]
    """The policy's order of sources."""
    drafts: dict[UUID, Draft]
    standings: dict[UUID, Standing]
    places: dict[str, int]
    counts: dict[UUID, Counter[str]]
    effects: dict[UUID, list[ConsentEffect]]
    conflicts: dict[UUID, list[ConflictRead]]
    different: set[tuple[UUID, UUID]]

    def unite(self, wanted: Wanted) -> United:
        """Let the survivor's draft be the one person that both are."""
        survivor, loser = self.drafts[wanted.survivor_id], self.drafts[wanted.loser_id]
        before, version = survivor.fields, survivor.version
        records = sorted([*survivor.records, *loser.records], key=lambda each: self.places[each.id])
        merged = compute(records, self.order)
        seen = self._plan(wanted, before, merged)
        survivor.records = records
        sides = {"survivor": before, "loser": loser.fields}
        choice = _choice(chosen(wanted.fields, sides, merged.fields))
        if choice is not None:
            self.places[choice.id] = len(self.places)
            survivor.records.append(choice)
            survivor.added.append(choice)
            merged = compute(survivor.records, self.order)
        changed = survivor.take(merged)
        survivor.version = version + 1
        self.counts[wanted.survivor_id] += self.counts[wanted.loser_id]
        return United(seen, changed, choice)

    def _plan(self, wanted: Wanted, before: Mapping[str, object], merged: Computed) -> MergePlan:
        loser = self.drafts[wanted.loser_id]
        fields = plan.winners(before, loser.fields, merged.fields)
        return plan.plan(
            [self.drafts[wanted.survivor_id].version, loser.version],
            fields,
            {**dict.fromkeys(COUNTED, 0), **self.counts[wanted.loser_id]},
            self.effects[wanted.loser_id],
            [*plan.disagreements(fields, wanted.loser_id), *self.conflicts[wanted.loser_id]],
        )


COUNTED = ("records", "touchpoints", "consents", "enrollments", "messages", "memberships")


def _choice(payload: Mapping[str, object]) -> Record | None:
    if not payload:
        return None
    return Record(str(new_id()), "manual", None, 1, "manual", payload, Features())


async def look(session: Session, wanted: Sequence[Wanted]) -> Scene:
    """Read everything about these people; who is not live any more is not there."""
    moves = {each.loser_id: each.survivor_id for each in wanted}
    ids = sorted({*moves, *moves.values()})
    policy = await dedup.read_policy(session)
    drafts = await candidates.drafts(session, ids, [])
    places = {str(each.record_id): at for at, each in enumerate(await people.places(session, ids))}
    different = await matching.differing(session, _pairs(wanted))
    return Scene(
        order=policy.source_order,
        drafts=drafts,
        standings={each: standing_of(found) for each, found in (await candidates.profiles(session, ids)).items()},
        places=places,
        counts=await _counts(session, drafts),
        effects=await _effects(session, moves),
        conflicts=await _conflicts(session, moves, different),
        different=different,
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


async def _counts(session: Session, drafts: Mapping[UUID, Draft]) -> dict[UUID, Counter[str]]:
    found = {each: Counter({"records": len(draft.records)}) for each, draft in drafts.items()}
    for slice_ in (touchpoints.counts, consent.counts, sequences.counts, pools.counts):
        for each, counted in (await slice_(session, list(drafts))).items():
            found[each].update(counted)
    return found


async def _effects(session: Session, moves: Mapping[UUID, UUID]) -> dict[UUID, list[ConsentEffect]]:
    groups: dict[UUID, list[UUID]] = {}
    for loser, survivor in moves.items():
        groups.setdefault(survivor, [survivor]).append(loser)
    held = await consent.carried(session, list(groups.values()))
    return {
        loser: [
            ConsentEffect(
                side="loser" if side == loser else "survivor", purpose=purpose, channel=channel, status="withdrawn"
            )
            for side, purpose, channel in held
            if side in {loser, survivor}
        ]
        for loser, survivor in moves.items()
    }


async def _conflicts(
    session: Session, moves: Mapping[UUID, UUID], different: Collection[tuple[UUID, UUID]]
) -> dict[UUID, list[ConflictRead]]:
    ways, hands = await sequences.shared(session, moves), await pools.opposed(session, moves)
    return {
        loser: [
            *(plan.conflict("different", loser) for pair in different if set(pair) == {loser, survivor}),
            *(plan.conflict("enrollment", each) for each in ways[loser]),
            *(plan.conflict("membership", each) for each in hands[loser]),
        ]
        for loser, survivor in moves.items()
    }
