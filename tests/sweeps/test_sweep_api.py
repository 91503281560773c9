"""A sweep: what the doors had to leave open becomes one person or a question."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from app.kit import due, jobs
from app.kit.db import Database

Work = Callable[[], Awaitable[None]]

TARO = {"full_name": "山田 太郎", "full_name_kana": "ヤマダ タロウ", "email_addresses": [{"value": "taro@example.jp"}]}


@pytest.fixture
def work(database: Database) -> Work:
    """Do what a worker would: all jobs, and all that is due."""

    async def run() -> None:
        await jobs.run_jobs(database)
        await due.run_until_quiet(database)

    return run


async def create(api: httpx.AsyncClient, **body: Any) -> str:
    answer = await api.post("/v1/candidates", json={"on_match": "create", **body})
    assert answer.json()["match"]["pairs"] == []
    made: str = answer.json()["id"]
    return made


async def sweep(api: httpx.AsyncClient, work: Work) -> dict[str, int]:
    started = await api.post("/v1/dedup/sweeps", json={})
    assert (started.status_code, started.json()["kind"]) == (202, "sweep")
    await work()
    job = (await api.get(started.headers["Location"])).json()
    assert (job["state"], job["error"]) == ("succeeded", None)
    counts: dict[str, int] = job["counts"]
    return counts


async def test_a_sweep_merges_who_is_the_same_and_asks_about_the_rest(api: httpx.AsyncClient, work: Work) -> None:
    one = await create(api, **TARO)
    two = await create(api, **{**TARO, "full_name": "山田太郎"})
    three = await create(api, full_name="Yamada Taro", email_addresses=[{"value": "taro@example.jp"}])
    sister = await create(api, full_name="山田 花子", email_addresses=[{"value": "taro@example.jp"}])
    namesake = await create(api, full_name="山田 太郎")
    counts = await sweep(api, work)
    assert (counts["merged"], counts["linked"], counts["opened"]) == (2, 3, 1)
    merges = (await api.get("/v1/merges")).json()["data"]
    assert {(each["survivor_id"], each["by"], each["state"]) for each in merges} == {(one, "model", "done")}
    assert {each["loser_id"] for each in merges} == {two, three}
    read = (await api.get(f"/v1/candidates/{three}")).json()
    assert (read["id"], sorted(read["merged_ids"])) == (one, sorted([two, three]))
    [pair] = (await api.get("/v1/dedup/pairs?status=open")).json()["data"]
    assert ({pair["left_id"], pair["right_id"]}, pair["reason"]) == ({one, sister}, "contradiction")
    assert (await api.get(f"/v1/candidates/{namesake}")).json()["merged_ids"] == []
    assert {**await sweep(api, work), "compared": 0} == {"compared": 0, "merged": 0, "linked": 0, "opened": 0}


async def test_what_a_person_has_called_different_stays_apart(api: httpx.AsyncClient, work: Work) -> None:
    await api.post("/v1/candidates", json=TARO)
    other = (await api.post("/v1/candidates", json={**TARO, "on_match": "review"})).json()
    [pair] = other["match"]["pairs"]
    decided = await api.post(f"/v1/dedup/pairs/{pair['pair_id']}/decision", json={"decision": "different"})
    assert decided.status_code == 200
    counts = await sweep(api, work)
    assert (counts["merged"], counts["opened"]) == (0, 0)


async def test_where_nothing_is_automatic_a_sweep_only_asks(api: httpx.AsyncClient, work: Work) -> None:
    assert (await api.put("/v1/dedup/policy", json={"automatic": False})).status_code == 200
    one, two = await create(api, **TARO), await create(api, **TARO)
    counts = await sweep(api, work)
    assert (counts["merged"], counts["opened"]) == (0, 1)
    [pair] = (await api.get("/v1/dedup/pairs?status=open")).json()["data"]
    assert {pair["left_id"], pair["right_id"]} == {one, two}


async def test_a_link_falls_when_what_it_rested_on_turns_out_to_be_everybodys(
    api: httpx.AsyncClient, work: Work
) -> None:
    mail = {"email_addresses": [{"value": "family@example.jp"}]}
    one = (await api.post("/v1/candidates", json={"full_name": "山田 太郎", **mail})).json()
    linked = (await api.post("/v1/candidates", json={"full_name": "山田太郎", "headline": "営業", **mail})).json()
    assert (linked["id"], linked["match"]["outcome"]) == (one["id"], "linked")
    for name in ("鈴木 花子", "Peter Smith", "佐藤 一郎"):
        await api.post("/v1/candidates", json={"full_name": name, **mail})
    await work()
    assert (await api.get(f"/v1/candidates/{one['id']}")).json()["headline"] is None
    [pair] = [each for each in (await api.get("/v1/dedup/pairs")).json()["data"] if each["reason"] == "generic"]
    assert one["id"] in (pair["left_id"], pair["right_id"])
    verdicts = {row["feature"]: row["verdict"] for row in pair["evidence"]}
    assert (verdicts["name"], verdicts["email"]) == ("agree", "generic")
