"""One sweep: count, compare, merge, ask. It writes as it goes, and begun again it finds only what is left."""

import asyncio
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from uuid import UUID

from app.candidates import service as candidates
from app.dedup import service as dedup
from app.dedup.matching import Opened
from app.dedup.rules import Judgement, Knowledge, judge
from app.kit.chunks import chunks
from app.kit.db import Session
from app.kit.jobs import Claim
from app.sweeps import engines, merging, repository, upkeep
from app.sweeps.findings import Findings, Pair

_MODULES: Final = {"duckdb": "bulk", "spark": "spark"}
"""Loaded only when used: what they need is an extra."""

CHUNK: Final = 4_000
"""Pairs that are judged at once: what their records say has to fit in memory."""
CAP: Final = 200
"""So many records of one key are paired with each other; more of them say little."""
OPENED: Final = 1_000
"""Pairs that are opened in one transaction."""


async def run(claim: Claim) -> Mapping[str, Any] | None:
    """Compare everybody with everybody who shares a key; the job's counts say what came of it."""
    counts = {"compared": 0, "merged": 0, "linked": 0, "opened": 0}
    known = await upkeep.prepare(claim)
    engine = engines.chosen(claim.arguments.get("engine"), known.pool)
    found = await (_compare(claim, known, counts) if engine == "postgres" else _predict(claim, known, counts, engine))
    if known.policy.automatic:
        found.settle_nameless()
        await merging.merge(claim, known, found, counts)
    else:
        found.possible.update(found.same)
    await _ask(claim, known, found, counts)
    await _tell(claim, found.compared, counts)
    return counts


async def _compare(claim: Claim, known: Knowledge, counts: dict[str, int]) -> Findings:
    found = Findings()
    async with (
        claim.database.transaction(claim.caller) as session,
        repository.candidate_pairs(session, known, CAP),
    ):
        while rows := await repository.fetch(session, CHUNK):
            pairs = [(row.left_id, row.right_id) for row in rows]
            await _judge(session, known, pairs, found)
            counts["compared"] = found.compared
            await _tell(claim, found.compared, counts)
    return found


async def _predict(claim: Claim, known: Knowledge, counts: dict[str, int], engine: str) -> Findings:
    """Let a bulk engine weigh a copy of the pool; whom it cannot decide on is judged here."""
    find = import_module(f"app.sweeps.{_MODULES[engine]}").find
    with TemporaryDirectory(prefix="talentpool-sweep-") as folder:
        file = Path(folder) / "features.csv"
        async with claim.database.transaction(claim.caller) as session:
            await repository.export(session, file)
        told = await asyncio.to_thread(find, file, known)
    found = Findings(dict(told.same), set(told.possible), told.compared)
    for pairs in chunks(told.open, CHUNK):
        async with claim.step() as session:
            await _judge(session, known, pairs, found)
    counts["compared"] = found.compared
    await _tell(claim, found.compared, counts)
    return found


async def _judge(session: Session, known: Knowledge, pairs: Sequence[Pair], found: Findings) -> None:
    people = await dedup.sides_of(session, sorted({each for pair in pairs for each in pair}))
    await dedup.learn(session, known, [side for said in people.values() for side in said])
    for left, right in pairs:
        if left in people and right in people:
            found.add((left, right), judge(people[left], people[right], known), people[left], people[right])


async def _ask(claim: Claim, known: Knowledge, found: Findings, counts: dict[str, int]) -> None:
    """Open the pairs that a person has to look at, between those who are there now."""
    for chunk in chunks(sorted(found.possible), OPENED):
        async with claim.step() as session:
            live = await candidates.resolve_many(session, sorted({each for pair in chunk for each in pair}))
            now = {_ordered(live[a], live[b]) for a, b in chunk if a in live and b in live and live[a] != live[b]}
            counts["opened"] += await dedup.open_pairs(session, await _judged(session, known, sorted(now)))
            await claim.progress(session, found.compared, counts=counts)


async def _judged(session: Session, known: Knowledge, pairs: Sequence[Pair]) -> list[Opened]:
    people = await dedup.sides_of(session, sorted({each for pair in pairs for each in pair}))
    await dedup.learn(session, known, [side for said in people.values() for side in said])
    judged = [(pair, judge(people[pair[0]], people[pair[1]], known)) for pair in pairs if people.keys() >= set(pair)]
    return [Opened(*pair, _asked(judgement), judgement.records[0]) for pair, judgement in judged]


def _asked(judgement: Judgement) -> Judgement:
    """A pair that is `same` and still asked has one of a component against it."""
    return judgement.decided("possible", "several") if judgement.decision == "same" else judgement


def _ordered(a: UUID, b: UUID) -> Pair:
    return (a, b) if a < b else (b, a)


async def _tell(claim: Claim, done: int, counts: Mapping[str, int]) -> None:
    async with claim.step() as session:
        await claim.progress(session, done, counts=counts)
