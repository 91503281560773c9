"""Merging over HTTP: every status, what moves, what the feed says, and the way back."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from app.kit.ids import new_id
from tests.conftest import TenantFixture
from tests.merges.conftest import Desk

VOLATILE = {"version", "updated_at", "last_interaction_at"}


def lasting(candidate: Any) -> Any:
    return {name: value for name, value in candidate.items() if name not in VOLATILE}


async def test_a_merge_moves_everything_and_undo_restores_both(desk: Desk) -> None:
    left = await desk.person(headline="Engineer", tags=["a", "b"], external_ids=[{"source": "gh", "id": "1"}])
    right = await desk.person(headline="Backend", tags=["b", "c"], department="R&D")
    await desk.touch(candidate_id=right)
    await desk.consent(right)
    before = [lasting(await desk.read(each)) for each in (left, right)]
    since = await desk.end()
    merge = await desk.merge(left, right)
    assert (merge["survivor_id"], merge["loser_id"], merge["by"], merge["state"]) == (left, right, "person", "done")
    assert merge["undone_at"] is None
    assert merge["plan"]["moves"]["touchpoints"] == 1
    whole = await desk.read(left)
    assert whole["merged_ids"] == [right]
    assert whole["tags"] == ["a", "b", "c"]
    assert (whole["headline"], whole["department"]) == ("Backend", "R&D"), "the newest stands"
    assert len(whole["email_addresses"]) == 2
    answer = await desk.api.get(f"/v1/candidates/{right}")
    assert answer.headers["Content-Location"] == f"/v1/candidates/{left}"
    assert answer.json()["id"] == left
    assert len(await desk.rows(f"/v1/candidates/{right}/touchpoints")) == 1
    [told] = [each for each in await desk.changes(since) if each["resource"] == "candidate"]
    assert (told["type"], told["id"], told["version"]) == ("candidate.merged", left, whole["version"])
    assert told["data"] == {"survivor_id": left, "loser_id": right, "merge_id": merge["id"]}
    assert {"headline", "tags", "merged_ids"} <= set(told["changed_fields"])
    since = await desk.end()
    undone = await desk.undo(merge)
    assert (undone["state"], undone["conflicts"]) == ("undone", [])
    assert undone["undone_at"] is not None
    after = [await desk.read(each) for each in (left, right)]
    assert [lasting(each) for each in after] == before
    told = [each for each in await desk.changes(since) if each["type"] == "candidate.unmerged"]
    assert {(each["id"], each["version"]) for each in told} == {(each["id"], each["version"]) for each in after}
    assert all(each["data"]["merge_id"] == merge["id"] for each in told)
    assert len(await desk.rows(f"/v1/candidates/{right}/touchpoints")) == 1
    assert await desk.rows(f"/v1/candidates/{left}/touchpoints") == []


async def test_statuses_of_a_merge(desk: Desk) -> None:
    a, b, c = [await desk.person() for _ in range(3)]
    nobody = str(new_id())
    assert (await desk.merge(a, a, 422))["code"] == "itself"
    for survivor, loser, pointer in ((nobody, b, "/survivor_id"), (a, nobody, "/loser_id")):
        refused = await desk.merge(survivor, loser, 404)
        assert (refused["code"], refused["errors"][0]["pointer"]) == ("not_found", pointer)
    assert (await desk.merge(a, b, 422, fields={"tags": "survivor"}))["code"] == "invalid"
    assert (await desk.merge(a, b, 409, plan_hash="0" * 32))["code"] == "plan_stale"
    merge = await desk.merge(a, b)
    assert (await desk.merge(a, b, 409))["code"] == "already_merged"
    assert (await desk.merge(c, b, 409))["code"] == "already_merged"
    assert (await desk.merge(b, a, 409))["code"] == "already_merged"
    second = await desk.merge(b, c)
    assert second["survivor_id"] == a, "a merged survivor is their survivor"
    assert (await desk.undo(merge, 409))["code"] == "newer_merge"
    await desk.undo(second)
    await desk.undo(merge)
    assert (await desk.undo(merge, 409))["code"] == "already_undone"
    assert (await desk.post(f"/v1/merges/{nobody}/undo", None, 404))["code"] == "not_found"
    assert (await desk.merge(a, b, 409))["code"] == "marked_different"
    again = await desk.merge(a, b, override=True)
    await desk.undo(again, remember=False)
    assert (await desk.merge(a, b, 409))["code"] == "marked_different", "what the merge overruled stands again"
    await desk.ask("DELETE", f"/v1/candidates/{b}")
    assert (await desk.merge(a, b, 404, override=True))["code"] == "not_found"


async def test_an_undo_that_is_not_remembered_may_be_merged_again(desk: Desk) -> None:
    a, b = await desk.person(), await desk.person()
    await desk.undo(await desk.merge(a, b), remember=False)
    await desk.undo(await desk.merge(b, a), remember=True)
    assert (await desk.merge(a, b, 409))["code"] == "marked_different"


async def test_scopes(desk: Desk, client_of: Callable[[str], httpx.AsyncClient]) -> None:
    key = (await desk.post("/v1/api-keys", {"name": "r", "scopes": ["dedup:read"]}, 201))["key"]
    a, b = await desk.person(), await desk.person()
    who = {"survivor_id": a, "loser_id": b}
    reader = client_of(key)
    assert (await reader.post("/v1/merges/preview", json=who)).status_code == 200
    assert (await reader.get("/v1/merges")).status_code == 200
    assert (await reader.post("/v1/merges", json=who)).status_code == 403
    [record] = await desk.rows(f"/v1/candidates/{a}/records")
    path = f"/v1/candidates/{a}/records/{record['record_id']}/detach"
    assert (await reader.post(path)).status_code == 403


async def test_a_preview_says_what_the_merge_does_and_holds_it_to_that(desk: Desk) -> None:
    a = await desk.person(headline="Engineer", tags=["x"])
    b = await desk.person(headline="Backend", tags=["y"])
    await desk.touch(candidate_id=b)
    await desk.consent(b, "withdrawn", obtained_at="2026-10-01T00:00:00Z")
    await desk.consent(a)
    who = {"survivor_id": a, "loser_id": b}
    plan = await desk.post("/v1/merges/preview", who, 200)
    assert plan["fields"]["headline"] == {"survivor": "Engineer", "loser": "Backend", "winner": "loser"}
    assert plan["fields"]["tags"]["winner"] == "both"
    assert (plan["moves"]["touchpoints"], plan["moves"]["consents"], plan["moves"]["records"]) == (1, 1, 1)
    assert plan["consent_effect"] == [
        {"side": "loser", "purpose": "talent_pool", "channel": "email", "status": "withdrawn"}
    ]
    assert "field:headline" in {each["kind"] for each in plan["conflicts"]}
    assert (await desk.post("/v1/merges/preview", who, 200)) == plan
    await desk.ask("PATCH", f"/v1/candidates/{b}", {"headline": "Data"})
    assert (await desk.merge(a, b, 409, plan_hash=plan["plan_hash"]))["code"] == "plan_stale"
    plan = await desk.post("/v1/merges/preview", who, 200)
    merge = await desk.merge(a, b, plan_hash=plan["plan_hash"])
    assert merge["plan"] == plan
    decided = await desk.post(
        "/v1/contact-decisions", {"candidate_id": a, "channel": "email", "purpose": "talent_pool"}, 200
    )
    assert decided["decision"] == "deny", "the least permissive side wins"
    assert await desk.get(f"/v1/merges/{merge['id']}") == merge


async def test_chosen_fields_stand_until_the_undo(desk: Desk) -> None:
    place = {"country_code": "JP", "region": "Tokyo", "city": None}
    a = await desk.person(headline="Old", location=place, custom_fields={"k": 1, "deep": {"x": 1}})
    b = await desk.person(
        headline="New", location={"country_code": "US", "city": "Austin"}, custom_fields={"k": 2, "m": {"z": 1}}
    )
    before = [lasting(await desk.read(each)) for each in (a, b)]
    merge = await desk.merge(
        a,
        b,
        fields={"headline": "survivor", "location": "survivor", "custom_fields": "survivor", "department": "loser"},
    )
    assert [merge["plan"]["fields"][each]["winner"] for each in ("headline", "location", "full_name")] == [
        "survivor",
        "survivor",
        "loser",
    ]
    whole = await desk.read(a)
    assert (whole["headline"], whole["location"]) == ("Old", place)
    assert whole["custom_fields"] == {"k": 1, "deep": {"x": 1}}
    await desk.post("/v1/candidates", {"external_ids": [{"source": "s", "id": "9"}], "headline": "x"}, 201)
    await desk.undo(merge)
    assert [lasting(await desk.read(each)) for each in (a, b)] == before
    assert all(each["door"] != "manual" for each in await desk.rows(f"/v1/candidates/{a}/records"))


async def test_the_list_is_newest_first_and_by_person(desk: Desk) -> None:
    a, b, c, d, e = [await desk.person() for _ in range(5)]
    first, second, other = await desk.merge(a, b), await desk.merge(a, c), await desk.merge(d, e)
    ids = [each["id"] for each in await desk.rows("/v1/merges")]
    assert ids == [other["id"], second["id"], first["id"]]
    for person in (a, b):
        listed = [each["id"] for each in await desk.rows(f"/v1/merges?candidate_id={person}")]
        assert listed == [second["id"], first["id"]]
    assert [each["id"] for each in await desk.rows(f"/v1/merges?candidate_id={e}")] == [other["id"]]
    last = await desk.merge(d, a)
    for person in (a, b, c, d, e):
        listed = [each["id"] for each in await desk.rows(f"/v1/merges?candidate_id={person}")]
        assert listed == [last["id"], other["id"], second["id"], first["id"]]


async def test_what_comes_in_between_by_an_id_stays_and_by_an_identifier_returns(desk: Desk) -> None:
    theirs = f"x{new_id().hex}@example.com"
    a = await desk.person()
    b = await desk.person(
        full_name="Beatrix Rodham", email_addresses=[{"value": theirs}], external_ids=[{"source": "ats", "id": "7"}]
    )
    merge = await desk.merge(a, b)
    kept = [
        (await desk.touch(candidate_id=b))["id"],
        (await desk.consent(b, "withdrawn"))["id"],
    ]
    returning = (await desk.touch(email=theirs))["id"]
    by_id = (await desk.touch(person={"external_id": {"source": "ats", "id": "7"}}))["id"]
    await desk.ask("PATCH", f"/v1/candidates/{b}", {"headline": "In between", "tags": {"add": ["t"]}})
    await desk.ask("PUT", "/v1/candidates/by-external-id/ats/7", {"department": "Theirs"}, 200)
    undone = await desk.undo(merge)
    listed = {(each["kind"], each["id"]) for each in undone["conflicts"]}
    assert {("touchpoint", kept[0]), ("consent", kept[1])} <= listed
    assert {kind for kind, _ in listed} == {"touchpoint", "consent", "field:headline", "tag"}
    assert len(undone["conflicts"]) == 4
    survivor, loser = await desk.read(a), await desk.read(b)
    assert (survivor["headline"], survivor["tags"], survivor["department"]) == ("In between", ["t"], None)
    assert (loser["headline"], loser["tags"], loser["department"]) == (None, [], "Theirs")
    assert {each["id"] for each in await desk.rows(f"/v1/candidates/{b}/touchpoints")} == {returning, by_id}
    assert [each["id"] for each in await desk.rows(f"/v1/candidates/{a}/touchpoints")] == [kept[0]]
    assert [each["status"] for each in await desk.rows(f"/v1/candidates/{b}/consents")] == ["withdrawn"]
    assert [each["status"] for each in await desk.rows(f"/v1/candidates/{a}/consents")] == ["withdrawn"]


@pytest.mark.parametrize("middle", [0, 1, 2])
async def test_old_ids_answer_through_chains_of_three_and_their_undo(desk: Desk, middle: int) -> None:
    people = [await desk.person(headline=f"h{each}") for each in range(4)]
    before = [lasting(await desk.read(each)) for each in people]
    merges = [await desk.merge(people[each + 1], people[each]) for each in range(3)]
    last = people[3]
    for person in people:
        assert (await desk.read(person))["id"] == last
    assert (await desk.read(last))["merged_ids"] == sorted(people[:3])
    old = people[middle]
    changed = await desk.ask("PATCH", f"/v1/candidates/{old}", {"headline": "written"})
    assert (changed["id"], changed["headline"]) == (last, "written")
    await desk.touch(candidate_id=old)
    await desk.consent(old)
    assert len(await desk.rows(f"/v1/candidates/{last}/touchpoints")) == 1
    assert (await desk.undo(merges[0], 409))["code"] == "newer_merge"
    undone = await desk.undo(merges[2])
    assert {each["kind"] for each in undone["conflicts"]} == {"field:headline", "touchpoint", "consent"}
    for person in people[:3]:
        assert (await desk.read(person))["id"] == people[2]
    await desk.ask("PATCH", f"/v1/candidates/{people[0]}", {"department": "again"})
    assert (await desk.read(people[2]))["department"] == "again"
    assert {each["kind"] for each in (await desk.undo(merges[1]))["conflicts"]} == {"field:department"}
    assert (await desk.undo(merges[0]))["conflicts"] == []
    after = [lasting(await desk.read(each)) for each in people]
    assert after[:2] == before[:2]
    assert after[2] == before[2] | {"department": "again"}
    assert after[3]["headline"] == "written"


async def test_a_record_that_was_about_somebody_else_is_detached(desk: Desk) -> None:
    mail, own = f"x{new_id().hex}@example.com", f"y{new_id().hex}@example.com"
    a = await desk.person(full_name="Ada Lovelace", email_addresses=[{"value": own}])
    [only] = await desk.rows(f"/v1/candidates/{a}/records")
    path = f"/v1/candidates/{a}/records"
    assert (await desk.post(f"{path}/{only['record_id']}/detach", None, 409))["code"] == "only_record"
    assert (await desk.post(f"{path}/{new_id()}/detach", None, 404))["code"] == "not_found"
    linked = await desk.post(
        "/v1/candidates",
        {
            "full_name": "Ada Lovelace",
            "email_addresses": [{"value": own}, {"value": mail}],
            "external_ids": [{"source": "ats", "id": "1"}],
            "tags": ["theirs"],
        },
        200,
    )
    assert linked["id"] == a
    await desk.ask("PUT", "/v1/candidates/by-external-id/ats/1", {"department": "Theirs"}, 200)
    await desk.ask("PATCH", f"/v1/candidates/{a}", {"headline": "Mine"})
    mine, theirs = await desk.touch(email=own), await desk.touch(email=mail)
    records = {(each["source"], each["version"]): each["record_id"] for each in await desk.rows(path)}
    assert (await desk.post(f"{path}/{records['manual', 1]}/detach", None, 409))["code"] == "not_detachable"
    since = await desk.end()
    answer = await desk.api.post(f"{path}/{records['ats', 1]}/detach")
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert answer.headers["Location"] == f"/v1/candidates/{made['id']}"
    assert (made["tags"], made["department"], made["headline"]) == (["theirs"], "Theirs", None)
    assert made["external_ids"] == [{"source": "ats", "id": "1"}]
    stayed = await desk.read(a)
    assert (stayed["tags"], stayed["external_ids"], stayed["headline"]) == ([], [], "Mine")
    assert [each["id"] for each in await desk.rows(f"/v1/candidates/{a}/touchpoints")] == [mine["id"]]
    assert [each["id"] for each in await desk.rows(f"/v1/candidates/{made['id']}/touchpoints")] == [theirs["id"]]
    assert (await desk.get("/v1/candidates/by-external-id/ats/1"))["id"] == made["id"]
    assert (await desk.merge(a, made["id"], 409))["code"] == "marked_different"
    told = {each["type"]: each["id"] for each in await desk.changes(since) if each["resource"] == "candidate"}
    assert told == {"candidate.created": made["id"], "candidate.updated": a}


async def test_another_tenant_sees_none_of_it(
    desk: Desk,
    new_tenant: Callable[[], Awaitable[TenantFixture]],
    client_of: Callable[[str], httpx.AsyncClient],
) -> None:
    a, b = await desk.person(), await desk.person()
    merge = await desk.merge(a, b)
    stranger = client_of((await new_tenant()).key)
    assert (await stranger.get(f"/v1/merges/{merge['id']}")).status_code == 404
    assert (await stranger.post(f"/v1/merges/{merge['id']}/undo")).status_code == 404
    assert (await stranger.post("/v1/merges", json={"survivor_id": a, "loser_id": b})).status_code == 404
