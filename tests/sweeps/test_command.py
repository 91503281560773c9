"""`talentpool dedup sweep` on a real tenant, whose job a worker in the same process does."""

import asyncio
import io
from collections.abc import Awaitable, Callable

import httpx
import pytest
from rich.console import Console

from app.kit import jobs
from app.kit.db import Database
from app.kit.process import StartError
from app.sweeps import command
from app.sweeps.engines import Engine, is_installed
from tests.conftest import TenantFixture

Sweep = Callable[..., Awaitable[str]]

TARO = {"full_name": "山田 太郎", "full_name_kana": "ヤマダ タロウ", "email_addresses": [{"value": "taro@example.jp"}]}


@pytest.fixture
def sweep(database: Database, database_url: str, tenant: TenantFixture, monkeypatch: pytest.MonkeyPatch) -> Sweep:
    """Runs the command beside a worker, and returns what it shows."""
    monkeypatch.setattr(command, "PAUSE_S", 0.01)

    async def run(engine: Engine | None = None) -> str:
        out = io.StringIO()
        console = Console(file=out, width=100)
        following = asyncio.create_task(command.run(database_url, tenant.name, engine, console))
        while not following.done():
            await jobs.run_jobs(database)
            await asyncio.sleep(0.01)
        await following
        return out.getvalue()

    return run


async def test_it_shows_what_a_sweep_has_done(api: httpx.AsyncClient, sweep: Sweep) -> None:
    for name in ("山田 太郎", "山田太郎"):
        made = await api.post("/v1/candidates", json={**TARO, "full_name": name, "on_match": "create"})
        assert made.status_code == 201
    shown = [line.split() for line in (await sweep("postgres")).splitlines()]
    assert ["│", "merged", "│", "1", "│"] in shown
    assert ["│", "compared", "│", "1", "│"] in shown
    assert ["│", "merged", "│", "0", "│"] in [line.split() for line in (await sweep()).splitlines()]


@pytest.mark.usefixtures("app")
async def test_a_tenant_that_is_not_there_is_one_sentence(database_url: str) -> None:
    with pytest.raises(StartError, match="There is no tenant named nobody"):
        await command.run(database_url, "nobody", None, Console(file=io.StringIO()))


@pytest.mark.skipif(is_installed("spark"), reason="Spark is installed")
async def test_an_engine_that_is_not_installed_is_one_sentence(sweep: Sweep) -> None:
    with pytest.raises(StartError, match="is not installed: it comes with an extra"):
        await sweep("spark")
