from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest
from pydantic import HttpUrl

from app.connectors import fetching, polling
from app.kit import jobs
from app.kit.db import Database
from app.settings import get_settings
from tests.connectors.hook import KEY, Connect, Hook, secret_of
from tests.connectors.recorded import Recorded, recorded

Drain = Callable[[], Awaitable[int]]


@pytest.fixture
def connect(api: httpx.AsyncClient, client_of: Callable[[str], httpx.AsyncClient]) -> Connect:
    async def make(secret: str | None = None, **chosen: Any) -> Hook:
        body = {"provider": "sendgrid", "name": "Newsletter", "settings": chosen, "secret": secret or secret_of(KEY)}
        made = await api.post("/v1/connections", json=body)
        assert made.status_code == 201, made.text
        return Hook(api, client_of(""), made.json()["id"])

    return make


@pytest.fixture
async def hook(connect: Connect) -> Hook:
    return await connect()


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorded]:
    """The servers of Eventbrite and connpass, asked without a pause."""
    with recorded() as server:
        named = {"eventbrite_url": HttpUrl(server.url), "connpass_url": HttpUrl(f"{server.url}/api/v2")}
        changed = get_settings().model_copy(update=named)
        for module in (fetching, polling):
            monkeypatch.setattr(module, "get_settings", lambda: changed)
        monkeypatch.setattr(polling, "PAUSE_S", 0.0)
        yield server


@pytest.fixture
def work(drain: Drain, database: Database) -> Callable[[], Awaitable[None]]:
    """Does everything that is due and every job that follows from it."""

    async def run() -> None:
        await drain()
        while await jobs.run_jobs(database):
            await drain()

    return run
