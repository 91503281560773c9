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
from app.dedup.matching import Opened
from app.dedup.rules import Knowledge, judge
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

    async def run(self, pairs: Sequence[Pair]) -> None:
        """Open these pairs, each between those who its two are now."""
        await in_batches(pairs, OPENED, self._prepare, self._write, AHEAD)

    async def _prepare(self, pairs: Sequence[Pair]) -> list[Row]:
        async with self.claim.database.transaction(self.claim.caller) as session:
            told = await dedup.said_of(session, pairs)
            asked = [pair for pair in pairs if pair not in told]
            people = await dedup.sides_of(session, _everybody(asked))
            live = await candidates.resolve_many(session, [each for each in _everybody(asked) if each not in people])
            people |= await dedup.sides_of(session, sorted(set(live.values()) - people.keys()))
            known = replace(self.known)
            sides = _sides(people)
            await dedup.learn(session, known, sides)
            spelled = await dedup.spellings(session, [each.record_id for each in sides if each.record_id])
        now = dict.fromkeys(_ordered(live.get(a, a), live.get(b, b)) for a, b in asked)
        there = [(a, b) for a, b in now if a != b and a in people and b in people]
        return [_opened(pair, people, known).row(spelled) async for pair in in_turns(there)]

    async def _write(self, rows: Sequence[Row]) -> None:
        async with self.claim.step() as session:
            live = await candidates.versions(session, _everybody([(row["left_id"], row["right_id"]) for row in rows]))
            there = [row for row in rows if row["left_id"] in live and row["right_id"] in live]
            self.counts["opened"] += await dedup.open_told(session, there)
            await self.claim.progress(session, self.compared, counts=self.counts)


async def ask(claim: Claim, known: Knowledge, found: Findings, counts: dict[str, int]) -> None:
    """Open the pairs that a person has to look at."""
    pairs = sorted(found.possible, key=lambda pair: (pair[0].int, pair[1].int))  # ids by themselves compare slowly
    await Asking(claim, known, counts, found.compared).run(pairs)


async def said(session: Session, known: Knowledge, pairs: Sequence[Pair]) -> Mapping[UUID, Sequence[Side]]:
    """Return what everybody in these pairs says; what is known of their values is learnt."""
    people = await dedup.sides_of(session, _everybody(pairs))
    await dedup.learn(session, known, _sides(people))
    return people


def _sides(people: Mapping[UUID, Sequence[Side]]) -> list[Side]:
    return list(chain.from_iterable(people.values()))


def _everybody(pairs: Sequence[Pair]) -> list[UUID]:
    return list(dict.fromkeys(chain.from_iterable(pairs)))


def _opened(pair: Pair, people: Mapping[UUID, Sequence[Side]], known: Knowledge) -> Opened:
    """Judge a pair; one that is `same` and still asked has one of a component against it."""
    judgement = judge(people[pair[0]], people[pair[1]], known)
    if judgement.decision == "same":
        judgement = judgement.decided("possible", "several")
    return Opened(*pair, judgement, judgement.records[0])


def _ordered(a: UUID, b: UUID) -> Pair:
    return (a, b) if a < b else (b, a)
