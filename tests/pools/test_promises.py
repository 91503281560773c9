"""What a recruiter relies on: nobody is listed as free to contact who is not, one holds a person, lists keep up."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.kit.db import Database
from app.kit.ids import new_id
from tests.pools.conftest import Recruiter, ago
from tests.scale import scaled
from workers.main import Drains

EVERYBODY: dict[str, Any] = {"all": []}
FACTS = st.lists(
    st.sampled_from(
        ["granted", "withdrawn", "expired", "suppressed", "rejected", "applied", "leased", "mailed", "hidden", "events"]
    ),
    max_size=4,
    unique=True,
)


class Life:
    """Lets things happen to a person, through the API."""

    def __init__(self, recruiter: Recruiter) -> None:
        self.recruiter = recruiter
        self.api = recruiter.api

    async def consent(self, person: str, status: str = "granted", **fields: Any) -> None:
        said = {"purpose": "recruiting", "channel": "email", "status": status, "basis": "consent", **fields}
        await self.recruiter.post(f"/v1/candidates/{person}/consents", {"obtained_at": ago(days=1), **said})

    async def happen(self, fact: str, person: str, address: str, pool: str) -> None:
        match fact:
            case "granted":
                await self.consent(person)
            case "withdrawn":
                await self.consent(person, "withdrawn", obtained_at=ago(minutes=1))
            case "expired":
                await self.consent(person, expires_at=ago(minutes=5), obtained_at=ago(days=3))
            case "events":
                await self.consent(person, purpose="events")
            case "suppressed":
                await self.recruiter.post(
                    "/v1/suppressions", {"channel": "email", "value": address, "reason": "manual"}
                )
            case "leased":
                lease = f"/v1/pools/{pool}/approach-list/{person}/lease"
                await self.api.put(lease, json={"expires_at": (datetime.now(UTC) + timedelta(hours=1)).isoformat()})
            case "mailed":
                await self.recruiter.touch(person, "email_sent", occurred_at=ago(minutes=3))
            case "hidden":
                await self.api.delete(f"/v1/candidates/{person}")
            case _:
                await self.recruiter.touch(person, fact, occurred_at=ago(minutes=5))


@pytest.mark.more
@settings(
    max_examples=scaled(12, 100),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(lives=st.lists(FACTS, min_size=1, max_size=3), cap=st.booleans())
async def test_nobody_is_listed_as_free_whom_the_gate_denies(
    recruiter: Recruiter, lives: list[list[str]], cap: bool
) -> None:
    api, life = recruiter.api, Life(recruiter)
    limit = {"email": {"max": 1, "days": 7}} if cap else {"email": None}
    assert (await api.patch("/v1/tenant", json={"frequency_caps": limit})).status_code == 200
    names = [f"P{new_id()}" for _ in lives]
    people = [await recruiter.person(name) for name in names]
    pool = await recruiter.pool(f"p{new_id()}", EVERYBODY)
    for name, person, facts in zip(names, people, lives, strict=True):
        for fact in sorted(facts, key=lambda each: each == "hidden"):  # nothing happens to whom nobody finds
            await life.happen(fact, person, f"{name.lower()}@example.com", pool)
    rows = (await api.get(f"/v1/pools/{pool}/approach-list", params={"limit": 200})).json()["data"]
    free = {each["candidate_id"] for each in rows if each["contact"]["decision"] == "allow"}
    asked = [{"candidate_id": each["candidate_id"], "channel": "email", "purpose": "recruiting"} for each in rows]
    told = (await api.post("/v1/contact-decisions", json={"items": asked})).json()["data"]
    allowed = {each["candidate_id"] for each in told if each.get("decision") == "allow"}
    assert free == allowed
    only = (await api.get(f"/v1/pools/{pool}/approach-list", params={"limit": 200, "decision": "allow"})).json()["data"]
    assert {each["candidate_id"] for each in only} == allowed


@pytest.mark.more
async def test_of_two_who_ask_for_a_lease_at_once_one_gets_it(recruiter: Recruiter) -> None:
    api = recruiter.api
    people = [await recruiter.person(f"Ada{number}") for number in range(scaled(5, 100))]
    pool = await recruiter.pool("all", EVERYBODY)
    until = {"expires_at": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}

    async def ask(person: str, name: str) -> int:
        path = f"/v1/pools/{pool}/approach-list/{person}/lease"
        return (await api.put(path, json=until, headers={"Act-As-User": name})).status_code

    for person in people:
        answers = await asyncio.gather(*(ask(person, name) for name in ("aiko", "ben", "chie")))
        assert sorted(answers) == [200, 409, 409]


@pytest.fixture
async def worker(database: Database) -> AsyncIterator[None]:
    """The drains as a worker runs them, woken by nobody."""
    task = asyncio.create_task(Drains(database).run())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def seconds_until(holds: Callable[[], Awaitable[bool]]) -> float:
    begun = time.monotonic()
    while not await holds():
        assert time.monotonic() - begun < 20
        await asyncio.sleep(0.05)
    return time.monotonic() - begun


@pytest.mark.usefixtures("worker")
async def test_membership_follows_a_change_within_two_seconds(api: httpx.AsyncClient, recruiter: Recruiter) -> None:
    tagged = {"field": "tags", "op": "has", "value": "vip"}
    pool = (await recruiter.post("/v1/pools", {"key": "vip", "name": "VIP", "criteria": tagged}))["id"]

    async def inside() -> bool:
        return bool((await api.get(f"/v1/pools/{pool}/members")).json()["data"])

    ada = await recruiter.person("Ada", tags=["vip"])
    took = [await seconds_until(inside)]
    await api.patch(f"/v1/candidates/{ada}", json={"tags": {"remove": ["vip"]}})

    async def outside() -> bool:
        return not await inside()

    took.append(await seconds_until(outside))
    assert max(took) <= 2.0, took


@pytest.mark.usefixtures("worker")
async def test_membership_follows_the_decay_of_a_score_by_itself(api: httpx.AsyncClient, recruiter: Recruiter) -> None:
    ada = await recruiter.person("Ada")
    await recruiter.touch(ada, "event_attended")
    score = (await api.get(f"/v1/candidates/{ada}/score")).json()
    ends = datetime.fromisoformat(score["as_of"]) + timedelta(seconds=3)
    least = score["value"] * 2 ** -(3 / (30 * 86_400))
    above = {"field": "score.value", "op": "gte", "value": least}
    pool = (await recruiter.post("/v1/pools", {"key": "above", "name": "Above", "criteria": above}))["id"]

    async def is_inside(wanted: bool) -> bool:
        return bool((await api.get(f"/v1/pools/{pool}/members")).json()["data"]) is wanted

    await seconds_until(lambda: is_inside(wanted=True))
    assert datetime.now(UTC) < ends
    await seconds_until(lambda: is_inside(wanted=False))
    late = (datetime.now(UTC) - ends).total_seconds()
    assert 0 <= late <= 2.0
