"""The rate limit: so many requests a minute for each key, counted in Redis for all processes together.

Without Redis, or while it does not answer, each process counts for itself, from what Redis said last: the limit is
never a reason for a request to fail.

The header fields are those of the IETF draft "RateLimit header fields for HTTP": a policy (`q` requests in `w` seconds)
and what is left of it (`r` requests, `t` seconds until it is whole again).
"""

import asyncio
import math
import time
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.kit.log import get_logger

log = get_logger(__name__)

WINDOW_S: Final = 60
ITEMS_A_REQUEST: Final = 100
"""A batch costs one request for each hundred items that it holds."""
REMEMBERED_MAX: Final = 100_000
PATIENCE_S: Final = 0.25
"""How long Redis may take; an answer takes a thousandth of that."""
PAUSE_S: Final = 1.0
"""How long Redis is left alone after it did not answer."""
TAKE: Final = """
local used = tonumber(redis.call('get', KEYS[1]) or '0')
local admitted = used < tonumber(ARGV[1])
if admitted then
  used = redis.call('incrby', KEYS[1], ARGV[2])
end
local left = redis.call('pttl', KEYS[1])
if left < 0 then
  left = tonumber(ARGV[3])
  redis.call('pexpire', KEYS[1], left)
end
return {admitted and 1 or 0, used, left}
"""
"""Counts a request and says (admitted, used, milliseconds until the window ends), in one step for all processes."""


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
    """Counts the requests of one process by key; `quota` a window, which is more than 0."""

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

    def learn(self, key: UUID | None, now: float, used: int, left_s: float) -> None:
        """Take over what others have counted: `used` of the window that ends in `left_s` seconds."""
        usage = self._current(key, now)
        usage.since, usage.used = now + left_s - WINDOW_S, used

    def _current(self, key: UUID | None, now: float) -> Usage:
        usage = self._usage.get(key)
        if usage is None or now - usage.since >= WINDOW_S:
            if len(self._usage) >= REMEMBERED_MAX:
                self._usage.clear()
            usage = self._usage[key] = Usage(now)
        return usage


class LocalRate:
    """The rate limit of one process by itself."""

    def __init__(self, quota: int) -> None:
        self.quota = quota
        self._counted = Limiter(quota)

    async def take(self, key: UUID | None, cost: int = 1) -> tuple[bool, Allowance]:
        """Count a request of `cost`; return whether it is admitted, and what is left."""
        now = time.monotonic()
        admitted = self._counted.take(key, now, cost)
        return admitted, self._counted.look(key, now)

    async def close(self) -> None:
        """Nothing is open."""


class SharedRate(LocalRate):
    """The rate limit of all processes on one Redis; while that is away, of this one by itself."""

    def __init__(self, quota: int, redis_url: str) -> None:
        super().__init__(quota)
        self._redis: Redis = Redis.from_url(redis_url, socket_connect_timeout=PATIENCE_S, socket_timeout=PATIENCE_S)
        self._take = self._redis.register_script(TAKE)
        self._away_until = 0.0

    async def take(self, key: UUID | None, cost: int = 1) -> tuple[bool, Allowance]:
        now = time.monotonic()
        counted = await self._ask(key, cost) if now >= self._away_until else None
        if counted is None:
            return await super().take(key, cost)
        admitted, used, left_ms = counted
        self._counted.learn(key, now, used, left_ms / 1000)
        return bool(admitted), self._counted.look(key, now)

    async def _ask(self, key: UUID | None, cost: int) -> tuple[int, int, int] | None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                found: Any = await self._take(keys=[f"talentpool:rate:{key}"], args=[self.quota, cost, WINDOW_S * 1000])
        except (RedisError, OSError, TimeoutError) as error:
            self._away_until = time.monotonic() + PAUSE_S
            log.info("rate.redis_away", exc_info=error)
            return None
        admitted, used, left = found
        return admitted, used, left

    async def close(self) -> None:
        await self._redis.aclose()


def make(quota: int, redis_url: str | None) -> LocalRate | None:
    """Return the rate limit that the settings ask for; a quota of 0 is none."""
    if not quota:
        return None
    return LocalRate(quota) if redis_url is None else SharedRate(quota, redis_url)


def cost_of(items: int) -> int:
    """Return what a request with so many items costs, at least 1."""
    return max(1, math.ceil(items / ITEMS_A_REQUEST))
