"""HTTP clients: every call that leaves a process of ours begins here."""

from typing import Final

import httpx

TIMEOUT_S: Final = 60.0


def service_client(base_url: str, key: str, transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """Return a client of a running service, for commands; it carries the key and follows no redirect."""
    return httpx.Client(
        base_url=base_url, headers={"Authorization": f"Bearer {key}"}, timeout=TIMEOUT_S, transport=transport
    )
