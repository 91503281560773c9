"""What `talentpool dev` runs on one folder until Ctrl-C: the embedded servers, the API and the worker."""

import asyncio
import contextlib
import os
import socket
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import httpx
import psutil
from rich.console import Console
from rich.text import Text

from app.kit import json, migrate
from app.kit.crypto import ensure_secret_file
from app.kit.embedded import start_postgres, start_valkey
from app.kit.folder import held, make_folder, write_private
from app.kit.process import Child, StartError, end
from app.kit.supervisor import Supervisor, stoppable
from app.kit.tail import Tail
from app.settings import Settings
from app.tenancy.bootstrap import create_key, works

DATABASE: Final = "talentpool"
TENANT: Final = "demo"
_CODE: Final = Path(__file__).parents[1]
_PROGRAMS: Final = {"app.main:create_app", "workers.main"}
_READY_SECONDS: Final = 120.0
_ANYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not bound to


def api_command(settings: Settings) -> list[str]:
    """Return the command line of an API process."""
    return [
        *(sys.executable, "-P", "-m", "uvicorn", "app.main:create_app", "--factory", "--app-dir", str(_CODE)),
        *("--host", settings.host, "--port", str(settings.port), "--loop", "uvloop", "--http", "httptools"),
        *("--no-access-log", "--no-server-header", "--log-level", "warning"),
        *("--timeout-graceful-shutdown", "5"),
    ]


def worker_command() -> list[str]:
    """Return the command line of a worker process."""
    return [sys.executable, "-P", "-m", "workers.main"]


def run(settings: Settings) -> None:
    """Run everything until SIGINT or SIGTERM.

    Raises:
        StartError: something cannot start.
        DatabaseUnusable: what DATABASE_URL names is no database for us.

    """
    folder = settings.data_dir.expanduser().absolute()
    with stoppable(), held(folder):
        make_folder(folder / "logs")
        _end_leftovers(folder)
        _require_port(settings)
        ensure_secret_file(folder)  # before two processes would make one each
        _Development(settings, folder.resolve()).run()


