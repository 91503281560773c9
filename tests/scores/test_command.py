"""`talentpool score explain` against the real service, whose answers cross over from the test's own loop."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from rich.console import Console

from app.kit.clock import now
from app.kit.http import service_client
from app.kit.process import StartError
from app.scores import command, sparkline
from app.scores.sparkline import Part
from tests.conftest import TenantFixture
from tests.factories.bridge import Bridge

NewPerson = Callable[..., Awaitable[str]]
Happen = Callable[..., Awaitable[str]]
Explain = Callable[..., Awaitable[str]]

T0 = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def explain(api: httpx.AsyncClient, tenant: TenantFixture) -> Explain:
    """Runs the command, and returns what it shows."""

    async def run(candidate_id: str, model: str = "default") -> str:
        out = io.StringIO()
        with service_client("http://testserver", tenant.key, Bridge(api, asyncio.get_running_loop())) as service:
            await asyncio.to_thread(command.explain, service, candidate_id, model, Console(file=out, width=100))
        return out.getvalue()

    return run


async def test_it_shows_what_weighs_since_when_and_what_comes(
    new_person: NewPerson, happen: Happen, explain: Explain
) -> None:
    person = await new_person()
    for days in range(30):
        moment = (now() - timedelta(days=days)).isoformat()
        await happen(person, "email_replied", moment)
        await happen(person, "page_viewed", moment, actor="human")
    await happen(person, "event_no_show", now().isoformat())
    shown = await explain(person)
    assert "山田 花子" in shown
    assert "replied" in shown
    assert "did_not_come" in shown
    assert "more" in shown
    assert "Becomes warm (below 50) by itself on" in shown
    assert f"{now().astimezone():%Y-%m-%d}" in shown
    assert set(sparkline.BLOCKS) & set(shown)
    assert "default version 1" in shown


async def test_a_person_without_a_history_is_shown_calmly(new_person: NewPerson, explain: Explain) -> None:
    shown = await explain(await new_person())
    assert "0.0 points" in shown
    assert "nothing yet" in shown
    assert "does not change by itself" in shown


async def test_what_is_as_good_as_gone_takes_no_row(new_person: NewPerson, happen: Happen, explain: Explain) -> None:
    person = await new_person()
    await happen(person, "applied", (now() - timedelta(days=900)).isoformat())
    await happen(person, "call", now().isoformat())
    shown = await explain(person)
    assert "applied" not in shown
    assert "1 more" in shown
    assert "▆" not in shown


async def test_what_the_service_refuses_is_one_sentence(new_person: NewPerson, explain: Explain) -> None:
    with pytest.raises(StartError, match="no such candidate"):
        await explain("01999999-0000-7000-8000-000000000000")
    with pytest.raises(StartError, match="no score model with this key"):
        await explain(await new_person(), "other")


def test_the_line_of_blocks_is_the_curve() -> None:
    parts = [Part(16, T0), Part(-8, T0 + timedelta(days=30))]
    at = [T0 - timedelta(days=1), T0, T0 + timedelta(days=29), T0 + timedelta(days=30), T0 + timedelta(days=60)]
    found = sparkline.values(2, parts, 30, at)
    assert [round(each, 1) for each in found] == [2, 18, 10.2, 2, 2]
    assert sparkline.blocks([0, 4, 7]) == "▁▅█"
    assert sparkline.blocks([0, 0]) == "▁▁"
    assert sparkline.blocks([-7, 0]) == "▁█"
    assert sparkline.blocks([0, 3], 21) == "▁▂"


def test_the_line_begins_before_the_first_and_is_a_year_at_most() -> None:
    until = T0 + timedelta(days=1000)
    assert sparkline.moments([], until, 3)[0] == until - timedelta(days=7)
    assert sparkline.moments([Part(1, until - timedelta(days=100))], until, 3)[0] == until - timedelta(days=105)
    assert sparkline.moments([Part(1, T0)], until, 3) == [until - timedelta(days=each) for each in (365, 182.5, 0)]
