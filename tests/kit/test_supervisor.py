import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from app.kit.process import Child, StartError
from app.kit.supervisor import Supervisor, stoppable

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]
DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(60)
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "child.log"


def test_starts_again_what_is_killed_and_reports_every_id(log: Path) -> None:
    reports: list[dict[str, list[int]]] = []
    said: list[str] = []
    with Supervisor(on_change=reports.append, say=said.append) as supervisor:
        first = supervisor.add("api", lambda: Child(SLEEPER, log=log))
        psutil.Process(first.pid).kill()
        assert supervisor.watch(lambda: reports[-1]["api"] not in ([], [first.pid]), seconds=10)
        second = reports[-1]["api"][0]
        assert psutil.pid_exists(second)
    assert not psutil.pid_exists(second)
    assert [len(report["api"]) for report in reports] == [1, 0, 1, 0]
    assert said == ["api ended with -9 and starts again"]


def test_pauses_longer_each_time_while_it_keeps_dying(log: Path) -> None:
    starts: list[float] = []

    def crash() -> Child:
        starts.append(time.monotonic())
        return Child([sys.executable, "-c", "raise SystemExit(3)"], log=log)

    with Supervisor() as supervisor:
        supervisor.add("worker", crash)
        assert supervisor.watch(lambda: len(starts) == 4, seconds=20)
    pauses = [later - earlier for earlier, later in pairwise(starts)]
    assert pauses[0] >= 0.1
    assert pauses[1] >= 0.2
    assert pauses[2] >= 0.4


def test_a_start_that_fails_later_is_said_and_tried_again(log: Path) -> None:
    said: list[str] = []
    children: list[Child | None] = []

    def start() -> Child:
        children.append(Child(SLEEPER, log=log) if len(children) != 1 else None)
        if (child := children[-1]) is None:
            raise StartError("It does not start.")
        return child

    with Supervisor(say=said.append) as supervisor:
        psutil.Process(supervisor.add("postgres", start).pid).kill()
        assert supervisor.watch(lambda: len(children) == 3, seconds=10)
    assert said == ["postgres ended with -9 and starts again", "It does not start."]


def test_a_first_start_that_fails_stops_the_others(log: Path) -> None:
    def fail() -> Child:
        raise StartError("No.")

    def start_both() -> None:
        with Supervisor() as supervisor:
            pids.append(supervisor.add("api", lambda: Child(SLEEPER, log=log)).pid)
            supervisor.add("worker", fail)

    pids: list[int] = []
    with pytest.raises(StartError):
        start_both()
    assert not psutil.pid_exists(pids[0])


def test_what_ignores_the_request_to_stop_is_killed(log: Path) -> None:
    child = Child([sys.executable, "-c", DEAF], log=log, patience=0.2)
    while "deaf" not in log.read_text():
        time.sleep(0.01)
    child.stop()
    assert child.poll() == -signal.SIGKILL


PROGRAM = """
import pathlib, sys
from app.kit.process import Child
from app.kit.supervisor import Supervisor, stoppable
folder = pathlib.Path(sys.argv[1])
sleeper = [sys.executable, "-c", "import time; time.sleep(60)"]
with stoppable(), Supervisor() as supervisor:
    child = supervisor.add("api", lambda: Child(sleeper, log=folder / "log"))
    (folder / "pid.new").write_text(str(child.pid))
    (folder / "pid.new").rename(folder / "pid")
    supervisor.watch()
print("stopped")
"""


@pytest.mark.parametrize(
    ("number", "code", "printed"),
    [
        (signal.SIGINT, 0, "stopped\n"),
        (signal.SIGTERM, 0, "stopped\n"),
        (signal.SIGKILL, -signal.SIGKILL, ""),
    ],
)
def test_no_child_outlives_its_supervisor(tmp_path: Path, number: signal.Signals, code: int, printed: str) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    supervisor = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    while not (tmp_path / "pid").exists():
        assert supervisor.poll() is None
        time.sleep(0.01)
    child = psutil.Process(int((tmp_path / "pid").read_text()))
    supervisor.send_signal(number)
    assert supervisor.communicate(timeout=20)[0] == printed
    assert supervisor.returncode == code
    assert _is_gone(child)


def test_a_second_signal_does_not_cut_the_clean_up() -> None:
    cleaned = False
    with stoppable():
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGTERM)
            cleaned = True
    assert cleaned


def _is_gone(process: psutil.Process) -> bool:
    """Whether it ends soon; an orphan that nobody has buried yet is gone too."""
    deadline = time.monotonic() + 10
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
