"""People to whom something happens."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

NewPerson = Callable[..., Awaitable[str]]


@pytest.fixture
def new_person(api: httpx.AsyncClient) -> NewPerson:
    """Makes candidates, with or without an address and an external id, and returns their ids."""

    async def make(email: str | None = None, external_id: tuple[str, str] | None = None) -> str:
        body: dict[str, Any] = {"full_name": "山田 花子", "on_match": "create"}
        if email is not None:
            body["email_addresses"] = [{"value": email}]
        if external_id is not None:
            body["external_ids"] = [{"source": external_id[0], "id": external_id[1]}]
        answer = await api.post("/v1/candidates", json=body)
        assert answer.status_code == 201, answer.text
        made: str = answer.json()["id"]
        return made

    return make
