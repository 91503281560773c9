"""One person whom everything knows, and the search for what is left of them."""

from collections.abc import Awaitable, Callable
from typing import Final

import httpx
import pytest

from app.kit import jobs, json
from app.kit.db import Database, Session
from app.kit.models import Base
from app.sequences.mailer import Outcome
from tests.conftest import TenantFixture
from tests.connectors.hook import KEY, Hook, event, secret_of
from tests.sequences.conftest import GRANT, Answering, World, world

__all__ = ["world"]

NAME: Final = "髙橋 忘子"
NAMESAKE: Final = "高橋 忘子"
BORN: Final = "1991-02-03"
LOCAL: Final = "wasureko.takahashi"
EMAIL: Final = f"{LOCAL}@example.com"
PHONE: Final = "090-7431-8852"
EXTERNAL: Final = "ext-wasureko-77"
MARKS: Final = (NAME, "髙橋", "wasureko", "ワスレコ", "7431885", "7431-8852")
"""Whatever holds one of these tells who she is; her namesake has none of them."""
PROFILE: Final = {
    "full_name": NAME,
    "full_name_kana": "タカハシ ワスレコ",
    "other_names": ["Wasureko T."],
    "family_name": "髙橋",
    "given_name": "忘子",
    "family_name_kana": "タカハシ",
    "given_name_kana": "ワスレコ",
    "family_name_romaji": "Takahashi",
    "given_name_romaji": "Wasureko",
    "birth_date": BORN,
    "email_addresses": [{"value": EMAIL}],
    "phone_numbers": [{"value": PHONE}],
    "external_ids": [{"source": "ats", "id": EXTERNAL}],
    "links": [{"url": "https://github.com/wasureko"}],
    "headline": "wasureko's headline",
    "current_company": "株式会社wasureko",
    "department": "wasureko's",
    "location": {"city": "wasureko city"},
    "skills": [{"name": "wasureko"}],
    "interests": ["wasureko"],
    "tags": ["wasureko"],
    "sources": [{"type": "event", "name": "wasureko's party"}],
    "custom_fields": {"memo": "wasureko"},
}


