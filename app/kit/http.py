"""HTTP clients: every call that leaves a process of ours begins here."""

import asyncio
from collections.abc import Mapping
from typing import Final

import httpx

TIMEOUT_S: Final = 60.0
FETCH_TIMEOUT_S: Final = 5.0
FETCHED_MOST: Final = 1 << 20
_DIGITS_MOST: Final = 10


class FetchFailed(Exception):
    """A page could not be fetched; the text says why, without its address.

    `status` is what its server answered, `retry_after_s` for how many seconds it asked to be left alone.
    """

    def __init__(self, reason: str, *, status: int | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.retry_after_s = retry_after_s


def service_client(base_url: str, key: str, transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """Return a client of a running service, for commands; it carries the key and follows no redirect."""
    return httpx.Client(
        base_url=base_url, headers={"Authorization": f"Bearer {key}"}, timeout=TIMEOUT_S, transport=transport
    )


def outward() -> httpx.AsyncClient:  # noqa: TID251 (this is where it is made)
    """Return a client for another's server: it follows no redirect and takes nothing from the environment."""
    return httpx.AsyncClient(timeout=FETCH_TIMEOUT_S, follow_redirects=False, trust_env=False)  # noqa: TID251 (as above)


async def fetch(url: str, headers: Mapping[str, str] | None = None) -> bytes:
    """GET one page of at most 1 MB from another's server; raises FetchFailed for all but a 2xx."""
    received = bytearray()
    try:
        async with (
            asyncio.timeout(FETCH_TIMEOUT_S),
            outward() as client,
            client.stream("GET", url, headers=headers) as answer,
        ):
            if not answer.is_success:
                raise FetchFailed(
                    f"HTTP {answer.status_code}", status=answer.status_code, retry_after_s=_retry_after(answer)
                )
            async for chunk in answer.aiter_bytes():
                received += chunk
                if len(received) > FETCHED_MOST:
                    raise FetchFailed("too large")
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        raise FetchFailed(type(error).__name__) from error
    return bytes(received)


def _retry_after(answer: httpx.Response) -> float | None:
    """Read the header where it holds seconds; a date is not taken for any."""
    value = answer.headers.get("Retry-After", "")
    return float(value) if value.isascii() and value.isdigit() and len(value) < _DIGITS_MOST else None
