"""What a sweep has found to be one person is merged: some hundred components in a transaction, the next read meanwhile.

People are held only while their batch is written. A batch that meets somebody else's work is done in halves, and a
component that cannot be merged now is left to the next sweep.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from app.dedup import merging as matching
from app.dedup import service as dedup
from app.dedup.components import Components
from app.dedup.matching import Spelled, evidence
from app.dedup.merging import Edge
from app.dedup.rules import Judgement, Knowledge, judge
from app.dedup.sides import Side
from app.dedup.words import words_of
from app.kit.chunks import chunks, in_batches, in_turns
from app.kit.jobs import Claim
from app.kit.log import get_logger
from app.merges import service as merges
from app.merges.scene import Scene
from app.merges.service import Wanted
from app.sweeps import repository
from app.sweeps.findings import Findings, Pair, chained, joined, strongest

log = get_logger(__name__)

MERGED: Final = 500
"""Components that are merged in one transaction: who writes about one of these people waits that long."""

Group = Sequence[UUID]
"""The candidates of one component, the oldest first."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Components as they were seen, and the merges that make each one person."""

    groups: Sequence[Group]
    scene: Scene
    wanted: Sequence[Wanted]
    linked: int
    """Pairs of records that become one person's."""


@dataclass(slots=True)
class Merging:
    """One sweep's merges."""

    claim: Claim
    known: Knowledge
    best: Mapping[UUID, Pair]
    counts: dict[str, int]
    compared: int

    async def run(self, groups: Sequence[Group]) -> None:
        """Merge each group into its oldest."""
        await in_batches(groups, MERGED, self._prepare, self._write)

    async def _prepare(self, groups: Sequence[Group]) -> Batch:
        """See these people, and say why they are one; a group of whom somebody is gone by now is left out."""
        async with self.claim.database.transaction(self.claim.caller) as session:
            scene = await merges.look(session, (each for members in groups for each in members))
            live = [members for members in groups if scene.shows(members)]
            people = await dedup.sides_of(session, sorted({each for members in live for each in members}))
            known = replace(self.known)
            await dedup.learn(session, known, [side for said in people.values() for side in said])
        edges = await self._edges(live, known, scene, people)
        return Batch(
            live,
            scene,
            [Wanted(members[0], loser, edge=edges.get(loser)) for members in live for loser in members[1:]],
            sum(_pairs_across([len(people.get(each, ())) for each in members]) for members in live),
        )

    async def _edges(
        self, groups: Sequence[Group], known: Knowledge, scene: Scene, people: Mapping[UUID, Sequence[Side]]
    ) -> dict[UUID, Edge | None]:
        """Return loser → the link that speaks most strongly for its being in its group."""
        said = {UUID(record.id): record for draft in scene.drafts.values() for record in draft.records}
        edges = {}
        async for loser in in_turns([each for members in groups for each in members[1:]]):
            left, right = self.best[loser]
            if left in people and right in people:
                judgement = judge(people[left], people[right], known)
                told = (said[each] for each in judgement.records if each in said)
                spelled = {UUID(record.id): words_of(record.payload, record.features) for record in told}
                edges[loser] = _edge(judgement, known, spelled)
        return edges

    async def _write(self, batch: Batch) -> None:
        try:
            async with self.claim.step() as session:
                await repository.wait_little(session)
                await merges.merge_seen(session, batch.scene, batch.wanted, by="model")
                await self.claim.progress(session, self.compared, counts=self._counted(batch))
        except Exception as error:
            if not (isinstance(error, merges.REFUSED) or repository.is_conflict(error)):
                raise
            await self._write_halves(batch.groups)
        else:
            self.counts.update(self._counted(batch))

    def _counted(self, batch: Batch) -> dict[str, int]:
        linked = self.counts["linked"] + batch.linked
        return {**self.counts, "merged": self.counts["merged"] + len(batch.wanted), "linked": linked}

    async def _write_halves(self, groups: Sequence[Group]) -> None:
        if len(groups) <= 1:
            log.info("sweep.left", groups=len(groups))
            return
        for half in chunks(groups, (len(groups) + 1) // 2):
            await self._write(await self._prepare(half))


async def merge(claim: Claim, known: Knowledge, found: Findings, counts: dict[str, int]) -> None:
    """Merge what belongs together into the oldest of each; what a guard holds back is asked."""
    together = await _join(claim, found)
    if found.sharing:
        found.settle_nameless(together.members)
        together = await _join(claim, found)
    found.possible.update((edge.left, edge.right) for edge in together.refused)
    best = strongest(found.same, together.members)
    await Merging(claim, known, best, counts, found.compared).run(together.members)


async def _join(claim: Claim, found: Findings) -> Components[UUID]:
    async with claim.step() as session:
        differing = await matching.differing(session, found.same)
        people = await dedup.sides_of(session, sorted(chained(found.same)))
    return joined(found.same, differing, people)


def _edge(judgement: Judgement, known: Knowledge, spelled: Spelled) -> Edge | None:
    left, right = judgement.records
    if left is None or right is None:
        return None
    told = evidence(judgement, left, spelled, is_turned=left > right)
    return Edge(min(left, right), max(left, right), judgement.weight, told, known.version)


def _pairs_across(sizes: Sequence[int]) -> int:
    return (sum(sizes) ** 2 - sum(size * size for size in sizes)) // 2
