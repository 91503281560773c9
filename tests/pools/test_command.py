"""`talentpool pool report` against the real service."""

import asyncio
import io

import httpx
import pytest
from rich.console import Console

from app.kit.http import service_client
from app.kit.process import StartError
from app.pools import command
from tests.conftest import TenantFixture
from tests.factories.bridge import Bridge
from tests.pools.conftest import Recruiter

PYTHON = {"field": "skills.name", "op": "has", "value": "python"}


async def shown(api: httpx.AsyncClient, tenant: TenantFixture, key: str) -> str:
    out = io.StringIO()
    console = Console(file=out, width=160)
    with service_client("http://testserver", tenant.key, Bridge(api, asyncio.get_running_loop())) as service:
        await asyncio.to_thread(command.report, service, key, "en", console)
    return out.getvalue()


async def test_the_report_says_whom_to_call_and_what_to_ask_for(
    api: httpx.AsyncClient, tenant: TenantFixture, recruiter: Recruiter
) -> None:
    ada = await recruiter.person("Ada", skills=[{"name": "Python"}])
    bob = await recruiter.person("Bob", skills=[{"name": "Python"}])
    nameless = {"full_name": "Cyd", "phone_numbers": [{"value": "090-1234-5678"}], "skills": [{"name": "Python"}]}
    cyd = (await recruiter.post("/v1/candidates", nameless))["id"]
    for person in (ada, cyd):
        await recruiter.permit(person)
    await recruiter.touch(ada, "event_attended")
    await recruiter.touch(bob, "casual_interview")
    await recruiter.pool("python", PYTHON, required_fields=["headline"])
    text = await shown(api, tenant, "python")
    for part in ("1 of 3 members may be contacted now", "no_address 1", "Ada", "Attended an event on", "attended"):
        assert part in text
    assert "Bob" not in text
    assert "Ask next for email_addresses.value: would make 1 reachable." in text


async def test_an_empty_pool_has_a_report_and_an_unknown_one_has_none(
    api: httpx.AsyncClient, tenant: TenantFixture, recruiter: Recruiter
) -> None:
    await recruiter.pool("empty", {"field": "tags", "op": "has", "value": "nobody"})
    assert "nobody to call today" in await shown(api, tenant, "empty")
    with pytest.raises(StartError, match="no pool with the key other"):
        await shown(api, tenant, "other")
