"""What a person says of pairs, and how pairs follow people through merges and back."""

from typing import Any

from app.kit.db import Database
from app.kit.ids import new_id
from tests.conftest import TenantFixture
from tests.merges.conftest import Desk


async def open_pair(desk: Desk, mail: str, *names: str) -> list[str]:
    """Make people of contradicting names who share an address: each pairs with those before."""
    return [
        (await desk.post("/v1/candidates", {"full_name": name, "email_addresses": [{"value": mail}]}, 201))["id"]
        for name in names
    ]


async def pairs(desk: Desk, status: str | None = None) -> list[Any]:
    return await desk.rows(f"/v1/dedup/pairs{f'?status={status}' if status else ''}")


def sides(pair: Any) -> set[str]:
    return {pair["left_id"], pair["right_id"]}


async def test_same_merges_and_different_is_remembered(desk: Desk) -> None:
    a, b = await open_pair(desk, f"x{new_id().hex}@example.com", "Akira Ito", "Beatrix Kiddo")
    [pair] = await pairs(desk, "open")
    path = f"/v1/dedup/pairs/{pair['id']}/decision"
    assert (await desk.post(f"/v1/dedup/pairs/{new_id()}/decision", {"decision": "same"}, 404))["code"] == "not_found"
    await desk.post(path, {"decision": "perhaps"}, 422)
    since = await desk.end()
    decided = await desk.post(path, {"decision": "different", "note": "Not the same."}, 200)
    assert (decided["status"], decided["note"], decided["merge_id"]) == ("different", "Not the same.", None)
    assert decided["decided_by"] is not None
    assert decided["decided_at"] is not None
    [told] = await desk.changes(since)
    assert (told["type"], told["id"]) == ("pair.decided", pair["id"])
    assert (await desk.merge(a, b, 409))["code"] == "marked_different"
    same = await desk.post(path, {"decision": "same"}, 200)
    assert same["status"] == "same"
    merge = await desk.get(f"/v1/merges/{same['merge_id']}")
    assert (merge["survivor_id"], merge["loser_id"], merge["by"]) == (a, b, "person")
    assert (await desk.post(path, {"decision": "same"}, 200))["merge_id"] == same["merge_id"]
    again = await desk.post(path, {"decision": "different"}, 200)
    assert again["status"] == "different"
    assert (await desk.get(f"/v1/merges/{same['merge_id']}"))["state"] == "undone"
    assert (await desk.read(b))["id"] == b


async def test_what_an_undo_and_a_detaching_say_is_a_pair_that_can_be_decided_otherwise(desk: Desk) -> None:
    a, b = await desk.person(), await desk.person()
    await desk.undo(await desk.merge(a, b))
    [pair] = await pairs(desk, "different")
    assert (sides(pair), pair["reason"], pair["decided_by"] is not None) == ({a, b}, "requested", True)
    await desk.undo(await desk.merge(a, b, override=True), remember=False)
    assert await pairs(desk) == [pair]
    record = {"external_ids": [{"source": "ats", "id": "1"}]}
    taken = (await desk.rows(f"/v1/candidates/{a}/records"))[0]["record_id"]
    await desk.post("/v1/candidates", {**record, "email_addresses": (await desk.read(a))["email_addresses"]}, 200)
    c = (await desk.post(f"/v1/candidates/{a}/records/{taken}/detach", None, 201))["id"]
    [other] = [each for each in await pairs(desk, "different") if sides(each) == {a, c}]
    same = await desk.post(f"/v1/dedup/pairs/{other['id']}/decision", {"decision": "same"}, 200)
    assert same["merge_id"] is not None


async def test_later_records_inherit_that_two_are_different(desk: Desk) -> None:
    a, b = await open_pair(desk, f"x{new_id().hex}@example.com", "Akira Ito", "Beatrix Kiddo")
    [pair] = await pairs(desk)
    await desk.post(f"/v1/dedup/pairs/{pair['id']}/decision", {"decision": "different"}, 200)
    c = await desk.person()
    await desk.merge(a, c)
    assert (await desk.merge(a, b, 409))["code"] == "marked_different"
    d = await desk.person()
    await desk.merge(d, b)
    assert (await desk.merge(d, a, 409))["code"] == "marked_different"


async def test_pairs_follow_the_survivor_collapse_and_come_back(desk: Desk) -> None:
    a, b, c = await open_pair(desk, f"x{new_id().hex}@example.com", "Akira Ito", "Beatrix Kiddo", "Carl Lumbly")
    before = await pairs(desk)
    assert len(before) == 3
    since = await desk.end()
    merge = await desk.merge(a, b)
    [still] = await pairs(desk, "open")
    assert sides(still) == {a, c}
    [own] = await pairs(desk, "same")
    assert sides(own) == {a, b}
    assert [each["id"] for each in await desk.changes(since) if each["type"] == "pair.decided"] == [own["id"]]
    await desk.undo(merge, remember=False)
    assert await pairs(desk) == before
    merge = await desk.merge(b, a)
    [still] = await pairs(desk, "open")
    assert sides(still) == {b, c}
    await desk.post(f"/v1/dedup/pairs/{still['id']}/decision", {"decision": "different", "note": "No."}, 200)
    await desk.undo(merge)
    assert {each["status"] for each in await pairs(desk)} == {"different"}, "it was said of both"
    for left, right in ((a, b), (a, c), (b, c)):
        assert (await desk.merge(left, right, 409))["code"] == "marked_different"


async def test_keys_follow_their_records(desk: Desk, database: Database, tenant: TenantFixture) -> None:
    a, b = await desk.person(), await desk.person()
    merge = await desk.merge(a, b)

    async def owners(table: str) -> set[str]:
        async with database.transaction(tenant.caller) as session:
            rows = await session.rows(f"select distinct candidate_id from {table}")  # noqa: S608 (our own names)
            wrong = f"""select 1 from {table} k join records r on r.id = k.record_id
                        where r.candidate_id <> k.candidate_id"""  # noqa: S608 (our own names)
            assert await session.rows(wrong) == []
        return {str(row.candidate_id) for row in rows}

    tables = ("record_keys", "match_features", "identifiers")
    assert [await owners(table) for table in tables] == [{a}] * 3
    await desk.undo(merge)
    assert [await owners(table) for table in tables] == [{a, b}] * 3


async def test_the_list_takes_several_states_and_leaves_out_who_is_deleted(desk: Desk) -> None:
    a, b, c = await open_pair(desk, f"x{new_id().hex}@example.com", "Akira Ito", "Beatrix Kiddo", "Carl Gauss")
    first, *_ = await pairs(desk)
    await desk.post(f"/v1/dedup/pairs/{first['id']}/decision", {"decision": "different"}, 200)
    assert len(await pairs(desk, "open&status=different")) == 3
    assert len(await pairs(desk, "open")) == 2
    await desk.ask("DELETE", f"/v1/candidates/{c}", status=204)
    [left] = await pairs(desk)
    assert sides(left) == {a, b}
    await desk.post(f"/v1/candidates/{c}/restore", {}, 200)
    assert len(await pairs(desk)) == 3
