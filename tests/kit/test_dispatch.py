"""An address is looked up by its first words: what is found is what FastAPI would find."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request

from app.kit import dispatch
from app.main import create_app
from app.settings import get_settings

ID = "01999999-0000-7000-8000-000000000003"


def _operations() -> Iterator[tuple[str, str]]:
    """Yield every operation of the application, at an address that it answers."""
    for router in create_app(get_settings()).router.routes:
        included: Any = getattr(router, "effective_route_contexts", list)()
        for each in included:
            path = each.path_format.format(**dict.fromkeys(each.param_convertors, ID))
            yield from ((method, path) for method in each.methods)


async def _found(app: Any, method: str, path: str) -> tuple[object, object]:
    """Return the function and the values of the path that the routers of `app` find; no one is called."""
    seen: dict[str, Any] = {}

    async def stop(scope: Any, *_: Any) -> None:
        seen.update(scope)

    scope = {"type": "http", "method": method, "path": path, "headers": [], "query_string": b"", "app": app}
    for route in app.router.routes:
        for each in getattr(route, "effective_route_contexts", list)():
            each.app = stop
    await app.router(scope, None, None)
    return seen["route"].endpoint, seen["path_params"]


async def test_every_operation_is_found_by_its_first_words() -> None:
    short, long = create_app(get_settings()), create_app(get_settings())
    long.router.middleware_stack = long.router.app
    operations = list(_operations())
    assert len(operations) > 100
    for method, path in operations:
        assert await _found(short, method, path) == await _found(long, method, path), (method, path)


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/v1/nobody", 404), ("PUT", "/v1/me", 405)])
async def test_what_nobody_answers_goes_the_long_way(method: str, path: str, status: int) -> None:
    transport = httpx.ASGITransport(create_app(get_settings()))
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        assert (await client.request(method, path)).status_code == status


@pytest.mark.parametrize(("path", "status"), [("/livez", 200), ("/v1/me", 401), ("/v1/nobody", 404)])
async def test_head_is_answered_as_get(path: str, status: int) -> None:
    transport = httpx.ASGITransport(create_app(get_settings()))
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        head, get = await client.head(path), await client.get(path)
        assert (head.status_code, head.headers["content-length"]) == (status, get.headers["content-length"])


async def test_a_route_beside_the_routers_is_found_as_before() -> None:
    app = FastAPI()

    @app.get("/v1/things/{name}")
    async def read(request: Request, name: str) -> str:
        return f"{request.method} {name}"

    dispatch.install(app)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://testserver") as client:
        assert (await client.get("/v1/things/one")).json() == "GET one"
