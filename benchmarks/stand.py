"""The stand: `talentpool dev` on a folder of its own, and the yardstick beside it on the same database."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil

from app.kit.embedded import running_database_url

READY_S = 90
SCHEMA = """
create schema if not exists bench;
create table if not exists bench.touchpoints (like public.touchpoints including all,
  foreign key (tenant_id, candidate_id) references public.candidates (tenant_id, id));
create table if not exists bench.changes (like public.changes including all);
"""


@dataclass
class Stand:
    """Where everything listens."""

    folder: Path
    port: int
    yardstick_port: int

    @property
    def key(self) -> str:
        return (self.folder / "api-key").read_text().strip()

    @property
    def database_url(self) -> str:
        return running_database_url(self.folder / "postgres", "talentpool")

    def memory_mib(self, name: str) -> float:
        """Return the resident memory of the processes called `name` in pids.json, in MiB."""
        pids = json.loads((self.folder / "pids.json").read_text())[name]
        return sum(psutil.Process(pid).memory_info().rss for pid in pids) / 2**20

    async def connect(self) -> asyncpg.Connection:
        """Open a connection that no policy holds."""
        return await asyncpg.connect(self.database_url.replace("+asyncpg", ""))

    async def analyze(self) -> None:
        """Let the planner know the tables now: by itself PostgreSQL does so in their first minute."""
        connection = await self.connect()
        await connection.execute("analyze")
        await connection.close()


@contextmanager
def stand(kept: Path | None = None) -> Iterator[Stand]:
    """Start both, and stop them; their folder goes, unless it is one that is kept."""
    folder = kept or Path(tempfile.mkdtemp(prefix="tp-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    place = Stand(folder, free_port(), free_port())
    environment = {
        **os.environ,
        "TALENTPOOL_DATA_DIR": str(folder),
        "PORT": str(place.port),
        "PUBLIC_BASE_URL": f"http://127.0.0.1:{place.port}",
        "TALENTPOOL_DEMO": "0",
    }
    running = [_start([sys.executable, "-m", "app.cli", "dev"], environment)]
    try:
        _wait(f"http://127.0.0.1:{place.port}/readyz", running[0])
        asyncio.run(_prepare(place))
        command = [sys.executable, "-m", "uvicorn", "benchmarks.yardstick:app", "--port", str(place.yardstick_port)]
        options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
        running.append(_start([*command, *options], {**environment, "DATABASE_URL": place.database_url}))
        _wait(f"http://127.0.0.1:{place.yardstick_port}/openapi.json", running[1])
        yield place
    finally:
        for process in reversed(running):
            process.send_signal(signal.SIGINT)
            process.wait(30)
        if kept is None:
            shutil.rmtree(folder, ignore_errors=True)


def _start(command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, start_new_session=True)


async def _prepare(place: Stand) -> None:
    connection = await place.connect()
    await connection.execute(SCHEMA)
    await connection.close()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + READY_S
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2)  # noqa: S310 (our own address)
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(url)


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
