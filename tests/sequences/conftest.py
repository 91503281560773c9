"""A tenant that may send, people who may be written to, and a sender that does one pass."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from app.kit.db import Database
from app.kit.ids import new_id
from app.sequences.mailer import Begin, Envelope, Mailer, NullMailer, Outcome
from app.sequences.sending import Sender
from app.settings import get_settings
from tests.conftest import TenantFixture

SENDER = {
    "name": "株式会社例",
    "from_email": "talent@example.co.jp",
    "postal_address": "東京都千代田区1-1",
    "complaint_contact": "privacy@example.co.jp",
    "opt_out_notice": "配信はいつでも停止できます。",
    "unsubscribe_mailto": "stop@example.co.jp",
}
BODY = "<p>{{ candidate.full_name }}</p>{{ legal_footer }}"
GRANT = {
    "purpose": "talent_pool",
    "channel": "email",
    "status": "granted",
    "basis": "consent",
    "obtained_at": "2026-01-01T00:00:00Z",
}


class Answering(NullMailer):
    """Says what it is told, one outcome after the other, after asking whether it may begin."""

    def __init__(self, *outcomes: Outcome) -> None:
        super().__init__()
        self.outcomes = list(outcomes)

    async def send(self, envelope: Envelope, begin: Begin) -> Outcome:
        outcome = self.outcomes.pop(0) if self.outcomes else Outcome("sent", 250, "ok")
        if outcome.kind != "retry" and not await begin():
            return Outcome("withheld")
        if outcome.kind == "sent":
            self.recorded.append(envelope)
        return outcome


class World:
    """What a test of sequences talks to: the API, and the sender of one worker."""

    def __init__(self, api: httpx.AsyncClient, database: Database, drain: Callable[[], Awaitable[int]]) -> None:
        self.api, self.database, self.drain = api, database, drain
        self.mailer = NullMailer()

    def sender(self, mailer: Mailer | None = None) -> Sender:
        """Return the sender of a new worker."""
        return Sender(self.database, get_settings(), mailer or self.mailer, new_id())

    async def send(self, mailer: Mailer | None = None) -> int:
        """Do one pass of a new worker."""
        return await self.sender(mailer).once()

    async def post(self, path: str, body: Any = None, status: int | None = None) -> Any:
        answer = await self.api.post(path, json=body)
        assert status is None or answer.status_code == status, answer.text
        assert answer.status_code < 500, answer.text
        return answer.json()

    async def get(self, path: str) -> Any:
        answer = await self.api.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def candidate(self, *, granted: bool = True, **fields: Any) -> str:
        """Make a person with an address of their own, who may be written to."""
        email = f"p{new_id().hex}@example.com"
        body = {"full_name": "山田 太郎", "email_addresses": [{"value": email}], **fields}
        made: str = (await self.post("/v1/candidates", body, 201))["id"]
        if granted:
            await self.post(f"/v1/candidates/{made}/consents", GRANT, 201)
        return made

    async def template(self, **fields: Any) -> str:
        key = new_id().hex
        body = {"key": key, "subject": "こんにちは", "body": BODY, "language": "ja", **fields}
        made: str = (await self.post("/v1/templates", body, 201))["id"]
        return made

    async def sequence(self, *steps: dict[str, Any], **fields: Any) -> str:
        """Make and activate a sequence; without steps, of one mail `first`."""
        steps = steps or ({"key": "first", "type": "send", "template_id": await self.template()},)
        body = {"key": new_id().hex, "steps": list(steps), **fields}
        made: str = (await self.post("/v1/sequences", body, 201))["id"]
        await self.post(f"/v1/sequences/{made}/activate", status=200)
        return made

    async def enroll(self, sequence: str, candidate: str) -> str:
        entered: str = (await self.post(f"/v1/sequences/{sequence}/enrollments", {"candidate_id": candidate}))["id"]
        return entered

    async def messages(self, **filters: str) -> list[Any]:
        query = "&".join(f"{name}={value}" for name, value in filters.items())
        listed: list[Any] = (await self.get(f"/v1/messages?{query}"))["data"]
        return listed

    async def message(self, **filters: str) -> Any:
        [found] = await self.messages(**filters)
        return found


@pytest.fixture
async def world(
    api: httpx.AsyncClient, database: Database, drain: Callable[[], Awaitable[int]], tenant: TenantFixture
) -> AsyncIterator[World]:
    made = World(api, database, drain)
    assert (await api.patch("/v1/tenant", json={"sender": SENDER})).status_code == 200
    yield made
    async with database.transaction(tenant.caller) as session:  # senders serve every tenant: leave nothing to the next
        await session.run("update messages set state = 'cancelled' where state not in ('sent', 'refused')")
        await session.run("update sequences set status = 'paused' where status = 'active'")
