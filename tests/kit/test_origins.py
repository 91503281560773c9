"""What a browser's page may read, and how answers travel."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from app.kit import origins
from tests.conftest import TenantFixture


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(origins, "REMEMBERED_S", -1.0)


def preflight(api: httpx.AsyncClient, origin: str) -> Awaitable[httpx.Response]:
    asked = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "if-match"}
    return api.request("OPTIONS", "/v1/candidates", headers={"Origin": origin, **asked})


async def test_a_page_reads_the_answers_of_the_tenant_that_names_it(
    api: httpx.AsyncClient,
    client_of: Callable[[str], httpx.AsyncClient],
    new_tenant: Callable[[], Awaitable[TenantFixture]],
) -> None:
    origin = f"https://{(await api.get('/v1/me')).json()['tenant_id']}.example.com"
    assert (await preflight(api, origin)).status_code == 405
    stranger, nobody = client_of((await new_tenant()).key), client_of("")
    assert (await api.patch("/v1/tenant", json={"allowed_origins": [origin]})).json()["allowed_origins"] == [origin]
    answered = await preflight(nobody, origin)
    assert (answered.status_code, answered.content) == (204, b"")
    assert answered.headers["Access-Control-Allow-Origin"] == origin
    assert "If-Match" in answered.headers["Access-Control-Allow-Headers"]
    assert "PATCH" in answered.headers["Access-Control-Allow-Methods"]

    async def readable(client: httpx.AsyncClient, path: str, **headers: Any) -> tuple[int, str | None]:
        answer = await client.get(path, headers={"Origin": origin, **headers})
        assert "Origin" in answer.headers["Vary"]
        return answer.status_code, answer.headers.get("Access-Control-Allow-Origin")

    assert await readable(nobody, "/v1/me") == (401, origin)
    assert await readable(stranger, "/v1/me") == (200, None)
    assert await readable(nobody, "/v1/me", Origin="https://other.example.com") == (401, None)
    fresh = (await api.post("/v1/api-keys", json={"name": "page", "scopes": ["pools:read"]})).json()["key"]
    assert await readable(client_of(fresh), "/v1/pools") == (200, origin)
    assert await readable(client_of(fresh), "/v1/candidates") == (403, origin)
    shown = await client_of(fresh).get("/v1/me", headers={"Origin": origin})
    exposed = shown.headers["Access-Control-Expose-Headers"]
    for name in ("ETag", "Link", "Location", "Retry-After", "RateLimit", "X-Request-Id", "Idempotency-Replayed"):
        assert name in exposed


@pytest.mark.parametrize(
    "origin", ["*", "null", "https://a.example.com/", "ftp://a.example.com", "HTTPS://A.example", ""]
)
async def test_what_is_no_origin_is_refused(api: httpx.AsyncClient, origin: str) -> None:
    refused = await api.patch("/v1/tenant", json={"allowed_origins": [origin]})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/allowed_origins/0")


async def test_without_an_origin_nothing_is_said_of_any(api: httpx.AsyncClient) -> None:
    answer = await api.get("/v1/me")
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_long_answers_are_compressed_and_short_ones_and_pages_are_not(api: httpx.AsyncClient) -> None:
    for number in range(5):
        await api.post("/v1/candidates", json={"full_name": f"Ada {number}"})
    packed = {"Accept-Encoding": "gzip"}
    long = await api.get("/v1/candidates", headers=packed)
    assert (long.headers["Content-Encoding"], "Accept-Encoding" in long.headers["Vary"]) == ("gzip", True)
    plain = await api.get("/v1/candidates", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert plain.json()["data"] == long.json()["data"]
    assert int(long.headers["Content-Length"]) < len(plain.content)
    for path in ("/v1/me", "/docs", "/livez"):
        assert "Content-Encoding" not in (await api.get(path, headers=packed)).headers
