"""Front ends in browsers: which origins may read which answers (CORS, as the Fetch standard has it).

A tenant names its origins. A preflight carries no key, so it is answered for an origin that any tenant names; the
answer itself may be read by the origins of the tenant whose key came with the request. Cookies play no part.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.kit.caller import Caller

EXPOSED: Final = (
    "ETag, Location, Content-Location, Link, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id, "
    "Idempotency-Replayed, WWW-Authenticate"
)
"""What a script may read of an answer besides its body."""
METHODS: Final = "GET, POST, PUT, PATCH, DELETE"
SENT: Final = (
    "Authorization, Content-Type, Accept-Language, If-Match, If-None-Match, Idempotency-Key, Act-As-User, Last-Event-ID"
)
"""What a script may send."""
PREFLIGHT_S: Final = 600
REMEMBERED_S: Final = 1.0
REMEMBERED_MAX: Final = 10_000

Find = Callable[[str], Awaitable[bool]]
"""Whether any tenant names this origin."""


class Origins:
    """Answers preflights, and says of each answer whether the asking page may read it."""

    def __init__(self, app: ASGIApp, find: Find) -> None:
        self._app = app
        self._find = find
        self._remembered: dict[str, tuple[bool, float]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else None
        origin = headers.get("Origin") if headers is not None else None
        if headers is None or origin is None:
            await self._app(scope, receive, send)
        elif scope["method"] == "OPTIONS" and "Access-Control-Request-Method" in headers and await self._known(origin):
            await _answer_preflight(origin, send)
        else:
            await self._app(scope, receive, self._allowing(origin, scope, send))

    def _allowing(self, origin: str, scope: Scope, send: Send) -> Send:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.add_vary_header("Origin")
                caller: Caller | None = scope.get("state", {}).get("caller")
                if origin in caller.origins if caller is not None else await self._known(origin):
                    headers["Access-Control-Allow-Origin"] = origin
                    headers["Access-Control-Expose-Headers"] = EXPOSED
            await send(message)

        return answer

    async def _known(self, origin: str) -> bool:
        found, until = self._remembered.get(origin, (False, 0.0))
        if until < time.monotonic():
            found = await self._find(origin)
            if len(self._remembered) >= REMEMBERED_MAX:
                self._remembered.clear()
            self._remembered[origin] = (found, time.monotonic() + REMEMBERED_S)
        return found


async def _answer_preflight(origin: str, send: Send) -> None:
    headers: dict[str, Any] = {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": METHODS,
        "Access-Control-Allow-Headers": SENT,
        "Access-Control-Max-Age": str(PREFLIGHT_S),
        "Vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
    }
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": 204, "headers": raw})
    await send({"type": "http.response.body", "body": b""})
