"""Batches: each item by itself, in order, in a bounded number of statements."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from app.kit.db import Database, count_statements
from tests.conftest import TenantFixture

URL = "/v1/candidates/batch-upsert"
MOST_OF_ONE = 20
MOST_OF_A_BATCH = 24


def person(number: int) -> dict[str, Any]:
    return {
        "full_name": f"山田 太郎{number}",
        "email_addresses": [{"value": f"p{number}@example.jp"}],
        "external_ids": [{"source": "ats", "id": str(number)}],
        "client_ref": f"row {number}",
    }


async def test_text_that_cannot_be_kept_fails_its_item_alone(api: httpx.AsyncClient) -> None:
    items = rb"""[{"full_name": "a\u0000", "client_ref": "x"}, {"full_name": "b"}, {"tags": ["\ud800"]}, "\u0000"]"""
    answer = await api.post(URL, content=b'{"items": ' + items + b"}", headers={"Content-Type": "application/json"})
    rows = answer.json()["items"]
    assert [row["status"] for row in rows] == [422, 201, 422, 422]
    assert [error["pointer"] for row in rows for error in row["errors"]] == [
        "/items/0/full_name", "/items/2/tags/0", "/items/3",
    ]  # fmt: skip
    assert rows[0]["client_ref"] == "x"
    spoilt = await api.post(URL, content=rb'{"items": [], "\u0000": 1}', headers={"Content-Type": "application/json"})
    assert spoilt.status_code == 422


async def test_each_item_has_its_own_outcome(api: httpx.AsyncClient) -> None:
    await api.put("/v1/candidates/by-external-id/ats/1", json={"full_name": "甲"})
    await api.put("/v1/candidates/by-external-id/ats/2", json={"full_name": "乙"})
    both = {"external_ids": [{"source": "ats", "id": "1"}, {"source": "ats", "id": "2"}]}
    mail = {"email_addresses": [{"value": "a@example.jp"}]}
    items: list[Any] = [
        {"full_name": "山田 太郎", **mail, "client_ref": "first"},
        {"full_name": "山田太郎", **mail},
        {"full_name": "鈴木 花子", **mail},
        {"external_ids": [{"source": "ats", "id": "1"}], "headline": "x"},
        {"external_ids": [{"source": "ats", "id": "1"}], "headline": "x"},
        {**both, "client_ref": "two"},
        {"tags": ["nobody"]},
        {"full_name": "x", "birth_date": "tomorrow"},
        "nonsense",
        {"full_name": "x", "on_match": "create"},
    ]
    answer = await api.post(URL, json={"items": items})
    found = answer.json()
    assert answer.status_code == 207
    assert [(item["status"], item["outcome"]) for item in found["items"]] == [
        (201, "created"), (200, "linked"), (201, "review"), (200, "updated"), (200, "unchanged"),
        (409, "conflict"), (422, "invalid"), (422, "invalid"), (422, "invalid"), (201, "created"),
    ]  # fmt: skip
    assert found["counts"] == {
        "created": 2, "linked": 1, "review": 1, "updated": 1, "unchanged": 1, "conflict": 1, "invalid": 3,
    }  # fmt: skip
    rows = found["items"]
    assert [row["index"] for row in rows] == list(range(10))
    assert (rows[0]["client_ref"], rows[1]["client_ref"], rows[5]["client_ref"]) == ("first", None, "two")
    assert rows[0]["id"] == rows[1]["id"] == rows[2]["pairs"][0]["candidate_id"]
    assert (rows[3]["version"], rows[4]["version"], rows[6]["id"]) == (2, 2, None)
    assert [error["pointer"] for row in rows[5:9] for error in row["errors"]] == [
        "/items/5/external_ids", "/items/6", "/items/7/birth_date", "/items/8",
    ]  # fmt: skip
    pair = (await api.get(f"/v1/dedup/pairs/{rows[2]['pairs'][0]['pair_id']}")).json()
    assert {pair["left_id"], pair["right_id"]} == {rows[0]["id"], rows[2]["id"]}
    assert len((await api.get("/v1/candidates")).json()["data"]) == 5


async def test_a_batch_is_what_its_items_are_one_by_one(
    new_tenant: Callable[[], Awaitable[TenantFixture]], client_of: Callable[[str], httpx.AsyncClient]
) -> None:
    mail = [{"value": "a@example.jp"}]
    items: list[dict[str, Any]] = [
        {"full_name": "山田 太郎", "email_addresses": mail, "tags": ["a"]},
        {"full_name": "山田 花子", "email_addresses": mail, "birth_date": "1990-01-01"},
        {"email_addresses": mail},
        {
            "full_name": "山田 太郎",
            "email_addresses": mail,
            "external_ids": [{"source": "s", "id": "1"}],
            "tags": ["b"],
        },
        {"external_ids": [{"source": "s", "id": "1"}], "tags": ["c"], "full_name": None},
        {"full_name": "ヤマダ ハナコ", "birth_date": "1990-01-01"},
        {"full_name": "Sato Ken", "email_addresses": mail},
        {"full_name": "Peter Smith", "email_addresses": mail},
        {"full_name": "山田 花子", "birth_date": "1990-01-01", "on_match": "review"},
    ]
    together, alone = client_of((await new_tenant()).key), client_of((await new_tenant()).key)
    batch = (await together.post(URL, json={"items": items})).json()["items"]
    single = [(await alone.post("/v1/candidates", json=item)).json() for item in items]
    assert [item["outcome"] for item in batch] == [item["match"]["outcome"] for item in single]
    assert [len(item["pairs"]) for item in batch] == [len(item["match"]["pairs"]) for item in single]
    assert await people(together) == await people(alone)
    for client in (together, alone):
        assert (await client.get("/v1/dedup/pairs?limit=200")).json()["data"]
    assert await pairs(together) == await pairs(alone)


async def people(api: httpx.AsyncClient) -> list[dict[str, Any]]:
    own = {"id", "created_at", "updated_at", "provenance"}
    found = (await api.get("/v1/candidates?sort=created_at")).json()["data"]
    return [{name: value for name, value in each.items() if name not in own} for each in found]


async def pairs(api: httpx.AsyncClient) -> list[tuple[int, int, str, float]]:
    place = {each["id"]: at for at, each in enumerate((await api.get("/v1/candidates?sort=created_at")).json()["data"])}
    found = (await api.get("/v1/dedup/pairs?limit=200")).json()["data"]
    return sorted((place[each["left_id"]], place[each["right_id"]], each["reason"], each["weight"]) for each in found)


async def test_limits(api: httpx.AsyncClient) -> None:
    assert (await api.post(URL, json={"items": []})).json() == {"counts": {}, "items": []}
    assert (await api.post(URL, json=[])).status_code == 422
    many = await api.post(URL, json={"items": [{}] * 501})
    assert (many.status_code, many.json()["code"]) == (413, "too_many_items")


async def test_statements_are_few_and_do_not_grow(api: httpx.AsyncClient, database: Database) -> None:
    seen: list[str] = []
    await api.post(URL, json={"items": [person(number) for number in range(100, 110)]})
    stop = count_statements(database.engine, seen)
    try:
        made = await api.post(
            "/v1/candidates", json={"full_name": "甲", "email_addresses": [{"value": "x@example.jp"}]}
        )
        of_one = len(seen)
        seen.clear()
        batch = await api.post(URL, json={"items": [person(number) for number in range(100)]})
        of_hundred = len(seen)
        seen.clear()
        again = await api.post(URL, json={"items": [{**person(number), "headline": "x"} for number in range(100)]})
        of_updates = len(seen)
    finally:
        stop()
    assert (made.status_code, batch.json()["counts"], again.json()["counts"]) == (
        201,
        {"created": 100},
        {"updated": 100},
    )
    assert of_one <= MOST_OF_ONE, seen
    assert max(of_hundred, of_updates) <= MOST_OF_A_BATCH, seen
