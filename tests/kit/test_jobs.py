"""Jobs: progress, cancel, failure, and going on after a crash."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.kit import jobs
from app.kit.db import Database
from app.kit.errors import Invalid
from app.kit.jobs import Claim
from tests.conftest import TenantFixture

KIND = "test.job"


class Crash(BaseException):
    """Stands for kill -9: nothing catches it."""


@pytest.fixture
def steps() -> Iterator[list[int]]:
    """The chunks that the job of the test has done; it does five, and crashes in `CRASH_AT`."""
    done: list[int] = []

    async def handler(claim: Claim) -> Mapping[str, Any]:
        start = int((claim.cursor or {}).get("next", 0))
        for chunk in range(start, 5):
            async with claim.step() as session:
                if claim.arguments.get("refuse"):
                    raise Invalid
                if chunk in CRASH_AT:
                    CRASH_AT.remove(chunk)
                    raise Crash
                await claim.progress(
                    session, chunk + 1, total=5, counts={"done": chunk + 1}, cursor={"next": chunk + 1}
                )
            done.append(chunk)
        return {"chunks": len(done)}

    jobs.job(KIND)(handler)
    yield done
    jobs._handlers.pop(KIND)
    CRASH_AT.clear()


CRASH_AT: set[int] = set()


async def _start(database: Database, tenant: TenantFixture, **arguments: Any) -> UUID:
    async with database.transaction(tenant.caller) as session:
        return await jobs.start(session, KIND, "imports:read", arguments)


async def test_a_job_runs_and_tells_its_progress(
    api: httpx.AsyncClient, database: Database, tenant: TenantFixture, steps: list[int]
) -> None:
    job_id = await _start(database, tenant)
    assert (await api.get(f"/v1/jobs/{job_id}")).json()["state"] == "queued"
    await jobs.run_jobs(database)
    job = (await api.get(f"/v1/jobs/{job_id}")).json()
    assert (job["state"], job["progress"], job["counts"]) == ("succeeded", {"done": 5, "total": 5}, {"done": 5})
    assert (job["result"], job["error"], steps) == ({"chunks": 5}, None, [0, 1, 2, 3, 4])


async def test_a_crashed_job_goes_on_where_it_was(
    api: httpx.AsyncClient, database: Database, tenant: TenantFixture, steps: list[int]
) -> None:
    CRASH_AT.add(3)
    job_id = await _start(database, tenant)
    with pytest.raises(Crash):
        await jobs.run_jobs(database)
    async with database.transaction(tenant.caller) as session:
        await session.run("update jobs set lease_until = now() - interval '1 second' where id = :id", id=job_id)
    await jobs.run_jobs(database)
    assert (await api.get(f"/v1/jobs/{job_id}")).json()["state"] == "succeeded"
    assert steps == [0, 1, 2, 3, 4]


async def test_a_refused_job_fails_with_its_problem(
    api: httpx.AsyncClient, database: Database, tenant: TenantFixture, steps: list[int]
) -> None:
    job_id = await _start(database, tenant, refuse=True)
    await jobs.run_jobs(database)
    job = (await api.get(f"/v1/jobs/{job_id}")).json()
    assert (job["state"], job["error"]["code"], job["error"]["status"], steps) == ("failed", "invalid", 422, [])


async def test_a_queued_job_is_cancelled_at_once_and_a_finished_one_cannot_be(
    api: httpx.AsyncClient, database: Database, tenant: TenantFixture, steps: list[int]
) -> None:
    job_id = await _start(database, tenant)
    cancelled = await api.post(f"/v1/jobs/{job_id}/cancel")
    assert (cancelled.status_code, cancelled.json()["state"]) == (202, "cancelled")
    await jobs.run_jobs(database)
    assert steps == []
    again = await api.post(f"/v1/jobs/{job_id}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "job_finished")


async def test_the_stream_ends_with_the_job(
    api: httpx.AsyncClient, database: Database, tenant: TenantFixture, steps: list[int]
) -> None:
    job_id = await _start(database, tenant)
    await jobs.run_jobs(database)
    stream = await api.get(f"/v1/jobs/{job_id}/stream")
    assert stream.headers["Content-Type"].startswith("text/event-stream")
    assert stream.text.startswith("event: job\ndata: ")
    assert len(steps) == 5
