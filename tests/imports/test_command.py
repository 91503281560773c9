"""`talentpool import` against the real service, whose answers cross over from the test's own loop."""

import asyncio
import io
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from app.imports import command
from app.kit import jobs, terminal
from app.kit.db import Database
from app.kit.http import service_client
from app.kit.process import StartError
from tests.conftest import TenantFixture
from tests.factories.bridge import Bridge
from tests.factories.spreadsheets import spreadsheet


@pytest.fixture
async def worker(database: Database) -> AsyncIterator[None]:
    async def work() -> None:
        while True:
            await jobs.run_jobs(database)
            await asyncio.sleep(0.05)

    task = asyncio.create_task(work())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.mark.usefixtures("worker")
async def test_the_command_shows_what_became_of_the_rows(
    api: httpx.AsyncClient, tenant: TenantFixture, tmp_path: Path
) -> None:
    file = tmp_path / "応募者.csv"
    file.write_bytes(spreadsheet(40, duplicates=4, broken=4).cp932())
    out = io.StringIO()
    console = Console(file=out, width=120)
    with service_client("http://testserver", tenant.key, Bridge(api, asyncio.get_running_loop())) as service:
        went_well = await asyncio.to_thread(command.run, service, file, {"commit": "auto"}, console)
        shown = out.getvalue()
        assert went_well
        assert "40/40" in shown
        assert "invalid │ 4" in " ".join(shown.split())
        assert len(set(re.findall(r"Row (\d+), (?:氏名|メールアドレス|応募日|経験年数): ", shown))) == 4
        assert "committed" in shown
        file.write_bytes("血液型,星座\nA,B\n".encode())
        assert not await asyncio.to_thread(command.run, service, file, {}, console)
        file.write_bytes(b"")
        with pytest.raises(StartError, match="holds nothing"):
            await asyncio.to_thread(command.run, service, file, {}, console)


def test_without_a_service_a_file_or_a_key_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.csv"
    with service_client("http://127.0.0.1:9", "key") as service:
        with pytest.raises(StartError, match="cannot be read"):
            command.run(service, file, {}, Console())
        file.write_text("name\n")
        with pytest.raises(StartError, match="Nothing answers"):
            command.run(service, file, {}, Console())
    with pytest.raises(StartError, match="no key"):
        terminal.api_key(tmp_path)
    (tmp_path / "api-key").write_text("tp_live_file\n")
    assert terminal.api_key(tmp_path) == "tp_live_file"
    monkeypatch.setenv("TALENTPOOL_API_KEY", "tp_live_env")
    assert terminal.api_key(tmp_path) == "tp_live_env"
