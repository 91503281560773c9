"""What a sweep leaves to a person: pairs are judged once more, with all that speaks for and against them, and opened.

Some hundred are written in a transaction while the next are judged and told. Of a pair that is there already nothing is
asked again; one of whom somebody is not there any more when it is written is left to the next sweep.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Final
from uuid import UUID

from app.candidates import service as candidates
from app.dedup import service as dedup
from app.dedup.levels import Found
from app.dedup.matching import Opened
from app.dedup.rules import Judgement, Knowledge, judge, judge_records
from app.dedup.sides import Side
from app.kit.chunks import in_batches, in_turns
from app.kit.db import Session
from app.kit.jobs import Claim
from app.sweeps.findings import Findings, Pair

Row = Mapping[str, Any]
"""A pair as `Opened.row` tells it."""

OPENED: Final = 500
"""Pairs that are opened in one transaction."""
AHEAD: Final = 4
"""So many batches are read and judged while one is written: judging takes longer than writing."""


@dataclass(slots=True)
class Asking:
    """The questions of one sweep."""

    claim: Claim
    known: Knowledge
    counts: dict[str, int]
    compared: int
    named: Mapping[Pair, str | None]
    """The levels of names that are known already."""

    async def run(self, pairs: Sequence[Pair]) -> None:
        """Open these pairs, each between those who its two are now."""
        await in_batches(pairs, OPENED, self._prepare, self._write, AHEAD)

    async def _prepare(self, pairs: Sequence[Pair]) -> list[Row]:
        async with self.claim.database.transaction(self.claim.caller) as session:
            people, spelled = await dedup.shown_by(session, _everybody([each for each in pairs if each in self.named]))
            named = {each: Found(self.named[each]) for each in pairs if each in self.named and _are_one(each, people)}
            whole, there = await _whole(session, [each for each in pairs if each not in named])
            sides = [*_sides(people), *_sides(whole)]
            known = replace(self.known)
            await dedup.learn(session, known, sides)
            spelled |= await dedup.spellings(session, {side.record_id for side in _sides(whole) if side.record_id})
        told = [
            (a, b, judge_records(people[a][0], people[b][0], known, name))
            async for (a, b), name in in_turns([*named.items()])
        ]
        told += [(a, b, judge(whole[a], whole[b], known)) async for a, b in in_turns(there) if (a, b) not in named]
        return [_opened(*each).row(spelled) async for each in in_turns(told)]

    async def _write(self, rows: Sequence[Row]) -> None:
        async with self.claim.step() as session:
            live = await candidates.versions(session, _everybody([(row["left_id"], row["right_id"]) for row in rows]))
            there = [row for row in rows if row["left_id"] in live and row["right_id"] in live]
            self.counts["opened"] += await dedup.open_told(session, there)
            await self.claim.progress(session, self.compared, counts=self.counts)


async def ask(claim: Claim, known: Knowledge, found: Findings, counts: dict[str, int]) -> None:
    """Open the pairs that a person has to look at."""
    async with claim.database.transaction(claim.caller) as session:
        told = await dedup.said_of(session, list(found.possible))
    asked = found.possible - told
    pairs = sorted(asked, key=lambda pair: (pair[0].int, pair[1].int))  # ids by themselves compare slowly
    await Asking(claim, known, counts, found.compared, found.named).run(pairs)


async def said(session: Session, known: Knowledge, pairs: Sequence[Pair]) -> Mapping[UUID, Sequence[Side]]:
    """Return what everybody in these pairs says; what is known of their values is learnt."""
    people = await dedup.sides_of(session, _everybody(pairs))
    await dedup.learn(session, known, _sides(people))
    return people


def _sides(people: Mapping[UUID, Sequence[Side]]) -> list[Side]:
    return list(chain.from_iterable(people.values()))


def _everybody(pairs: Sequence[Pair]) -> list[UUID]:
    return list(dict.fromkeys(chain.from_iterable(pairs)))


async def _whole(session: Session, pairs: Sequence[Pair]) -> tuple[Mapping[UUID, Sequence[Side]], Sequence[Pair]]:
    """Return what everybody in these pairs says, and the pairs of those who their two are now."""
    people = await dedup.sides_of(session, _everybody(pairs))
    live = await candidates.resolve_many(session, [each for each in _everybody(pairs) if each not in people])
    people |= await dedup.sides_of(session, sorted(set(live.values()) - people.keys()))
    now = dict.fromkeys(_ordered(live.get(a, a), live.get(b, b)) for a, b in pairs)
    return people, [(a, b) for a, b in now if a != b and a in people and b in people]


def _are_one(pair: Pair, people: Mapping[UUID, Sequence[Side]]) -> bool:
    """Whether both still have one record, which does not change: what its name was compared with holds."""
    return all(len(people.get(each, ())) == 1 for each in pair)


def _opened(left: UUID, right: UUID, judgement: Judgement) -> Opened:
    """Open a judged pair; one that is `same` and still asked has one of a component against it."""
    if judgement.decision == "same":
        judgement = judgement.decided("possible", "several")
    return Opened(left, right, judgement, judgement.records[0])


def _ordered(a: UUID, b: UUID) -> Pair:
    return (a, b) if a < b else (b, a)
