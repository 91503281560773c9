"""kill -9 in the middle of the story: no row is lost, no mail goes out twice."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx

from app.kit.clock import now
from tests.factories.spreadsheets import spreadsheet
from tests.journeys.service import Service, Sink, eventually
from tests.journeys.test_story import finished, imported, thank_you

ROWS, DUPLICATES, BROKEN = 1_000, 50, 20
PEOPLE = ROWS - DUPLICATES - BROKEN
ENROLLED = 100
KILLS = 4


async def _enrol(client: httpx.AsyncClient) -> tuple[str, list[str]]:
    """Import people and enrol those with consent; return the sequence and who they are."""
    await imported(client, spreadsheet(200, duplicates=0, broken=0, seed=3))
    sequence = await thank_you(client)
    listed = (await client.get("/v1/candidates", params={"limit": 200})).json()["data"]
    asked = [{"candidate_id": each["id"], "channel": "email", "purpose": "talent_pool"} for each in listed]
    decisions = (await client.post("/v1/contact-decisions", json={"items": asked})).json()["data"]
    ids = [each["candidate_id"] for each in decisions if each["decision"] == "allow"][:ENROLLED]
    assert len(ids) == ENROLLED
    answer = await client.post(f"/v1/sequences/{sequence}/enrollments", json={"candidate_ids": ids})
    assert answer.status_code == 207
    return sequence, ids


async def _settled(client: httpx.AsyncClient, sequence: str) -> list[dict[str, Any]] | None:
    """Return the messages once none is on its way any more."""
    messages: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        more: dict[str, str] = {} if cursor is None else {"cursor": cursor}
        page = (await client.get("/v1/messages", params={"sequence_id": sequence, "limit": "200", **more})).json()
        messages += page["data"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    done = all(each["state"] in {"sent", "unknown", "refused", "failed", "dead"} for each in messages)
    return messages if done and len(messages) == ENROLLED else None


def _assert_nothing_twice(sink: Sink, messages: list[dict[str, Any]], kills: int, lanes: int = 10) -> None:
    received = Counter(str(mail["To"]) for mail in sink.mails)
    assert received
    assert max(received.values()) == 1
    states = Counter(each["state"] for each in messages)
    assert states["sent"] + states["unknown"] == ENROLLED
    assert states["unknown"] <= lanes * kills
    assert states["sent"] <= len(received) <= ENROLLED


async def test_a_killed_worker_loses_no_row_and_sends_nothing_twice(start: Callable[..., Service], sink: Sink) -> None:
    service = start()
    async with service.client() as client:
        file = spreadsheet(ROWS, duplicates=DUPLICATES, broken=BROKEN)
        form = {"source": "spreadsheet", "source_type": "past_applicant", "commit": "auto"}
        job = (await client.post("/v1/imports", files={"file": ("p.csv", file.cp932())}, data=form)).json()
        for _ in range(KILLS):
            await asyncio.sleep(0.7)
            service.kill("worker")
        assert (await finished(client, job["id"]))["state"] == "succeeded"
        counts = (await client.get(f"/v1/imports/{job['import_id']}")).json()["counts"]
        assert counts["invalid"] == BROKEN
        listed = (await client.get("/v1/candidates", params={"include": "total", "limit": 1})).json()
        assert listed["total"] == PEOPLE
        sequence, _ = await _enrol(client)
        for _ in range(KILLS):
            await asyncio.sleep(0.3)
            service.kill("worker")
        messages = await eventually(lambda: _settled(client, sequence), 90)
    _assert_nothing_twice(sink, messages, KILLS)


async def test_without_valkey_everything_goes_on(start: Callable[..., Service], sink: Sink) -> None:
    service = start()
    async with service.client() as client:
        sequence, _ = await _enrol(client)
        service.kill("valkey")
        made = (await client.post("/v1/candidates", json={"full_name": "試験 花子"})).json()
        service.kill("valkey")
        body = {
            "candidate_id": made["id"],
            "type": "email_replied",
            "occurred_at": now().isoformat(),
            "source": "x",
            "external_id": "1",
        }
        assert (await client.post("/v1/touchpoints", json=body)).status_code == 201

        async def swept() -> bool:
            rows = (await client.get("/v1/scores", params={"limit": 200})).json()["data"]
            return any(row["candidate_id"] == made["id"] and row["value"] > 0 for row in rows)

        await eventually(swept, 5)
        messages = await eventually(lambda: _settled(client, sequence), 60)
    _assert_nothing_twice(sink, messages, 0)


async def test_a_killed_api_keeps_what_it_acknowledged(start: Callable[..., Service]) -> None:
    service = start()
    acknowledged: set[str] = set()
    async with service.client() as client:

        async def write(number: int) -> None:
            body = {"full_name": f"書込 {number}郎", "external_ids": [{"source": "ats", "id": str(number)}]}
            for _ in range(200):
                try:
                    answer = await client.post(
                        "/v1/candidates", json=body, headers={"Idempotency-Key": f"write-{number}"}
                    )
                except httpx.TransportError:
                    await asyncio.sleep(0.05)
                    continue
                if answer.status_code in {200, 201}:
                    acknowledged.add(answer.json()["id"])
                    return
                await asyncio.sleep(0.05)

        async def kill() -> None:
            for _ in range(KILLS):
                await asyncio.sleep(0.6)
                service.kill("api")

        async def write_all(worker: int) -> None:
            for number in range(worker, 200, 8):
                await write(number)

        await asyncio.gather(kill(), *(write_all(worker) for worker in range(8)))
        await asyncio.sleep(1.5)
        service.wait_ready()
        listed = (await client.get("/v1/candidates", params={"include": "total", "limit": 1})).json()
        assert len(acknowledged) == 200
        assert listed["total"] == 200
        for candidate in acknowledged:
            assert (await client.get(f"/v1/candidates/{candidate}")).status_code == 200
