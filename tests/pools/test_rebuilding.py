"""A criterion changed over many people: a job with progress, the old members until it is done, then the new ones."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from app.kit import caller, jobs
from app.kit.db import Database
from app.pools import membership, rebuilding
from tests.pools.conftest import Recruiter

A = {"field": "tags", "op": "has", "value": "a"}
B = {"field": "tags", "op": "has", "value": "b"}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five people are many, and two a chunk."""
    monkeypatch.setattr(rebuilding, "MANY", 4)
    monkeypatch.setattr(rebuilding, "CHUNK", 2)
    monkeypatch.setattr(membership, "CHUNK", 2)


@pytest.fixture
async def people(recruiter: Recruiter) -> dict[str, str]:
    tags = {"Ada": ["a"], "Bob": ["a", "b"], "Cyd": ["b"], "Dan": ["b"], "Eve": [], "Fay": []}
    return {name: await recruiter.person(name, tags=given) for name, given in tags.items()}


async def inside(api: httpx.AsyncClient, pool: str) -> set[str]:
    return {each["candidate_id"] for each in (await api.get(f"/v1/pools/{pool}/members")).json()["data"]}


async def told(api: httpx.AsyncClient) -> list[tuple[str, str]]:
    changes = (await api.get("/v1/changes", params={"limit": 200})).json()["data"]
    return sorted((each["type"], each["id"]) for each in changes if each["type"].startswith("pool."))


async def test_the_old_members_are_served_until_the_job_is_done(
    api: httpx.AsyncClient, recruiter: Recruiter, people: dict[str, str], database: Database
) -> None:
    pool = await recruiter.pool("tagged", A)
    await jobs.run_jobs(database)
    assert await inside(api, pool) == {people["Ada"], people["Bob"]}
    changed = (await api.patch(f"/v1/pools/{pool}", json={"criteria": B})).json()
    job = f"/v1/jobs/{changed['rebuild_job_id']}"
    await recruiter.drain()
    assert (await api.get(job)).json()["state"] == "queued"
    assert await inside(api, pool) == {people["Ada"], people["Bob"]}
    await jobs.run_jobs(database)
    done = (await api.get(job)).json()
    assert (done["kind"], done["state"], done["error"]) == ("pool.rebuild", "succeeded", None)
    assert (done["progress"], done["counts"]) == ({"done": 6, "total": 6}, {"added": 2, "removed": 1})
    assert await inside(api, pool) == {people[name] for name in ("Bob", "Cyd", "Dan")}
    assert (await api.get(f"/v1/pools/{pool}")).json()["rebuild_job_id"] is None
    came = [("pool.member_added", people[name]) for name in ("Ada", "Bob", "Cyd", "Dan")]
    assert await told(api) == sorted([*came, ("pool.member_removed", people["Ada"])])
    assert (await api.patch(f"/v1/pools/{pool}", json={**changed, "required_fields": {}})).status_code == 200


async def test_who_changes_meanwhile_is_as_they_are_now(
    api: httpx.AsyncClient,
    recruiter: Recruiter,
    people: dict[str, str],
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Everybody is judged; then one loses what is asked, one gains it, one is deleted, one is decided by hand."""
    pool = await recruiter.pool("tagged", A)
    await jobs.run_jobs(database)
    await api.patch(f"/v1/pools/{pool}", json={"criteria": B})
    exchange = rebuilding._exchange

    async def interrupted(*_: Any) -> dict[str, Any]:
        monkeypatch.setattr(rebuilding, "_exchange", exchange)
        raise ConnectionError

    monkeypatch.setattr(rebuilding, "_exchange", interrupted)
    await jobs.run_jobs(database)
    await api.patch(f"/v1/candidates/{people['Cyd']}", json={"tags": {"remove": ["b"]}})
    await api.patch(f"/v1/candidates/{people['Eve']}", json={"tags": {"add": ["b"]}})
    await api.delete(f"/v1/candidates/{people['Dan']}")
    await recruiter.drain()
    await api.put(f"/v1/pools/{pool}/members/{people['Fay']}", json={"membership": "include"})
    assert await inside(api, pool) >= {people["Eve"], people["Fay"]}
    await again(database, recruiter)
    assert await inside(api, pool) == {people[name] for name in ("Bob", "Eve", "Fay")}


async def again(database: Database, recruiter: Recruiter) -> None:
    """Let the pause after a failed attempt be over, and run the job on from where it was."""
    tenant = UUID((await recruiter.api.get("/v1/me")).json()["tenant_id"])
    async with database.transaction(caller.system(tenant, "test")) as session:
        await session.run("update jobs set lease_until = now() - interval '1 second' where state = 'running'")
    await jobs.run_jobs(database)


async def test_the_last_criteria_win_and_an_ended_pool_is_emptied(
    api: httpx.AsyncClient, recruiter: Recruiter, people: dict[str, str], database: Database
) -> None:
    pool = await recruiter.pool("tagged", A)
    first = (await api.get(f"/v1/pools/{pool}")).json()["rebuild_job_id"]
    last = (await api.patch(f"/v1/pools/{pool}", json={"criteria": B})).json()["rebuild_job_id"]
    await jobs.run_jobs(database)
    await jobs.run_jobs(database)
    states = [(await api.get(f"/v1/jobs/{each}")).json()["state"] for each in (first, last)]
    assert states == ["cancelled", "succeeded"]
    assert await inside(api, pool) == {people[name] for name in ("Bob", "Cyd", "Dan")}
    await api.delete(f"/v1/pools/{pool}")
    await jobs.run_jobs(database)
    changes = await told(api)
    came, left = ({who for kind, who in changes if kind == f"pool.member_{change}"} for change in ("added", "removed"))
    assert came == left >= {people[name] for name in ("Bob", "Cyd", "Dan")}
    listed = await api.get("/v1/candidates", params={"pool_id": pool})
    assert listed.json()["data"] == []


async def test_a_pool_that_names_a_large_one_follows_it(
    api: httpx.AsyncClient, recruiter: Recruiter, people: dict[str, str], database: Database
) -> None:
    first = await recruiter.pool("first", A)
    second = await recruiter.pool("second", {"not": [{"field": "pool", "op": "has", "value": "first"}]})
    for _ in range(4):
        await jobs.run_jobs(database)
        await recruiter.drain()
    assert await inside(api, first) == {people["Ada"], people["Bob"]}
    assert await inside(api, second) == {people[name] for name in ("Cyd", "Dan", "Eve", "Fay")}
