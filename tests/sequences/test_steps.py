"""What steps and entries do, over HTTP: conditions, notices, content, variants, people who come in by themselves."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.kit.clock import now
from app.kit.ids import new_id
from app.sequences import choice, significance
from app.sequences.significance import Arm
from tests.conftest import TenantFixture
from tests.sequences.conftest import World
from workers.relay import relay_once

TAGGED = {"field": "tags", "op": "has", "value": "ready"}


async def number(world: World) -> None:
    """Number the whole feed: a round takes a hundred tenants, and other tests leave theirs behind."""
    while await relay_once(world.database):
        pass


async def follow(world: World, tenant: TenantFixture) -> None:
    """Number the feed, and let everybody who reads it do so now."""
    await number(world)
    async with world.database.transaction(tenant.caller) as session:
        await session.run("update due set due_at = now() where kind = 'watch'")
    await world.drain()


async def until(world: World, **fields: Any) -> tuple[str, str, str]:
    """Enroll somebody who has to wait for the tag; return the sequence, the candidate and the enrollment."""
    wait = {"key": "w", "type": "wait", "until": TAGGED, "limit": "P14D", **fields}
    sequence = await world.sequence(wait, {"key": "end", "type": "exit", "reason": "done"})
    candidate = await world.candidate()
    return sequence, candidate, await world.enroll(sequence, candidate)


async def tag(world: World, candidate: str, *tags: str) -> None:
    patched = await world.api.patch(f"/v1/candidates/{candidate}", json={"tags": {"add": list(tags)}})
    assert patched.status_code == 200, patched.text


async def test_a_wait_ends_when_its_condition_holds(world: World, tenant: TenantFixture) -> None:
    _, candidate, enrollment = await until(world)
    standing = await world.get(f"/v1/enrollments/{enrollment}")
    assert (standing["state"], standing["step"], standing["next"]["step"]) == ("active", "w", "end")
    assert datetime.fromisoformat(standing["next"]["due_at"]) - now() > timedelta(days=13)
    await follow(world, tenant)
    assert (await world.get(f"/v1/enrollments/{enrollment}"))["state"] == "active"
    await tag(world, candidate, "ready")
    await follow(world, tenant)
    assert (await world.get(f"/v1/enrollments/{enrollment}"))["exit"]["reason"] == "done"


async def test_who_meets_the_exit_leaves_before_the_next_mail_is_due(world: World, tenant: TenantFixture) -> None:
    wait = {"key": "w", "type": "wait", "for": "P14D"}
    sequence = await world.sequence(wait, exit_if=TAGGED)
    candidate, other = await world.candidate(), await world.candidate()
    leaves, stays = await world.enroll(sequence, candidate), await world.enroll(sequence, other)
    await tag(world, candidate, "ready")
    await follow(world, tenant)
    await world.drain()
    assert (await world.get(f"/v1/enrollments/{leaves}"))["exit"]["reason"] == "exit_if"
    assert (await world.get(f"/v1/enrollments/{stays}"))["state"] == "active"


async def test_a_condition_that_holds_already_is_no_wait(world: World) -> None:
    wait = {"key": "w", "type": "wait", "until": TAGGED, "limit": "P14D"}
    sequence = await world.sequence(wait)
    enrollment = await world.enroll(sequence, await world.candidate(tags=["ready"]))
    assert (await world.get(f"/v1/enrollments/{enrollment}"))["state"] == "completed"


@pytest.mark.parametrize(("on_limit", "reason"), [(None, "done"), ("continue", "done"), ("exit", "wait_limit")])
async def test_a_condition_that_never_holds_ends_at_its_limit(
    world: World, tenant: TenantFixture, on_limit: str | None, reason: str
) -> None:
    _, _, enrollment = await until(world, **({"on_limit": on_limit} if on_limit else {}))
    async with world.database.transaction(tenant.caller) as session:
        await session.run("update enrollments set next_at = now(), limit_at = now() where limit_at is not null")
        await session.run("update due set due_at = now() where kind = 'enrollment'")
    await world.drain()
    assert (await world.get(f"/v1/enrollments/{enrollment}"))["exit"]["reason"] == reason


async def test_a_notice_is_an_entry_of_the_feed(world: World) -> None:
    said = {"key": "n", "type": "notify", "event": "call_now", "data": {"priority": 1}}
    sequence = await world.sequence(said)
    candidate = await world.candidate()
    enrollment = await world.enroll(sequence, candidate)
    await number(world)
    [entry] = [each for each in (await world.get("/v1/changes"))["data"] if each["type"] == "enrollment.notified"]
    assert (entry["resource"], entry["id"]) == ("enrollment", enrollment)
    assert entry["data"] == {
        "candidate_id": candidate,
        "sequence_id": sequence,
        "step": "n",
        "event": "call_now",
        "data": {"priority": 1},
    }


async def pool_with(world: World) -> str:
    body = {"key": new_id().hex, "name": "Ready", "criteria": TAGGED}
    made: str = (await world.post("/v1/pools", body, 201))["id"]
    return made


@pytest.mark.parametrize("on", ["tag_added", "pool_entered", "source_added"])
async def test_people_come_in_by_themselves_once_and_only_those_who_are_new(
    world: World, tenant: TenantFixture, on: str
) -> None:
    entry: dict[str, Any] = {"on": on}
    if on == "pool_entered":
        entry["pool_id"] = await pool_with(world)
    elif on == "tag_added":
        entry["tag"] = "ready"
    else:
        entry["source_type"] = "referral"
    shown: dict[str, Any] = {"tags": ["ready"], "sources": [{"type": "referral", "name": "a friend"}]}
    before = await world.candidate(**shown)
    await world.drain()
    sequence = await world.sequence(entry=[entry])
    new, other = await world.candidate(**shown), await world.candidate()
    for _ in range(3):
        await follow(world, tenant)
    listed = (await world.get(f"/v1/sequences/{sequence}/enrollments"))["data"]
    assert [each["candidate_id"] for each in listed] == [new]
    assert listed[0]["entered_by"] == f"entry:{on}"
    await tag(world, before, "another")
    await tag(world, other, "another")
    await follow(world, tenant)
    assert len((await world.get(f"/v1/sequences/{sequence}/enrollments"))["data"]) == 1


async def test_a_tier_lets_people_in(world: World, tenant: TenantFixture) -> None:
    sequence = await world.sequence(entry=[{"on": "tier_changed", "to": "hot"}])
    candidate = await world.candidate()
    for kind in ("email_replied", "event_attended", "meeting", "casual_interview", "content_downloaded"):
        body = {"candidate_id": candidate, "type": kind, "occurred_at": now().isoformat(), "source": "test"}
        await world.post("/v1/touchpoints", {**body, "external_id": kind}, 201)
    await world.drain()
    tier = (await world.get(f"/v1/candidates/{candidate}/score"))["tier"]
    for _ in range(2):
        await follow(world, tenant)
    listed = (await world.get(f"/v1/sequences/{sequence}/enrollments"))["data"]
    assert [each["candidate_id"] for each in listed] == ([candidate] if tier == "hot" else [])


async def test_a_paused_sequence_lets_nobody_in_also_not_later(world: World, tenant: TenantFixture) -> None:
    sequence = await world.sequence(entry=[{"on": "tag_added", "tag": "ready"}])
    await world.post(f"/v1/sequences/{sequence}/pause", status=200)
    candidate = await world.candidate(tags=["ready"])
    await follow(world, tenant)
    await world.post(f"/v1/sequences/{sequence}/activate", status=200)
    await tag(world, candidate, "another")
    await follow(world, tenant)
    assert (await world.get(f"/v1/sequences/{sequence}/enrollments"))["data"] == []


async def content(world: World, *topics: str, **fields: Any) -> str:
    key = new_id().hex
    body = {"key": key, "kind": "article", "title": key, "url": f"https://example.co.jp/{key}", "topics": [*topics]}
    made: str = (await world.post("/v1/contents", {**body, **fields}, 201))["id"]
    return made


async def picking(world: World, steps: int, **choosing: Any) -> str:
    template = await world.template(body="<p>{{ content.title }}</p>{{ legal_footer }}")
    asked = {"kind": "article", "pick": "best", **choosing}
    return await world.sequence(
        *({"key": f"s{n}", "type": "send", "template_id": template, "content": asked} for n in range(steps))
    )


async def test_the_best_content_is_what_the_person_likes_and_never_twice(world: World) -> None:
    await content(world, "golf")
    liked = await content(world, "Python", "SRE")
    await content(world, "python", status="archived")
    await content(world, "python", expires_at="2020-01-01T00:00:00Z")
    await content(world, "python", kind="event")
    sequence = await picking(world, 3)
    await world.enroll(sequence, await world.candidate(interests=["python"]))
    for _ in range(3):
        await world.send()
    third, second, first = await world.messages(sequence_id=sequence)
    assert first["content_id"] == liked
    assert first["content_reason"] == {
        "pick": "best", "held_out": False, "of": 2, "interests": ["Python"], "responses": [],
    }  # fmt: skip
    assert second["content_id"] not in {None, liked}
    assert (third["state"], third["reasons"][0]["code"]) == ("refused", "no_content")
    assert (await world.get(f"/v1/enrollments/{third['enrollment_id']}"))["state"] == "completed"
    assert second["state"] == "sent"


async def test_who_is_held_out_gets_any_content_and_it_says_so(world: World) -> None:
    for _ in range(3):
        await content(world)
    sequence = await picking(world, 1, hold_out=1)
    await world.enroll(sequence, await world.candidate())
    await world.send()
    assert (await world.message(sequence_id=sequence))["content_reason"] == {"pick": "best", "held_out": True, "of": 3}


async def test_variants_are_drawn_by_name_and_compared_in_the_report(world: World) -> None:
    variants = [{"key": key, "template_id": await world.template(subject=key)} for key in ("a", "b")]
    sequence = await world.sequence({"key": "s", "type": "send", "variants": variants})
    people = [await world.candidate() for _ in range(12)]
    await world.post(f"/v1/sequences/{sequence}/enrollments", {"candidate_ids": people}, 207)
    await world.send()
    sent = await world.messages(sequence_id=sequence)
    templates = {each["key"]: each["template_id"] for each in variants}
    assert {each["template_id"] for each in sent if each["variant"] == "a"} <= {templates["a"]}
    [step] = (await world.get(f"/v1/sequences/{sequence}/report"))["steps"]
    counted = Counter(each["variant"] for each in sent)
    assert {each["key"]: each["sent"] for each in step["variants"]} == {"a": counted["a"], "b": counted["b"]}
    assert step["comparison"]["verdict"] == "too_few"


async def test_a_template_that_lacks_something_is_found_in_each_variant(world: World) -> None:
    variants = [
        {"key": "a", "template_id": await world.template()},
        {"key": "b", "template_id": await world.template(body="<p>nothing</p>")},
    ]
    body = {"key": new_id().hex, "steps": [{"key": "s", "type": "send", "variants": variants}]}
    made = await world.post("/v1/sequences", body, 201)
    problem = await world.post(f"/v1/sequences/{made['id']}/activate", status=422)
    assert {each["pointer"] for each in problem["errors"]} == {"/steps/0/variants/1/template_id"}


async def test_an_import_lets_in_whom_it_brought(world: World, tenant: TenantFixture) -> None:
    file = "氏名,メールアドレス\n山田 太郎,taro@entry.example.com\n佐藤 花子,hanako@entry.example.com\n".encode()
    form = {"source": "sheet", "commit": "manual"}
    answer = await world.api.post("/v1/imports", files={"file": ("people.csv", file)}, data=form)
    import_id = answer.json()["import_id"]
    sequence = await world.sequence(entry=[{"on": "import", "import_id": import_id}])
    await follow(world, tenant)
    assert (await world.get(f"/v1/sequences/{sequence}/enrollments"))["data"] == []
    async with world.database.transaction(tenant.caller) as session:
        people = [await world.candidate(), await world.candidate()]
        for row, each in enumerate(people, 1):
            await session.run(
                """insert into import_rows (import_id, row, cells, verdict, candidate_id)
                   values (cast(:id as uuid), :row, '[]', 'create', cast(:candidate as uuid))
                   on conflict (tenant_id, import_id, row) do update set candidate_id = excluded.candidate_id""",
                id=import_id,
                row=row,
                candidate=each,
            )
        await session.run("update imports set state = 'committed' where id = cast(:id as uuid)", id=import_id)
    for _ in range(2):
        await follow(world, tenant)
    listed = (await world.get(f"/v1/sequences/{sequence}/enrollments"))["data"]
    assert {each["candidate_id"] for each in listed} == set(people)


def test_chance_is_even_and_decided_by_names() -> None:
    drawn = [choice.chance("x", number) for number in range(4000)]
    assert all(0 <= each < 1 for each in drawn)
    assert drawn == [choice.chance("x", number) for number in range(4000)]
    assert abs(sum(drawn) / len(drawn) - 0.5) < 0.03


def test_a_difference_is_significant_only_when_it_is() -> None:
    assert significance.compare([Arm("a", 4, 1), Arm("b", 4, 3)]).verdict == "too_few"
    close = significance.compare([Arm("a", 500, 50), Arm("b", 500, 60)])
    assert (close.verdict, close.best) == ("not_significant", "b")
    assert close.p_value == pytest.approx(0.3122, abs=1e-3)
    assert close.needed is not None
    assert 2500 < close.needed < 4200
    clear = significance.compare([Arm("a", 500, 50), Arm("b", 500, 90)])
    assert (clear.verdict, clear.best) == ("significant", "b")
    three = significance.compare([Arm("a", 100, 20), Arm("b", 100, 25), Arm("c", 100, 30)])
    assert three.p_value == pytest.approx(0.2636, abs=1e-3)
    assert significance.compare([Arm("a", 100, 20), Arm("b", 100, 20)]).best is None
