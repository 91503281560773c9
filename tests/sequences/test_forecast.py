"""The calendar of a candidate's next months, over HTTP and on a terminal."""

import asyncio
import io
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import httpx
import pytest
from rich.console import Console

from app.kit.process import StartError
from app.sequences import command
from tests.factories.bridge import Bridge
from tests.sequences.conftest import World

WINDOW = {"weekdays": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "18:00", "holidays": "skip"}


async def monthly(world: World) -> str:
    await world.api.patch("/v1/tenant", json={"send_window": WINDOW})
    template = await world.template(subject="{{ candidate.full_name }} さんへ")
    return await world.sequence(
        {"key": "one", "type": "send", "template_id": template},
        {"key": "w1", "type": "wait", "for": "P30D"},
        {"key": "two", "type": "send", "template_id": template},
        {"key": "w2", "type": "wait", "until": {"field": "tags", "op": "has", "value": "x"}, "limit": "P14D"},
        {"key": "b", "type": "branch", "if": {"field": "tags", "op": "has", "value": "x"}, "then": [], "else": []},
        {"key": "end", "type": "exit", "reason": "done"},
        key="monthly",
    )


async def test_a_forecast_says_when_and_why_and_changes_nothing(world: World) -> None:
    sequence, candidate = await monthly(world), await world.candidate()
    asked = {"candidate_id": candidate}
    seen = await world.post(f"/v1/sequences/{sequence}/preview", asked, 200)
    assert [each["step"] for each in seen["steps"]] == ["one", "w1", "two", "w2", "b", "end"]
    assert seen["enrollment_id"] is None
    for each in seen["steps"]:
        if each["type"] == "send":
            local = datetime.fromisoformat(each["at"]).astimezone(ZoneInfo("Asia/Tokyo"))
            assert local.weekday() < 5
            assert 9 <= local.hour < 18
            assert each["subject"] == "山田 太郎 さんへ"
    assert all(before["due_at"] <= after["due_at"] for before, after in pairwise(seen["steps"]))
    assert seen["steps"][3]["reasons"] == ["at_the_latest"]
    assert await world.messages(sequence_id=sequence) == []
    enrollment = await world.enroll(sequence, candidate)
    assert (await world.post(f"/v1/sequences/{sequence}/preview", asked, 200))["enrollment_id"] == enrollment


async def test_a_cap_is_foreseen(world: World) -> None:
    await world.api.patch("/v1/tenant", json={"frequency_caps": {"email": {"max": 1, "days": 7}}})
    template = await world.template()
    sequence = await world.sequence(*({"key": key, "type": "send", "template_id": template} for key in "abc"))
    candidate = await world.candidate()
    steps = (await world.post(f"/v1/sequences/{sequence}/preview", {"candidate_id": candidate}, 200))["steps"]
    moments = [datetime.fromisoformat(each["at"]) for each in steps]
    assert [(after - before).days for before, after in pairwise(moments)] == [7, 7]
    assert [each["reasons"] for each in steps] == [[], ["frequency_cap"], ["frequency_cap"]]


async def test_who_may_not_be_written_to_sees_why(world: World) -> None:
    sequence = await monthly(world)
    candidate = await world.candidate(granted=False)
    [first] = (await world.post(f"/v1/sequences/{sequence}/preview", {"candidate_id": candidate}, 200))["steps"]
    assert (first["at"], first["reasons"][0]) == (None, "consent_missing")


async def test_the_command_shows_the_calendar(world: World) -> None:
    await monthly(world)
    candidate = await world.candidate()
    shown = await _run(world, "monthly", candidate)
    for word in ("山田 太郎", "one", "two", "さんへ", "Asia/Tokyo", "at the latest"):
        assert word in shown
    with pytest.raises(StartError):
        await _run(world, "none", candidate)


async def _run(world: World, key: str, candidate: str) -> str:
    output = io.StringIO()
    bridge = Bridge(world.api, asyncio.get_running_loop())

    def run() -> None:
        with httpx.Client(transport=bridge, base_url="http://testserver") as client:
            command.preview(client, key, candidate, Console(file=output, width=160))

    await asyncio.to_thread(run)
    return output.getvalue()
