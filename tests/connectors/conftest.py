from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.connectors.hook import KEY, Connect, Hook, secret_of


@pytest.fixture
def connect(api: httpx.AsyncClient, client_of: Callable[[str], httpx.AsyncClient]) -> Connect:
    async def make(secret: str | None = None, **chosen: Any) -> Hook:
        body = {"provider": "sendgrid", "name": "Newsletter", "settings": chosen, "secret": secret or secret_of(KEY)}
        made = await api.post("/v1/connections", json=body)
        assert made.status_code == 201, made.text
        return Hook(api, client_of(""), made.json()["id"])

    return make


@pytest.fixture
async def hook(connect: Connect) -> Hook:
    return await connect()
