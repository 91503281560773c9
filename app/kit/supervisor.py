"""Keeps processes running: what dies is started again, after a pause that grows while it keeps dying."""

import contextlib
import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Self, TypeVar

from app.kit.process import Process, StartError

_TICK_SECONDS = 0.1
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 10.0
_STEADY_SECONDS = 10.0  # whoever lived this long starts again with the first pause

_P = TypeVar("_P", bound=Process)
_STOP_SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})


@dataclass
class _Post:
    """One place in the list of what must run, and who holds it now."""

    name: str
    start: Callable[[], Process]
    process: Process | None = None
    started_at: float = 0.0
    due_at: float = 0.0
    pause: float = 0.0

    def fill(self) -> None:
        self.process = self.start()
        self.started_at = time.monotonic()

    def vacate(self) -> None:
        now = time.monotonic()
        steady = self.process is not None and now - self.started_at >= _STEADY_SECONDS
        grown = 0.0 if steady else self.pause * 2
        self.pause = min(max(grown, _FIRST_PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS)
        self.due_at = now + self.pause
        self.process = None


class Supervisor:
    """A context in which added processes run, and after which none of them does."""

    def __init__(
        self,
        *,
        on_change: Callable[[dict[str, list[int]]], None] = lambda _: None,
        on_tick: Callable[[], None] = lambda: None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`on_change` gets the process ids by name when they change; `say`, what an operator must know."""
        self._posts: list[_Post] = []
        self._on_change = on_change
        self._on_tick = on_tick
        self._say = say

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for post in reversed(self._posts):
            if post.process is not None:
                post.process.stop()
                post.process = None
        self._report()

    def add(self, name: str, start: Callable[[], _P]) -> _P:
        """Start a process now, and again whenever it dies.

        Raises:
            StartError: it does not start this first time.

        """
        process = start()
        self._posts.append(_Post(name, start, process, started_at=time.monotonic()))
        self._report()
        return process

    def watch(self, until: Callable[[], bool] = lambda: False, *, seconds: float = math.inf) -> bool:
        """Keep all running until the condition holds (True) or the seconds are over (False)."""
        deadline = time.monotonic() + seconds
        while not until():
            if time.monotonic() >= deadline:
                return False
            self._tend()
            self._on_tick()
            time.sleep(_TICK_SECONDS)
        return True

    def _tend(self) -> None:
        for post in self._posts:
            code = None if post.process is None else post.process.poll()
            if code is not None:
                post.vacate()
                self._say(f"{post.name} ended with {code} and starts again")
                self._report()
            if post.process is None and time.monotonic() >= post.due_at:
                self._refill(post)

    def _refill(self, post: _Post) -> None:
        try:
            post.fill()
        except StartError as error:
            post.vacate()
            self._say(str(error))
        self._report()

    def _report(self) -> None:
        pids: dict[str, list[int]] = {}
        for post in self._posts:
            pids.setdefault(post.name, []).extend([post.process.pid] if post.process else [])
        self._on_change(pids)


@contextmanager
def stoppable() -> Iterator[None]:
    """End the block quietly at the first SIGINT, SIGTERM or SIGHUP; later ones do not cut its clean-up.

    SIGINT counts even where a background shell had it ignored; an ignored SIGHUP stays so, for nohup.
    """
    ignored = {signal.SIGHUP} if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else set()
    numbers = _STOP_SIGNALS - ignored

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        with contextlib.suppress(KeyboardInterrupt):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