def _end_leftovers(folder: Path) -> None:
    """End the API and the worker of a supervisor that was killed, unless their ids are others' by now."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        before = json.loads((folder / "pids.json").read_bytes())
        end(process for name in ("api", "worker") for pid in before[name] for process in _ours(pid, folder))


def _ours(pid: int, folder: Path) -> list[psutil.Process]:
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        if process.environ().get("TALENTPOOL_DATA_DIR") == str(folder) and _PROGRAMS & {*process.cmdline()}:
            return [process]
    return []


def _require_port(settings: Settings) -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            place = f"{settings.host}:{settings.port}"
            raise StartError(f"The API cannot listen on {place} ({error.strerror}): set another PORT.") from error


class _Development:
    """One run: what it started, and what it says of it."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._settings = settings
        self._folder = folder
        self._console = Console(soft_wrap=True, highlight=False)
        self._errors = Console(stderr=True, soft_wrap=True, highlight=False)
        self._supervisor = Supervisor(on_change=self._write_pids, on_tick=self._show_warnings, say=self._warn)
        self._tails = {name: Tail(self._log(name)) for name in ("api", "worker")}
        host = _ANYWHERE.get(settings.host, settings.host)
        self._address = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
        self._http = httpx.Client(base_url=self._address, trust_env=False, timeout=5.0)

    def run(self) -> None:
        self._console.print(f"Starting the database, the API and the worker in {self._folder}", markup=False)
        with self._http, self._supervisor:
            environment = os.environ | self._defaults() | self._servers()
            migrate.upgrade(environment["DATABASE_URL"])
            key = self._key(environment["DATABASE_URL"])
            self._start_programs(environment)
            self._welcome(key)
            if self._settings.demo and find_spec("app.demo"):
                self._load_demo(environment | {"TALENTPOOL_URL": self._address, "TALENTPOOL_API_KEY": key})
            self._supervisor.watch()

    def _defaults(self) -> dict[str, str]:
        """Return what the programs are told where the caller's environment says nothing."""
        told = {
            "HOST": self._settings.host,
            "PORT": str(self._settings.port),
            "PUBLIC_BASE_URL": self._address,
            "TALENTPOOL_RATE_LIMIT": "0",
        }
        unsaid = {name: value for name, value in told.items() if name not in os.environ}
        return unsaid | {"TALENTPOOL_DATA_DIR": str(self._folder)}

    def _servers(self) -> dict[str, str]:
        """Start the servers that nobody else runs for us, and return all addresses."""
        database_url, redis_url = self._settings.database_url, self._settings.redis_url
        if database_url is None:
            folder, log = self._folder / "postgres", self._log("postgres")
            postgres = self._supervisor.add("postgres", lambda: start_postgres(folder, durable=True, log=log))
            postgres.ensure_database(DATABASE)
            database_url = postgres.database_url(DATABASE)
        if redis_url is None:
            valkey = self._supervisor.add(
                "valkey", lambda: start_valkey(self._folder / "valkey", log=self._log("valkey"))
            )
            redis_url = valkey.url
        return {"DATABASE_URL": database_url, "REDIS_URL": redis_url}

    def _start_programs(self, environment: dict[str, str]) -> None:
        """Start the API and the worker, and wait until the API can serve."""
        api = self._supervisor.add("api", lambda: self._program("api", api_command(self._settings), environment))
        self._supervisor.add("worker", lambda: self._program("worker", worker_command(), environment))
        ready = self._supervisor.watch(lambda: api.poll() is not None or self._is_ready(), seconds=_READY_SECONDS)
        if not ready:
            raise StartError(f"The API does not become ready; the logs are in {self._folder / 'logs'}.")
        if api.poll() is not None:
            raise StartError(f"The API does not start; its log is {self._log('api')}.")

    def _program(self, name: str, command: list[str], environment: dict[str, str]) -> Child:
        return Child(command, log=self._log(name), env=environment)

    def _is_ready(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return self._http.get("/readyz").is_success
        return False

    def _key(self, database_url: str) -> str:
        """Return the admin key in the folder, or a new one where it is none of this database's."""
        path = self._folder / "api-key"
        key = path.read_text(errors="replace").strip() if path.exists() else ""
        if not asyncio.run(works(database_url, key)):
            key = asyncio.run(create_key(database_url, TENANT, ["admin"], "talentpool dev"))
            write_private(path, f"{key}\n")
        return key

    def _load_demo(self, environment: dict[str, str]) -> None:
        """Load the demo tenant beside the watch, and say how it went."""
        demo = self._program("demo", [sys.executable, "-P", "-m", "app.demo"], environment)
        try:
            self._supervisor.watch(lambda: demo.poll() is not None)
        finally:
            demo.stop()
        if demo.poll() == 0:
            self._console.print("The demo tenant is loaded.")
        else:
            self._warn(f"The demo tenant could not be loaded; its log is {self._log('demo')}")

    def _welcome(self, key: str) -> None:
        for label, value in (
            ("Docs", f"{self._address}/docs"),
            ("API key", f"{key}  (also in {self._folder / 'api-key'})"),
            ("Logs", str(self._folder / "logs")),
            ("Stop", "Ctrl-C"),
        ):
            self._console.print(Text.assemble((f"{label:<9}", "bold"), value))

    def _log(self, name: str) -> Path:
        return self._folder / "logs" / f"{name}.log"

    def _write_pids(self, pids: dict[str, list[int]]) -> None:
        nobody: dict[str, list[int]] = {"api": [], "worker": [], "postgres": [], "valkey": []}
        write_private(self._folder / "pids.json", json.dumps(nobody | pids))

    def _show_warnings(self) -> None:
        for name, tail in self._tails.items():
            for line in tail.warnings():
                self._warn(f"{name} {line}")

    def _warn(self, text: str) -> None:
        self._errors.print(Text(text, style="yellow"))