class Somebody:
    """A person with traces in every table, made over HTTP."""

    def __init__(self, world: World, sender: httpx.AsyncClient) -> None:
        self.world, self.api, self._sender = world, world.api, sender
        self.id = self.former = self.namesake = ""

    async def live(self) -> None:
        """Go through everything that can happen to a person."""
        await self._arrive()
        await self._be_filed()
        await self._merge()
        await self._be_mailed()
        await self._be_told_of()
        await self.world.drain()

    async def _arrive(self) -> None:
        made = await self.api.post("/v1/candidates", json=PROFILE, headers={"Idempotency-Key": "made-wasureko"})
        assert made.status_code == 201, made.text
        self.id = made.json()["id"]
        evidence = {"evidence": {"kind": "mail", "detail": "letter of wasureko"}}
        await self.world.post(f"/v1/candidates/{self.id}/consents", {**GRANT, **evidence}, 201)

    async def _merge(self) -> None:
        """Have a pair with a namesake, whom somebody else becomes part of, and absorb another record."""
        namesake = {"full_name": NAMESAKE, "birth_date": BORN, "email_addresses": [{"value": "other@example.com"}]}
        self.namesake = (await self.world.post("/v1/candidates", {**namesake, "on_match": "review"}, 201))["id"]
        third = {"full_name": "Third Person", "email_addresses": [{"value": "third@example.com"}], "on_match": "create"}
        third_id = (await self.world.post("/v1/candidates", third, 201))["id"]
        [pair] = (await self.world.get("/v1/dedup/pairs"))["data"]
        noted = {"decision": "different", "note": "wasureko is older"}
        await self.world.post(f"/v1/dedup/pairs/{pair['id']}/decision", noted, 200)
        await self.world.post("/v1/merges", {"survivor_id": third_id, "loser_id": self.namesake}, 201)
        twin = {"full_name": NAME, "email_addresses": [{"value": f"{LOCAL}2@example.com"}], "on_match": "create"}
        self.former = (await self.world.post("/v1/candidates", twin, 201))["id"]
        await self.world.post("/v1/merges", {"survivor_id": self.id, "loser_id": self.former}, 201)

    async def _be_mailed(self) -> None:
        await self.world.enroll(await self.world.sequence(), self.id)
        await self.world.send(Answering(Outcome("sent", 250, "ok, wasureko")))
        pool = {"key": "people", "name": "People", "criteria": {"any": []}}
        pool_id = (await self.world.post("/v1/pools", pool, 201))["id"]
        path = f"/v1/pools/{pool_id}/members/{self.id}"
        assert (await self.api.put(path, json={"membership": "include", "note": "wasureko asked"})).status_code == 200
        noted = {"channel": "email", "value": EMAIL, "reason": "manual", "note": "wasureko asked"}
        await self.world.post("/v1/suppressions", noted, 201)

    async def _be_told_of(self) -> None:
        told = {"type": "note", "occurred_at": "2026-11-01T01:02:03Z", "source": "s", "data": {"text": f"about {NAME}"}}
        await self.world.post("/v1/touchpoints", {**told, "email": EMAIL, "external_id": "visit-wasureko"}, 201)
        body = {"provider": "sendgrid", "name": "Mails", "settings": {}, "secret": secret_of(KEY)}
        made = await self.world.post("/v1/connections", body, 201)
        hook = Hook(self.api, self._sender, made["id"])
        assert await hook.tell(event("open", email=EMAIL)) == 204

    async def _be_filed(self) -> None:
        content = f"氏名,携帯電話,メールアドレス\n{NAME},{PHONE},{EMAIL}\n".encode()
        sent = await self.api.post(
            "/v1/imports", files={"file": (f"{NAME}.csv", content)}, data={"commit": "auto", "source": "list"}
        )
        assert sent.status_code == 202, sent.text
        await jobs.run_jobs(self.world.database)


@pytest.fixture
async def somebody(world: World, client_of: Callable[[str], httpx.AsyncClient]) -> Somebody:
    return Somebody(world, client_of(""))


class Search:
    """Reads every row of every table of the tenant."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def tables(self, marks: tuple[str, ...] = MARKS) -> dict[str, set[str]]:
        """Return table → the columns in which one of the marks stands."""
        found: dict[str, set[str]] = {}
        for table in Base.metadata.sorted_tables:
            for column in table.columns:
                values = await self._session.rows(_select(table.name, column.name, str(column.type)))
                if any(_tells(str(row.value), marks) for row in values):
                    found.setdefault(table.name, set()).add(column.name)
        return found


def personal() -> dict[str, set[str]]:
    """Return table → its columns that are marked as telling a person."""
    marked = {
        table.name: {column.name for column in table.columns if column.info.get("personal")}
        for table in Base.metadata.sorted_tables
    }
    return {name: columns for name, columns in marked.items() if columns}


def _select(table: str, column: str, type_: str) -> str:
    text = f"encode(\"{column}\", 'escape')" if type_ == "BYTEA" else f'"{column}"::text'
    return f'select {text} as value from {table} where "{column}" is not null'  # noqa: S608 (names of the models)


def _tells(value: str, marks: tuple[str, ...]) -> bool:
    escaped = ["".join(chr(b) if b < 0x80 else f"\\{b:03o}" for b in mark.encode()) for mark in marks]
    unquoted = [json.dumps(mark).strip('"') for mark in marks]
    return any(mark.lower() in value.lower() for mark in (*marks, *escaped, *unquoted))


@pytest.fixture
async def left(database: Database, tenant: TenantFixture) -> Callable[[], Awaitable[dict[str, set[str]]]]:
    """Tells where something that names the person is left."""

    async def look() -> dict[str, set[str]]:
        async with database.transaction(tenant.caller) as session:
            return await Search(session).tables()

    return look
