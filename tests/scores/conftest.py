"""People with scores, and what happens to them."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

NewPerson = Callable[..., Awaitable[str]]
Happen = Callable[..., Awaitable[str]]


@pytest.fixture
def new_person(api: httpx.AsyncClient) -> NewPerson:
    """Makes candidates with these profile fields, and returns their ids."""

    async def make(**fields: Any) -> str:
        answer = await api.post("/v1/candidates", json={"full_name": "山田 花子", "on_match": "create", **fields})
        assert answer.status_code == 201, answer.text
        made: str = answer.json()["id"]
        return made

    return make


@pytest.fixture
def happen(api: httpx.AsyncClient) -> Happen:
    """Stores touchpoints, and returns their ids."""

    async def store(person: str, type_: str, at: str, **members: Any) -> str:
        body = {"candidate_id": person, "type": type_, "occurred_at": at, "source": "test", **members}
        answer = await api.post("/v1/touchpoints", json=body)
        assert answer.status_code == 201, answer.text
        made: str = answer.json()["id"]
        return made

    return store
