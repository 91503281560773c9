"""One sweep: count, compare, merge, ask. It writes as it goes, and begun again it finds only what is left."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from app.dedup import service as dedup
from app.dedup.rules import Knowledge, judge
from app.kit.chunks import chunks, in_turns
from app.kit.db import Session
from app.kit.jobs import Claim
from app.sweeps import asking, blocks, engines, merging, repository, upkeep
from app.sweeps.combinations import Combinations
from app.sweeps.engines import Engine
from app.sweeps.exported import Exported
from app.sweeps.findings import Findings, Pair

_MODULES: Final = {"duckdb": "bulk", "spark": "spark"}
"""Loaded only when used: what they need is an extra."""

CHUNK: Final = 4_000
"""Pairs that are judged at once: what their records say has to fit in memory."""


async def run(claim: Claim) -> Mapping[str, Any] | None:
    """Compare everybody with everybody who shares a key; the job's counts say what came of it."""
    known = await upkeep.prepare(claim)
    sweep = Sweep(claim, known, engines.chosen(claim.arguments.get("engine"), known.pool))
    found = await sweep.find()
    await sweep.merge(found)
    await sweep.ask(found)
    return sweep.counts


@dataclass(slots=True)
class Sweep:
    """One sweep, whose steps are to be done in the order in which they stand here."""

    claim: Claim
    known: Knowledge
    engine: Engine
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("compared", "merged", "linked", "opened"), 0))

    async def find(self) -> Findings:
        """Find who is one person for sure, and who may be."""
        if self.engine == "postgres":
            await upkeep.count(self.claim)
            return await self._compare()
        with TemporaryDirectory(prefix="talentpool-sweep-") as folder:
            return await self.weigh(await self.read(Path(folder)))

    async def read(self, folder: Path) -> Exported:
        """Copy the pool for a bulk engine."""
        async with self.claim.database.transaction(self.claim.caller, one_view=True) as session:
            exported = Exported(folder, dedup.secret_of(session))
            await repository.export(session, exported)
        return exported

    async def weigh(self, exported: Exported) -> Findings:
        """Let a bulk engine weigh a copy of the pool, and count it; whom it cannot decide on is judged here."""
        find = import_module(f"app.sweeps.{_MODULES[self.engine]}").find
        told = await asyncio.to_thread(find, exported, self.known)
        await upkeep.mend_counts(self.claim, told.miscounted)
        found = Findings(dict(told.same), set(told.possible), told.compared, told.named)
        await self._judge_each(told.open, found)
        return found

    async def _compare(self) -> Findings:
        """Judge by their levels whom PostgreSQL finds worth it, and the rest of those one by one."""
        found, levels, rest = Findings(), Combinations(self.known), set[Pair]()

        async def take_in(rows: Sequence[Any]) -> None:
            async for row in in_turns(rows):
                pair = row["left_id"], row["right_id"]
                if row["is_open"]:
                    rest.add(pair)
                else:
                    found.note(pair, *levels.judge(row))
            await self._tell(found)

        async with self.claim.database.transaction(self.claim.caller) as session:
            await blocks.visit(session, self.known, take_in)
        await self._judge_each(sorted(rest), found)
        return found

    async def _judge_each(self, pairs: Sequence[Pair], found: Findings) -> None:
        for chunk in chunks(pairs, CHUNK):
            async with self.claim.step() as session:
                await self._judge(session, chunk, found)
        await self._tell(found)

    async def _judge(self, session: Session, pairs: Sequence[Pair], found: Findings) -> None:
        people = await asking.said(session, self.known, pairs)
        for left, right in pairs:
            if left in people and right in people:
                judgement = judge(people[left], people[right], self.known)
                found.add((left, right), judgement, people[left], people[right])

    async def merge(self, found: Findings) -> None:
        """Merge who is one person, where the policy lets that be done without asking."""
        if self.known.policy.automatic:
            await merging.merge(self.claim, self.known, found, self.counts)
        else:
            found.possible.update(found.same)

    async def ask(self, found: Findings) -> None:
        """Open the pairs that a person has to look at, between those who are there now."""
        await asking.ask(self.claim, self.known, found, self.counts)
        await self._tell(found)

    async def _tell(self, found: Findings) -> None:
        self.counts["compared"] = found.compared
        async with self.claim.step() as session:
            await self.claim.progress(session, found.compared, counts=self.counts)
