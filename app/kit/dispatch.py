"""The way from an address to its operation: one look by the words that it begins with.

FastAPI holds a request against the routes of one router after the other. Here only those are asked that begin with the
same two words; whatever none of them answers (404, 405) goes the long way. HEAD is answered as GET where it has no
operation of its own; the server leaves the body out.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from fastapi import FastAPI
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

WORDS: Final = 2
"""So many words of an address are looked up; what begins with fewer goes the long way."""


class Dispatch:
    """Stands before a router, and knows its routes by what their addresses begin with."""

    def __init__(self, router: ASGIApp, routes: Iterable[BaseRoute]) -> None:
        self._router = router
        self._known: dict[str, list[Any]] = {}
        self._heads: list[Any] = []
        for each in _apart(routes):
            if "HEAD" in each.methods:
                self._heads.append(each)
            begins = _begins(each.path_format)
            if "{" not in begins:
                self._known.setdefault(begins, []).append(each)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if scope["method"] == "HEAD" and not any(each.matches(scope)[0] is Match.FULL for each in self._heads):
                scope = {**scope, "method": "GET"}
            for each in self._known.get(_begins(scope["path"]), ()):
                match, found = each.matches(scope)
                if match is Match.FULL:
                    scope.update(found, route=each.original_route)
                    await each.app(scope, receive, send)
                    return
        await self._router(scope, receive, send)


def install(app: FastAPI) -> None:
    """Put it before the router of `app`, when all routes are there."""
    app.router.middleware_stack = Dispatch(app.router.middleware_stack, app.router.routes)


def _apart(routes: Iterable[BaseRoute]) -> Iterator[Any]:
    """Yield the routes of included routers, as the application includes them."""
    for route in routes:
        if included := getattr(route, "effective_route_contexts", None):
            yield from included()


def _begins(path: str) -> str:
    """Return the first words of an address."""
    return "/".join(path.split("/", WORDS + 1)[: WORDS + 1])
