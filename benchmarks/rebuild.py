"""A pool's criterion changed over everybody: a job that tells how far it is, and the old members until it is done."""

import asyncio
import time
from typing import Any, Final

import httpx

from app.kit.ids import new_id
from benchmarks.report import Figure
from benchmarks.stand import Stand

BEFORE: Final = {"field": "tags", "op": "has", "value": "tag-7"}
AFTER: Final = {"field": "tags", "op": "has", "value": "tag-8"}
PATIENCE_S: Final = 600
PAUSE_S: Final = 0.1


async def measure(place: Stand, people: int) -> list[Figure]:
    """Make a pool, change whom it is for, and look at it until the new members are served."""
    headers = {"Authorization": f"Bearer {place.key}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{place.port}/v1", headers=headers, timeout=60) as client:
        made = await client.post("/pools", json={"key": f"rebuilt-{new_id()}", "name": "Rebuilt", "criteria": BEFORE})
        pool = made.raise_for_status().json()
        await _until_done(client, pool)
        old = await _members(client, pool)
        begun = time.perf_counter()
        changed = await client.patch(f"/pools/{pool['id']}", json={"criteria": AFTER})
        answers, steps = await _until_done(client, changed.raise_for_status().json(), old)
        seconds = time.perf_counter() - begun
        assert await _members(client, pool) != old
        await client.delete(f"/pools/{pool['id']}")
    slowest = sorted(answers)[min(len(answers) - 1, int(len(answers) * 0.99))] * 1000
    return [
        Figure(f"a criterion changed over {people:,} people, told in {steps} steps", seconds, "s"),
        Figure("its old members meanwhile, p99", slowest, "ms", target="≤ 100 ms"),
    ]


async def _until_done(
    client: httpx.AsyncClient, pool: dict[str, Any], old: list[str] | None = None
) -> tuple[list[float], int]:
    """Wait for the job; return how long the members took meanwhile (seconds), and how often its progress moved on."""
    answers, progress = [0.0], set[int]()
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        begun = time.perf_counter()
        served = await _members(client, pool)
        took = time.perf_counter() - begun
        job = (await client.get(f"/jobs/{pool['rebuild_job_id']}")).json()
        if job["state"] not in {"queued", "running"}:
            assert job["state"] == "succeeded", job
            return answers, len(progress)
        progress.add(job["progress"]["done"])
        if job["progress"]["done"] < (job["progress"]["total"] or 1):
            answers.append(took)
            assert old is None or served == old
        await asyncio.sleep(PAUSE_S)
    raise TimeoutError(pool["rebuild_job_id"])


async def _members(client: httpx.AsyncClient, pool: dict[str, Any]) -> list[str]:
    found = await client.get(f"/pools/{pool['id']}/members")
    return [each["candidate_id"] for each in found.json()["data"]]
