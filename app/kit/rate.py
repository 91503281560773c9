"""The rate limit: so many requests a minute for each key, counted by each process for itself.

The header fields are those of the IETF draft "RateLimit header fields for HTTP": a policy (`q` requests in `w` seconds)
and what is left of it (`r` requests, `t` seconds until it is whole again).
"""

import math
from dataclasses import dataclass
from typing import Final
from uuid import UUID

WINDOW_S: Final = 60
ITEMS_A_REQUEST: Final = 100
"""A batch costs one request for each hundred items that it holds."""
REMEMBERED_MAX: Final = 100_000


@dataclass(slots=True)
class Usage:
    """What one key has used of the window that began at `since` (seconds of a monotonic clock)."""

    since: float
    used: int = 0


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left: `remaining` requests, and `reset_s` seconds until the window is whole again."""

    quota: int
    remaining: int
    reset_s: int

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The two header fields of an answer."""
        policy = f'"default";q={self.quota};w={WINDOW_S}'
        left = f'"default";r={self.remaining};t={self.reset_s}'
        return [(b"ratelimit-policy", policy.encode()), (b"ratelimit", left.encode())]


class Limiter:
    """Counts requests by key; `quota` a window, which is more than 0."""

    def __init__(self, quota: int) -> None:
        self.quota = quota
        self._usage: dict[UUID | None, Usage] = {}

    def look(self, key: UUID | None, now: float) -> Allowance:
        """Return what is left for `key` at `now`."""
        usage = self._current(key, now)
        reset = math.ceil(usage.since + WINDOW_S - now)
        return Allowance(self.quota, max(self.quota - usage.used, 0), reset)

    def take(self, key: UUID | None, now: float, cost: int = 1) -> bool:
        """Count a request of `cost`; False, and nothing counted, when nothing is left."""
        usage = self._current(key, now)
        if usage.used >= self.quota:
            return False
        usage.used += cost
        return True

    def _current(self, key: UUID | None, now: float) -> Usage:
        usage = self._usage.get(key)
        if usage is None or now - usage.since >= WINDOW_S:
            if len(self._usage) >= REMEMBERED_MAX:
                self._usage.clear()
            usage = self._usage[key] = Usage(now)
        return usage


def cost_of(items: int) -> int:
    """Return what a request with so many items costs, at least 1."""
    return max(1, math.ceil(items / ITEMS_A_REQUEST))
