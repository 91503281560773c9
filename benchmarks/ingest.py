"""Touchpoints through the API, beside the bare inserts of the same rows."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from app.kit import json
from app.kit.ids import new_id
from benchmarks import load
from benchmarks.report import Figure
from benchmarks.stand import Stand

ONE_BY_ONE = 3_000
CONNECTIONS = 16
BATCHES, BATCH = 30, 1_000
START = datetime(2026, 1, 1, tzinfo=UTC)


async def single(stand: Stand, candidates: Sequence[str]) -> Figure:
    """`POST /v1/touchpoints`, one at a time, 16 connections."""
    bodies = [json.dumpb(_touchpoint(candidates, number)) for number in range(ONE_BY_ONE)]
    ours, bare = await _race(stand, "/v1/touchpoints", "/touchpoints", bodies, CONNECTIONS)
    return Figure("POST /v1/touchpoints, 16 connections", ours, "requests/s", bare, "≥ 0.6")


async def batch(stand: Stand, candidates: Sequence[str]) -> Figure:
    """`POST /v1/touchpoints/batch`, 1,000 a call, one connection."""
    bodies = [
        json.dumpb([_touchpoint(candidates, call * BATCH + number) for number in range(BATCH)])
        for call in range(BATCHES)
    ]
    ours, bare = await _race(stand, "/v1/touchpoints/batch", "/batch", bodies, 1)
    return Figure("POST /v1/touchpoints/batch, 1,000 a call", ours * BATCH, "rows/s", bare * BATCH, "≥ 0.5")


async def _race(stand: Stand, path: str, yardstick: str, bodies: list[bytes], connections: int) -> tuple[float, float]:
    """Run both, warmed up, one after the other; return requests per second of each."""
    headers = {"Authorization": f"Bearer {stand.key}", "Content-Type": "application/json"}
    bare = await speed(stand.yardstick_port, yardstick, bodies, connections, headers)
    return await speed(stand.port, path, bodies, connections, headers), bare


async def speed(port: int, path: str, bodies: list[bytes], connections: int, headers: dict[str, str]) -> float:
    """Return the requests per second of what was sent after the warm-up."""
    requests = [load.request(port, path, body, headers) for body in bodies]
    warm = max(1, len(requests) // 10)
    await load.run(port, requests[:warm], connections)
    measured = await load.run(port, requests[warm:], connections)
    assert all(status in {200, 201, 207} for status in measured.statuses), measured.statuses
    return measured.per_second


def _touchpoint(candidates: Sequence[str], number: int) -> dict[str, str]:
    moment = START + timedelta(seconds=number)
    return {
        "candidate_id": candidates[number % len(candidates)],
        "type": "page_viewed",
        "occurred_at": moment.isoformat(),
        "source": "bench",
        "external_id": str(new_id()),
    }
