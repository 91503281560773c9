"""The short way to a handler: the same values as by FastAPI's, and the same answer to what is wrong."""

from typing import Annotated, Any, Literal

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel

from app.kit.lean import Next, shortened

taken: list[str] = []


class Shortened(APIRoute):
    """A route of which is noted which way a request went."""

    def get_route_handler(self) -> Next:
        long = super().get_route_handler()

        async def noted(request: Request) -> Response:
            taken.append("long")
            return await long(request)

        return shortened(self, noted)


class Told(BaseModel):
    """Everything that the handler was given."""

    values: dict[str, Any]


async def inner(limit: int = 5, tag: Annotated[list[str] | None, Query()] = None) -> dict[str, Any]:
    return {"limit": limit, "tag": tag}


async def outer(
    found: Annotated[dict[str, Any], Depends(inner)], if_match: Annotated[str | None, Header()] = None
) -> dict[str, Any]:
    return {**found, "if_match": if_match}


def _application(route: type[APIRoute]) -> FastAPI:
    router = APIRouter(route_class=route)

    @router.get("/things/{number}", status_code=202)
    async def read(
        number: int,
        mark: str,
        request: Request,
        response: Response,
        one: Annotated[dict[str, Any], Depends(inner)],
        two: Annotated[dict[str, Any], Depends(outer)],
        kind: Annotated[list[Literal["a", "b"]] | None, Query()] = None,
    ) -> Told:
        response.headers["X-Method"] = request.method
        is_same = two["tag"] is one["tag"]
        return Told(values={"number": number, "mark": mark, "kind": kind, **one, **two, "is_same": is_same})

    @router.post("/things")
    async def make(body: Told, one: Annotated[dict[str, Any], Depends(inner)]) -> Told:
        return Told(values={**body.values, **one})

    app = FastAPI()
    app.include_router(router)
    return app


@pytest.mark.parametrize(
    ("path", "headers", "ways"),
    [
        ("/things/3?mark=x", {}, []),
        ("/things/3?mark=x&mark=y&tag=a&tag=b&limit=7&kind=a&kind=b", {"If-Match": '"v1"'}, []),
        ("/things/3?mark=&tag=", {"if-match": ""}, []),
        ("/things/3", {}, ["long"]),
        ("/things/three?mark=x&limit=many&kind=c", {}, ["long"]),
    ],
)
async def test_a_read_is_answered_as_by_the_long_way(path: str, headers: dict[str, str], ways: list[str]) -> None:
    short, long = [await _ask(route, "GET", path, headers) for route in (Shortened, APIRoute)]
    assert (short.status_code, short.json()) == (long.status_code, long.json())
    assert {**short.headers} == {**long.headers}
    assert taken == ways


@pytest.mark.parametrize(
    ("body", "ways"), [('{"values": {"a": 1}}', []), ('{"values": 1}', ["long"]), ("[]", ["long"])]
)
async def test_a_body_is_read_as_by_the_long_way(body: str, ways: list[str]) -> None:
    headers = {"Content-Type": "application/json"}
    short, long = [await _ask(route, "POST", "/things?limit=2", headers, body) for route in (Shortened, APIRoute)]
    assert (short.status_code, short.json()) == (long.status_code, long.json())
    assert taken == ways


async def _ask(
    route: type[APIRoute], method: str, path: str, headers: dict[str, str], body: str | None = None
) -> httpx.Response:
    if route is Shortened:
        taken.clear()
    transport = httpx.ASGITransport(_application(route))
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        return await client.request(method, path, headers=headers, content=body)
