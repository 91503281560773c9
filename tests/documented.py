"""Every answer that a test gets has a status that its operation declares."""

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.types import Message, Receive, Scope, Send

from app.openapi import document


class Documented:
    """The service, whose answers are held to its document; what no operation answers is let through."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        operations = (each for path in document(app)["paths"].values() for each in path.values())
        self._declared: dict[str, dict[str, Any]] = {each["operationId"]: each["responses"] for each in operations}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answered: list[int] = []

        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered.append(message["status"])
            await send(message)

        await self._app(scope, receive, note)
        route = scope.get("route")
        if isinstance(route, APIRoute) and route.include_in_schema and scope["method"] in (route.methods or ()):
            undeclared = {*map(str, answered)} - {*self._declared[route.name]}
            assert not undeclared, f"{route.name} answers {undeclared}, and declares {[*self._declared[route.name]]}"
