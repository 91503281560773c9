"""Child processes that end with their parent and leave nothing behind."""

import contextlib
import ctypes
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import psutil

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class StartError(Exception):
    """Something cannot start, for a reason that the message tells its operator in one sentence."""


class Process(Protocol):
    """What is started, watched and stopped."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""

    def stop(self) -> None:
        """End it within seconds; a second time is harmless."""


class Child:
    """A process in a group of its own: Ctrl-C reaches only the supervisor, which stops it in order."""

    def __init__(
        self,
        argv: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        user: pwd.struct_passwd | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        patience: float = 15.0,
    ) -> None:
        """Start `argv` with its output appended to `log`; after `patience` seconds a stop becomes a kill."""
        self._stop_signal = stop_signal
        self._patience = patience
        with log.open("ab") as output:
            self._popen = subprocess.Popen(  # noqa: S603 - the commands are our own
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=env,
                process_group=0,
                user=user and user.pw_uid,
                group=user and user.pw_gid,
                extra_groups=[] if user else None,
                preexec_fn=_follow_parent(stop_signal),  # noqa: PLW1509 - one system call, bound before the fork
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    def poll(self) -> int | None:
        return self._popen.poll()

    def stop(self) -> None:
        for number, seconds in ((self._stop_signal, self._patience), (signal.SIGKILL, 10.0)):
            if self._popen.poll() is not None:
                return
            self._popen.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._popen.wait(seconds)


def _follow_parent(number: signal.Signals) -> Callable[[], None] | None:
    """Have Linux send the signal to the child when its parent is gone, however it went."""
    if _LIBC is None:
        return None
    prctl, parent = _LIBC.prctl, os.getpid()

    def follow() -> None:
        prctl(_PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:
            os._exit(1)

    return follow


def end(processes: Iterable[psutil.Process], *, patience: float = 15.0) -> None:
    """Stop processes that are no children of ours; after `patience` seconds they are killed."""
    remaining = list(processes)
    for signal_one, seconds in ((psutil.Process.terminate, patience), (psutil.Process.kill, 10.0)):
        for process in remaining:
            with contextlib.suppress(psutil.NoSuchProcess):
                signal_one(process)
        remaining = psutil.wait_procs(remaining, timeout=seconds)[1]


def running_in(folder: Path, name: str) -> list[psutil.Process]:
    """Find the processes called `name` whose working directory is `folder`."""
    found = []
    for process in psutil.process_iter(["name"]):
        if process.info["name"] == name:
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                if Path(process.cwd()) == folder:
                    found.append(process)
    return found
