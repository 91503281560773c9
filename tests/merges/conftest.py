"""People to be merged, and everything that can be known of them, over HTTP."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from app.kit.ids import new_id


class Desk:
    """What a recruiter does when two people turn out to be one."""

    def __init__(self, api: httpx.AsyncClient, drain: Callable[[], Awaitable[int]]) -> None:
        self.api, self.drain = api, drain

    async def ask(self, method: str, path: str, body: Any = None, status: int | None = None) -> Any:
        answer = await self.api.request(method, path, json=body)
        assert answer.status_code == status if status else answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    async def post(self, path: str, body: Any = None, status: int | None = None) -> Any:
        return await self.ask("POST", path, body, status)

    async def get(self, path: str) -> Any:
        return await self.ask("GET", path)

    async def person(self, **fields: Any) -> str:
        """Make somebody whom nobody matches."""
        fields.setdefault("full_name", f"N{new_id().hex[-9:]} M{new_id().hex[-9:]}")
        fields.setdefault("email_addresses", [{"value": f"p{new_id().hex}@example.com"}])
        made: str = (await self.post("/v1/candidates", {**fields, "on_match": "create"}, 201))["id"]
        return made

    async def read(self, person: str) -> Any:
        return await self.get(f"/v1/candidates/{person}")

    async def merge(self, survivor: str, loser: str, status: int = 201, **terms: Any) -> Any:
        return await self.post("/v1/merges", {"survivor_id": survivor, "loser_id": loser, **terms}, status)

    async def undo(self, merge: Any, status: int = 200, **terms: Any) -> Any:
        return await self.post(f"/v1/merges/{merge['id']}/undo", terms, status)

    async def touch(self, status: int = 201, **told: Any) -> Any:
        said = {"type": "call", "occurred_at": "2026-11-01T00:00:00Z", "source": "s", **told}
        return await self.post("/v1/touchpoints", said, status)

    async def consent(self, person: str, status: str = "granted", purpose: str = "talent_pool", **said: Any) -> Any:
        basis = {"basis": "consent", "obtained_at": "2026-11-01T00:00:00Z"} if status == "granted" else {}
        body = {"purpose": purpose, "channel": "email", "status": status, **basis, **said}
        return await self.post(f"/v1/candidates/{person}/consents", body, 201)

    async def rows(self, path: str) -> list[Any]:
        listed: list[Any] = (await self.get(f"{path}{'&' if '?' in path else '?'}limit=200"))["data"]
        return listed

    async def changes(self, since: str) -> list[Any]:
        return list((await self.get(f"/v1/changes?since={since}&limit=200"))["data"])

    async def end(self) -> str:
        return str((await self.get("/v1/changes?since=now"))["next_cursor"])


@pytest.fixture
def desk(api: httpx.AsyncClient, drain: Callable[[], Awaitable[int]]) -> Desk:
    return Desk(api, drain)
