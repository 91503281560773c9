"""`make bench`: measure, print one table, write benchmarks/results.json.

    python -m benchmarks [PART ...] [--people N]

With parts named (`story`, `ingest`, `hooks`, `memory`, `directory`, `scores`, `sweeping`, `sending`) only those are
measured, and nothing is written.
"""

import argparse
import asyncio
import signal
import sys
from collections.abc import Collection
from typing import Final

import httpx

from benchmarks import directory, hooks, ingest, report, scores, sending, story, sweeping
from benchmarks.stand import Stand, stand

PARTS: Final = ("story", "ingest", "hooks", "memory", "directory", "scores", "sweeping", "sending")


async def measure(place: Stand, parts: Collection[str]) -> list[report.Figure]:
    """Run these parts of the measurements, the cheap ones first."""
    headers = {"Authorization": f"Bearer {place.key}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{place.port}", headers=headers, timeout=120) as client:
        candidates, figures = await story.people(client), list[report.Figure]()
        await place.analyze()
        if "story" in parts:
            figures.append(await story.signal_to_score(client, candidates))
        if "ingest" in parts:
            figures += [await ingest.single(place, candidates), await ingest.batch(place, candidates)]
        if "hooks" in parts:
            figures.append(await hooks.sendgrid(place, client))
        if "story" in parts:
            figures.append(await story.import_rows(client))
        return figures + (story.memory(place) if "memory" in parts else [])


def main() -> None:
    """Measure what is asked for, or everything."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--people", type=int, default=100_000, help="of directory and sweeping (default 100000)")
    given = parser.parse_args()
    parts = given.parts
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    with stand() as running:
        figures = asyncio.run(measure(running, parts or PARTS))
    if not parts or "directory" in parts:
        figures += directory.beside(given.people)
    if not parts or "scores" in parts:
        figures += scores.measure()
    if not parts or "sweeping" in parts:
        figures += sweeping.measure(given.people)
    if not parts or "sending" in parts:
        figures += sending.measure()
    (report.table if parts else report.show)(figures)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that the stand is taken down
    main()
