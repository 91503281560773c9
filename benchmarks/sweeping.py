"""A sweep of a pool whose people came without matching, beside bare Splink on DuckDB on the same rows.

    python -m benchmarks.sweeping [PEOPLE] [--engine duckdb|postgres] [--merges MOST] [--keep FOLDER]

The sweep is the worker's own, on a database without any worker. Splink gets the rows as they are compared, in Parquet,
with the same model, frequencies, keys and limit of memory. Merging writes history that Splink does not know of, so it
is a line of its own.
"""

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from uuid import UUID

from app import wiring
from app.kit import caller, garbage, jobs
from app.kit.jobs import Claim
from app.settings import get_settings
from app.sweeps import service, upkeep
from app.sweeps.engines import Engine
from app.sweeps.exported import Exported
from app.sweeps.findings import Findings, Pair
from app.sweeps.sweep import Sweep
from app.training.measure import Scored, Truth, of_pairs
from benchmarks import bare_splink, crowded, crowds, report
from benchmarks.crowds import Ground
from benchmarks.report import Figure
from workers.main import load_tasks

PEOPLE: Final = 100_000
MERGES: Final = 5_000
CLAIMED: Final = """
update jobs set state = 'running', worker = :worker, lease_until = now() + interval '1 hour' where id = :id
"""


ASKED: Final = "select left_id, right_id from candidate_pairs where probability >= $1"


@dataclass(slots=True)
class Laps:
    """Seconds by what was done."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def lap(self, what: str) -> Iterator[None]:
        begun = time.perf_counter()
        yield
        self.seconds[what] = time.perf_counter() - begun
        print(f"{what}: {self.seconds[what]:.1f} s", file=sys.stderr)


@dataclass(frozen=True)
class Swept:
    """What one sweep found, how long its steps took, and what a bare Splink made of the same rows."""

    engine: Engine
    laps: Laps
    found: Findings
    merged: int
    bare: bare_splink.Found
    asked: Sequence[Pair]
    """Pairs that were opened and reach the review threshold."""
    people: Mapping[UUID, str]
    """Candidate → whom they are about in truth."""

    def f1(self, pairs: Iterable[Pair]) -> float:
        """Return the F1 of these pairs, in percent."""
        place = {each: number for number, each in enumerate(self.people)}
        truth = Truth(list(self.people.values()), [0] * len(place))
        return 100 * of_pairs((Scored(place[left], place[right], 0.0) for left, right in pairs), truth).f1


def measure(
    people: int = PEOPLE, engine: Engine = "duckdb", kept: Path | None = None, most: int = MERGES
) -> list[Figure]:
    """Load the people unless a `kept` folder has them, sweep a copy, and let Splink do the same."""
    wiring.wire()
    load_tasks()
    garbage.settle()  # as every worker does
    with TemporaryDirectory(prefix="tp-bench-") as passing:
        folder = kept or Path(passing)
        os.environ["TALENTPOOL_DATA_DIR"] = str(folder)  # keys are hashed with this folder's secret
        get_settings.cache_clear()
        with crowds.server(folder) as running:
            pool = crowds.named("swept", people)
            crowds.make(running, pool, lambda url: _fill(url, people))
            with crowds.copy(running, pool) as url:
                return _figures(people, asyncio.run(_swept(url, engine, most)))


async def _fill(url: str, people: int) -> None:
    async with crowds.ground(url) as ground:
        await crowded.load(url.replace("+asyncpg", ""), ground.tenant_id, people)
        claim = await _claim(ground, None)
        await upkeep.prepare(claim)
        await upkeep.count(claim)  # doors count what they write, too


async def _swept(url: str, engine: Engine, most: int) -> Swept:
    laps = Laps()
    with TemporaryDirectory(prefix="tp-bench-") as folder:
        async with crowds.ground(url) as ground:
            people = dict(await ground.connection.fetch("select candidate_id, by from records order by id"))
            claim = await _claim(ground, engine)
            with laps.lap("preparing"):
                known = await upkeep.prepare(claim)
            sweep = Sweep(claim, known, engine)
            found, exported = await _find(sweep, Path(folder), laps)
            bare = await asyncio.to_thread(bare_splink.predict, exported.features, known)
            print(f"bare Splink: {bare.seconds:.1f} s", file=sys.stderr)
            with laps.lap("asking"):
                await sweep.ask(found)
            asked = [tuple(row) for row in await ground.connection.fetch(ASKED, known.policy.review_threshold)]
            with laps.lap("merging"):
                await sweep.merge(Findings(dict(islice(found.same.items(), most))))
    return Swept(engine, laps, found, sweep.counts["merged"], bare, asked, people)


async def _claim(ground: Ground, engine: Engine | None) -> Claim:
    """Start a sweep and take it up as a worker would."""
    who = caller.system(ground.tenant_id, "bench")
    async with ground.database.transaction(who) as session:
        job_id = await service.start(session, engine)
        await session.run(CLAIMED, worker=jobs.WORKER_ID, id=job_id)
    return Claim(ground.database, who, job_id, service.SWEEP, {}, None)


async def _find(sweep: Sweep, folder: Path, laps: Laps) -> tuple[Findings, Exported]:
    """Let the sweep find its pairs; return them with the copy of the pool, which Splink reads, too."""
    if sweep.engine == "postgres":
        with laps.lap("comparing"):
            found = await sweep.find()
        exported = await sweep.read(folder)
    else:
        with laps.lap("reading"):
            exported = await sweep.read(folder)
        with laps.lap("comparing"):
            found = await sweep.weigh(exported)
    found.settle_nameless(())
    return found, exported


def _figures(people: int, swept: Swept) -> list[Figure]:
    spent, bare, found = swept.laps.seconds, swept.bare, swept.found
    merging, finding = spent.pop("merging"), spent.get("reading", 0.0) + spent["comparing"]
    what, is_bulk = f"sweep of {people:,} by {swept.engine}", swept.engine == "duckdb"
    pairs = [(left, right) for left, right, _ in bare.pairs]
    return [
        Figure(f"{what}: finding pairs", finding, "s", bare.seconds, "≤ 1.2" if is_bulk else ""),
        Figure("  all but merges", sum(spent.values()), "s", bare.seconds, "" if is_bulk else "≤ 120 s"),
        *(Figure(f"  of it {step}", seconds, "s") for step, seconds in spent.items()),
        Figure(f"  opening {len(found.possible):,} pairs", len(found.possible) / spent["asking"], "a second"),
        Figure(f"  merging {swept.merged:,} of {len(found.same):,} pairs", swept.merged / merging, "a second"),
        Figure("  F1 of pairs of p ≥ 0.5", swept.f1({*found.same, *swept.asked}), "%", swept.f1(pairs), "not lower"),
    ]


def main() -> None:
    """Measure by itself, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("people", nargs="?", type=int, default=PEOPLE, help=f"how many records (default {PEOPLE:,})")
    parser.add_argument("--engine", choices=("duckdb", "postgres"), default="duckdb", help="what finds the pairs")
    parser.add_argument("--merges", type=int, default=MERGES, help=f"pairs to merge at most (default {MERGES:,})")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave the loaded pool there for the next run")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that the server is taken down
    report.table(measure(given.people, given.engine, given.keep, given.merges))


if __name__ == "__main__":
    main()
