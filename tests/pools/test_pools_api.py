"""Pools, their members and what is decided by hand, over HTTP."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from app.kit.ids import new_id
from tests.conftest import TenantFixture
from tests.pools.conftest import Recruiter, ago

PYTHON = {"field": "skills.name", "op": "has", "value": "python"}
POOL = {"key": "backend", "name": "Backend", "criteria": PYTHON}


async def test_a_pool_is_made_read_changed_and_ended(api: httpx.AsyncClient, recruiter: Recruiter) -> None:
    made = await api.post("/v1/pools", json=POOL)
    assert made.status_code == 201
    path = made.headers["Location"]
    pool = made.json()
    assert {name: pool[name] for name in ("score_model", "threshold", "channel", "purpose", "owner")} == {
        "score_model": "default",
        "threshold": None,
        "channel": "email",
        "purpose": "recruiting",
        "owner": None,
    }
    assert (await api.get(path)).json() == pool
    changed = await api.patch(path, json={"threshold": 20, "version": 7}, headers={"If-Match": '"v1"'})
    assert (changed.status_code, changed.headers["ETag"], changed.json()["threshold"]) == (200, '"v2"', 20.0)
    stale = await api.patch(path, json={"name": "x"}, headers={"If-Match": '"v1"'})
    assert stale.status_code == 412
    assert (await api.patch(path, json={"threshold": None})).json()["threshold"] is None
    assert (await api.patch(path, json={"required_fields": {"add": ["birth_date"]}})).json()["required_fields"] == [
        "birth_date"
    ]
    assert (await api.post("/v1/pools", json=POOL)).json()["code"] == "key_taken"
    assert [each["id"] for each in (await api.get("/v1/pools")).json()["data"]] == [pool["id"]]
    assert (await api.delete(path)).status_code == 204
    assert (await api.delete(path)).status_code == 404
    assert (await api.get(path)).status_code == 404
    await recruiter.drain()
    assert (await api.post("/v1/pools", json=POOL)).status_code == 201


@pytest.mark.parametrize(
    ("change", "status", "code", "pointer"),
    [
        ({"criteria": {"field": "shoes", "op": "eq", "value": 1}}, 422, "criteria_invalid", "/criteria/field"),
        ({"criteria": {"all": [{**PYTHON, "op": "gt"}]}}, 422, "criteria_invalid", "/criteria/all/0/op"),
        ({"criteria": []}, 422, "invalid", "/criteria"),
        ({"required_fields": ["shoes"]}, 422, "criteria_invalid", "/required_fields/0"),
        ({"score_model": "nobody"}, 404, "not_found", "/score_model"),
        ({"criteria": {"field": "pool", "op": "has", "value": "none"}}, 404, "not_found", "/criteria/value"),
        ({"criteria": {"field": "pool", "op": "has", "value": "backend"}}, 422, "criteria_cycle", "/criteria"),
        ({"channel": "pigeon"}, 422, "invalid", "/channel"),
        ({"surprise": 1}, 422, "invalid", "/surprise"),
    ],
)
async def test_what_a_pool_refuses(api: httpx.AsyncClient, change: Any, status: int, code: str, pointer: str) -> None:
    answer = await api.post("/v1/pools", json={**POOL, **change})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]


async def test_scope_comes_before_existence_and_existence_before_the_body(
    api: httpx.AsyncClient, client_of: Callable[[str], httpx.AsyncClient]
) -> None:
    key = (await api.post("/v1/api-keys", json={"name": "r", "scopes": ["pools:read"]})).json()["key"]
    reader = client_of(key)
    assert (await reader.get("/v1/pools")).status_code == 200
    assert (await reader.patch(f"/v1/pools/{new_id()}", json={})).status_code == 403
    assert (await api.patch(f"/v1/pools/{new_id()}", json={"surprise": 1})).status_code == 404
    assert (await api.get("/v1/pools/x/members")).status_code == 404


async def test_members_come_and_go_with_what_is_known(api: httpx.AsyncClient, recruiter: Recruiter) -> None:
    ada = await recruiter.person("Ada", skills=[{"name": "Python", "years": 5}])
    bob = await recruiter.person("Bob", skills=[{"name": "Go"}])
    pool = await recruiter.pool("python", PYTHON, required_fields=["birth_date", "email_addresses.value"])
    assert await recruiter.members(pool) == {ada}
    [member] = (await api.get(f"/v1/pools/{pool}/members")).json()["data"]
    assert member["by"] == "criteria"
    assert member["why"] == [{"criterion": PYTHON, "holds": True}]
    assert member["missing"] == ["birth_date"]
    await api.patch(f"/v1/candidates/{bob}", json={"skills": {"add": [{"name": "Ｐｙｔｈｏｎ"}]}})
    await api.patch(f"/v1/candidates/{ada}", json={"skills": {"remove": ["Python"]}})
    assert await recruiter.members(pool) == {bob}
    changes = (await api.get("/v1/changes", params={"limit": 200})).json()["data"]
    told = [(each["type"], each["id"]) for each in changes if each["type"].startswith("pool.")]
    assert told[0] == ("pool.member_added", ada)
    assert sorted(told[1:]) == [("pool.member_added", bob), ("pool.member_removed", ada)]
    assert all(each["data"] == {"pool_id": pool} for each in changes if each["type"].startswith("pool."))
    await api.delete(f"/v1/candidates/{bob}")
    assert await recruiter.members(pool) == set()
    listed = (await api.get("/v1/candidates", params={"pool_id": pool})).json()["data"]
    assert listed == []


async def test_members_are_explained_by_what_the_pool_asks_now(
    api: httpx.AsyncClient,
    recruiter: Recruiter,
    client_of: Callable[[str], httpx.AsyncClient],
    new_tenant: Callable[[], Awaitable[TenantFixture]],
) -> None:
    ada = await recruiter.person("Ada", tags=["vip"])
    vip = {"field": "tags", "op": "has", "value": "vip"}
    pool = await recruiter.pool("vip", vip)
    path = f"/v1/pools/{pool}/members"
    assert (await api.get(path)).json()["data"][0]["why"] == [{"criterion": vip, "holds": True}]
    assert (await client_of((await new_tenant()).key).get(path)).status_code == 404
    asked = {"criteria": {"not": [PYTHON]}, "required_fields": {"add": ["headline"]}}
    await api.patch(f"/v1/pools/{pool}", json=asked)
    [member] = (await api.get(path)).json()["data"]
    assert (member["candidate_id"], member["why"]) == (ada, [{"criterion": PYTHON, "holds": False}])
    assert member["missing"] == ["headline", "skills.name"]
    await api.delete(f"/v1/pools/{pool}")
    assert (await api.get(path)).status_code == 404


async def test_a_new_person_joins_without_being_asked(recruiter: Recruiter) -> None:
    pool = await recruiter.pool("tagged", {"field": "tags", "op": "has", "value": "vip"})
    person = await recruiter.person("Eve", tags=["VIP"])
    assert await recruiter.members(pool) == {person}


async def test_what_is_decided_by_hand_beats_the_criteria(api: httpx.AsyncClient, recruiter: Recruiter) -> None:
    ada = await recruiter.person("Ada", tags=["vip"])
    bob = await recruiter.person("Bob")
    pool = await recruiter.pool("vip", {"field": "tags", "op": "has", "value": "vip"})
    path = f"/v1/pools/{pool}/members"
    put = await api.put(f"{path}/{bob}", json={"membership": "include", "note": "met"})
    assert (put.status_code, put.json()["membership"]) == (200, "include")
    assert (await api.put(f"{path}/{ada}", json={"membership": "exclude"})).status_code == 200
    listed = (await api.get(path)).json()["data"]  # at once, without any drain
    assert [(each["candidate_id"], each["by"]) for each in listed] == [(bob, "hand")]
    await api.patch(f"/v1/pools/{pool}", json={"criteria": {"all": []}})
    assert await recruiter.members(pool) == {bob}
    assert (await api.delete(f"{path}/{bob}")).status_code == 204
    assert (await api.delete(f"{path}/{bob}")).status_code == 404
    assert await recruiter.members(pool) == {bob}
    assert [each["by"] for each in (await api.get(path)).json()["data"]] == ["criteria"]
    assert (await api.put(f"{path}/{new_id()}", json={"membership": "include"})).status_code == 404


async def test_pools_name_pools_and_follow_each_other(api: httpx.AsyncClient, recruiter: Recruiter) -> None:
    ada = await recruiter.person("Ada", tags=["a"])
    bob = await recruiter.person("Bob", tags=["b"])
    first = await recruiter.pool("first", {"field": "tags", "op": "has", "value": "a"})
    second = await recruiter.pool("second", {"not": [{"field": "pool", "op": "has", "value": "first"}]})
    third = await recruiter.pool("third", {"field": "pool", "op": "has", "value": second})
    assert [await recruiter.members(each) for each in (first, second, third)] == [{ada}, {bob}, {bob}]
    await api.patch(f"/v1/candidates/{bob}", json={"tags": {"add": ["a"]}})
    assert [await recruiter.members(each) for each in (first, second, third)] == [{ada, bob}, set(), set()]
    await api.patch(f"/v1/pools/{first}", json={"criteria": {"any": []}})
    assert [await recruiter.members(each) for each in (first, second, third)] == [set(), {ada, bob}, {ada, bob}]
    cycle = await api.patch(f"/v1/pools/{first}", json={"criteria": {"field": "pool", "op": "has", "value": "third"}})
    assert (cycle.status_code, cycle.json()["code"]) == (422, "criteria_cycle")


async def test_who_names_a_pool_that_is_gone_can_still_be_renamed(api: httpx.AsyncClient, recruiter: Recruiter) -> None:
    tree = {"field": "pool", "op": "has", "value": "first"}
    first = await recruiter.pool("first", {"all": []})
    search = {"key": "s", "name": "S", "criteria": tree}
    position = {"name": "P", "criteria": tree}
    paths = [f"/v1/pools/{await recruiter.pool('second', tree)}"]
    for place, body in (("saved-searches", search), ("positions", position)):
        paths.append((await api.post(f"/v1/{place}", json=body)).headers["Location"])
    assert (await api.delete(f"/v1/pools/{first}")).status_code == 204
    for path in paths:
        assert (await api.patch(path, json={"name": "N", "criteria": tree})).json()["name"] == "N", path
        again = await api.patch(path, json={"criteria": {"any": [tree]}})
        assert (again.status_code, again.json()["errors"][0]["pointer"]) == (404, "/criteria/any/0/value")


async def test_attendance_scores_and_tiers_decide_too(recruiter: Recruiter) -> None:
    ada, bob = await recruiter.person("Ada"), await recruiter.person("Bob")
    visit = {"types": ["event_attended"], "topics_any": ["PYTHON"], "within_days": 30}
    visitors = await recruiter.pool("visitors", {"field": "touchpoints", "op": "has", "value": visit})
    warm = await recruiter.pool("warm", {"field": "score.tier", "op": "eq", "value": "warm"})
    above = await recruiter.pool("above", {"field": "score.value", "op": "gte", "value": 24})
    await recruiter.touch(ada, "event_attended", topics=["python"])
    await recruiter.touch(bob, "event_attended", topics=["python"], occurred_at=ago(days=31))
    assert await recruiter.members(visitors) == {ada}
    assert await recruiter.members(warm) == {ada}
    assert await recruiter.members(above) == {ada}


async def test_memberships_end_when_their_time_is_over(recruiter: Recruiter, database: Any, tenant: Any) -> None:
    ada = await recruiter.person("Ada")
    await recruiter.touch(ada, "call", occurred_at=ago(days=9))
    value = {"types": ["call"], "within_days": 10}
    pool = await recruiter.pool("lately", {"field": "touchpoints", "op": "has", "value": value})
    assert await recruiter.members(pool) == {ada}
    async with database.transaction(tenant.caller) as session:
        due = await session.row("select key, due_at - now() as away from due where kind = 'member'")
        assert str(due.key) == ada
        assert 23 < due.away.total_seconds() / 3600 < 25
        await session.run("update touchpoints set occurred_at = occurred_at - interval '25 hours'")
        await session.run("update due set due_at = now() where kind = 'member'")
    assert await recruiter.members(pool) == set()
