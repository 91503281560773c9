"""What a recruiter does before there is anything to see: people, consents, touchpoints, a pool."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

NOW = datetime.now(UTC)


def ago(**span: float) -> str:
    return (NOW - timedelta(**span)).isoformat()


class Recruiter:
    """Writes through the API, and lets the service finish what follows."""

    def __init__(self, api: httpx.AsyncClient, drain: Callable[[], Awaitable[int]]) -> None:
        self.api = api
        self.drain = drain

    async def post(self, path: str, body: Any, status: int = 201) -> Any:
        answer = await self.api.post(path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def person(self, name: str, **fields: Any) -> str:
        body = {"full_name": name, "email_addresses": [{"value": f"{name.lower()}@example.com"}], **fields}
        return str((await self.post("/v1/candidates", body))["id"])

    async def touch(self, person: str, type_: str, **fields: Any) -> None:
        body = {"candidate_id": person, "type": type_, "occurred_at": ago(hours=1), "source": "test", **fields}
        await self.post("/v1/touchpoints", body)

    async def permit(self, person: str) -> None:
        grant = {
            "purpose": "recruiting",
            "channel": "email",
            "status": "granted",
            "basis": "consent",
            "obtained_at": ago(days=1),
        }
        await self.post(f"/v1/candidates/{person}/consents", grant)

    async def pool(self, key: str, criteria: Any, **fields: Any) -> str:
        made = await self.post("/v1/pools", {"key": key, "name": key, "criteria": criteria, **fields})
        await self.drain()
        return str(made["id"])

    async def members(self, pool: str) -> set[str]:
        await self.drain()
        answer = await self.api.get(f"/v1/pools/{pool}/members", params={"limit": 200})
        assert answer.status_code == 200, answer.text
        return {each["candidate_id"] for each in answer.json()["data"]}

    async def approaches(self, pool: str, **query: Any) -> list[Any]:
        await self.drain()
        answer = await self.api.get(f"/v1/pools/{pool}/approach-list", params=query)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["data"])


@pytest.fixture
def recruiter(api: httpx.AsyncClient, drain: Callable[[], Awaitable[int]]) -> Recruiter:
    return Recruiter(api, drain)
