"""Of two ways of one person through one sequence the one further along goes on, until they are two again."""

from typing import Any

import pytest

from tests.sequences.conftest import World


async def steps(world: World) -> list[dict[str, Any]]:
    template = await world.template()
    return [
        {"key": "first", "type": "send", "template_id": template},
        {"key": "pause", "type": "wait", "for": "P7D"},
        {"key": "second", "type": "send", "template_id": template},
    ]


async def merge(world: World, survivor: str, loser: str) -> str:
    body = {"survivor_id": survivor, "loser_id": loser}
    return str((await world.post("/v1/merges", body, 201))["id"])


@pytest.mark.parametrize("is_loser_ahead", [True, False])
async def test_the_way_further_along_goes_on_and_undo_revives_the_other(world: World, is_loser_ahead: bool) -> None:
    sequence = await world.sequence(*await steps(world))
    ahead, behind = await world.candidate(), await world.candidate(full_name="Grace Hopper")
    goes_on = await world.enroll(sequence, ahead)
    await world.send()
    ends = await world.enroll(sequence, behind)
    survivor, loser = (behind, ahead) if is_loser_ahead else (ahead, behind)
    before = {each: await world.get(f"/v1/enrollments/{each}") for each in (goes_on, ends)}
    made = await merge(world, survivor, loser)
    after = {each: await world.get(f"/v1/enrollments/{each}") for each in (goes_on, ends)}
    assert {each["candidate_id"] for each in after.values()} == {survivor}
    assert (after[goes_on]["state"], after[goes_on]["step"]) == ("active", "pause")
    assert (after[ends]["state"], after[ends]["exit"]["reason"]) == ("exited", "merged")
    await world.send()
    assert len(world.mailer.recorded) == 1, "no step is sent to one person twice"
    undone = await world.post(f"/v1/merges/{made}/undo", {}, 200)
    assert undone["conflicts"] == []
    for each, was in before.items():
        now = await world.get(f"/v1/enrollments/{each}")
        volatile = {"version"}
        assert {name: now[name] for name in now.keys() - volatile} == {
            name: was[name] for name in was.keys() - volatile
        }
    await world.send()
    assert len(world.mailer.recorded) == 2, "the other one is somebody else again"
    listed = await world.get(f"/v1/candidates/{ahead}/touchpoints")
    assert [each["type"] for each in listed["data"]] == ["email_sent"]


async def test_a_mail_that_was_sent_in_between_returns_with_its_way(world: World) -> None:
    sequence = await world.sequence()
    survivor, loser = await world.candidate(), await world.candidate(full_name="Grace Hopper")
    await world.enroll(sequence, loser)
    made = await merge(world, survivor, loser)
    await world.send()
    assert len(world.mailer.recorded) == 1
    assert (await world.post(f"/v1/merges/{made}/undo", {}, 200))["conflicts"] == []
    assert len((await world.get(f"/v1/candidates/{loser}/touchpoints"))["data"]) == 1
    assert (await world.get(f"/v1/candidates/{survivor}/touchpoints"))["data"] == []
