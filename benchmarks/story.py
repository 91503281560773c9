"""How long the parts of the story take, end to end, through the public API."""

import asyncio
import time
from collections.abc import Sequence
from statistics import quantiles

import httpx

from app.kit.clock import now
from app.kit.ids import new_id
from benchmarks.report import Figure
from benchmarks.stand import Stand
from tests.factories.spreadsheets import spreadsheet

IMPORT_ROWS = 10_000
SCORED = 60
PEOPLE = 500
PATIENCE_S = 600


async def people(client: httpx.AsyncClient) -> list[str]:
    """Make the people whom the signals are about; return their ids."""
    items = [{"full_name": f"計測 {number}郎"} for number in range(PEOPLE)]
    answer = (await client.post("/v1/candidates/batch-upsert", json={"items": items})).json()
    return [each["id"] for each in answer["items"]]


async def import_rows(client: httpx.AsyncClient) -> Figure:
    """Import 10,000 rows of a CP932 file, from the upload to the committed job."""
    file = spreadsheet(IMPORT_ROWS, duplicates=500, broken=100, seed=7).cp932()
    begun = time.perf_counter()
    job = (
        await client.post(
            "/v1/imports", files={"file": ("people.csv", file)}, data={"source": "bench", "commit": "auto"}
        )
    ).json()
    while job["state"] not in {"succeeded", "failed"} and time.perf_counter() - begun < PATIENCE_S:
        await asyncio.sleep(0.2)
        job = (await client.get(f"/v1/jobs/{job['id']}")).json()
    assert job["state"] == "succeeded", job
    return Figure(
        f"import of {IMPORT_ROWS:,} CP932 rows, end to end", time.perf_counter() - begun, "s", target="≤ 60 s"
    )


async def signal_to_score(client: httpx.AsyncClient, candidates: Sequence[str]) -> Figure:
    """Post one touchpoint and ask until the score holds it; the 99th percentile."""
    waits = []
    for candidate in candidates[:SCORED]:
        body = {
            "candidate_id": candidate,
            "type": "email_replied",
            "occurred_at": now().isoformat(),
            "source": "bench",
            "external_id": str(new_id()),
        }
        begun = time.perf_counter()
        touchpoint = (await client.post("/v1/touchpoints", json=body)).json()["id"]
        while not await _is_swept(client, candidate, touchpoint):
            await asyncio.sleep(0.02)
        waits.append(time.perf_counter() - begun)
    return Figure("one touchpoint to its score, p99", quantiles(waits, n=100)[-1], "s", target="≤ 2 s")


async def _is_swept(client: httpx.AsyncClient, candidate: str, touchpoint: str) -> bool:
    """Whether the stored score (the one that lists are made of) is the one that counts the touchpoint."""
    stored = (await client.get("/v1/scores", params={"limit": 200})).json()
    live = (await client.get(f"/v1/candidates/{candidate}/score")).json()
    counted = any(each["touchpoint_id"] == touchpoint for each in live["contributions"])
    row = next((each for each in stored["data"] if each["candidate_id"] == candidate), None)
    return counted and row is not None and abs(row["value"] - live["value"]) < 0.01


def memory(stand: Stand) -> list[Figure]:
    """How much the API and the worker hold after all of this."""
    return [
        Figure("memory of the API process", stand.memory_mib("api"), "MiB", target="≤ 200 MiB"),
        Figure("memory of the worker process", stand.memory_mib("worker"), "MiB", target="≤ 250 MiB"),
    ]
