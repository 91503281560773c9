"""`make bench`: measure, print one table, write benchmarks/results.json."""

import asyncio
import signal
import sys

import httpx

from benchmarks import hooks, ingest, report, scores, story
from benchmarks.stand import Stand, stand


async def measure(place: Stand) -> list[report.Figure]:
    """Run every measurement, the cheap ones first."""
    headers = {"Authorization": f"Bearer {place.key}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{place.port}", headers=headers, timeout=120) as client:
        candidates = await story.people(client)
        return [
            await story.signal_to_score(client, candidates),
            await ingest.single(place, candidates),
            await ingest.batch(place, candidates),
            await hooks.sendgrid(place, client),
            await story.import_rows(client),
            *story.memory(place),
        ]


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that the stand is taken down
    with stand() as running:
        figures = asyncio.run(measure(running))
    report.show([*figures, *scores.measure()])
