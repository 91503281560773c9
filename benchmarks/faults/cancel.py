"""`python -m benchmarks.faults.cancel`: requests of many tenants over few connections, a third given up at random.

It must hold that nobody is shown a row of another tenant, that a transaction in no tenant sees no row at all, and that
no connection is left inside a transaction or outside of the pool. The broken twin sets the tenant for the connection
instead of for the transaction; the same look must find what that leaks.
"""

import asyncio
import json
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.kit import caller, db, migrate
from app.kit.db import Database
from app.kit.embedded import start_postgres
from app.kit.ids import new_id
from app.main import create_app
from app.settings import Settings, get_settings
from app.tenancy import bootstrap

REQUESTS: Final = 50_000
TENANTS: Final = 20
PEOPLE: Final = 5
GIVEN_UP: Final = 0.3
PATIENCE_MS: Final = 12
"""A request that is given up has waited for up to so long."""
CONNECTIONS: Final = 4
SIDE_BY_SIDE: Final = 24
STRAYS: Final = 50
"""After so many requests one look in no tenant."""
SETTLED_S: Final = 5.0
IDLE: Final = """
select count(*) from pg_stat_activity where application_name = 'talentpool' and state like 'idle in transaction%'
"""


@dataclass(frozen=True, slots=True)
class Tenant:
    """One client: its key, its people, and the tag that all of them wear."""

    key: str
    tag: str
    people: list[str]


@dataclass(slots=True)
class Found:
    """What a run has found; all but the first two must be nothing."""

    statuses: Counter[int] = field(default_factory=Counter)
    given_up: int = 0
    foreign: int = 0
    strays: int = 0
    failed: int = 0
    left_in_transaction: int = 0
    left_checked_out: int = 0

    @property
    def is_clean(self) -> bool:
        return not (self.foreign or self.strays or self.failed or self.left_in_transaction or self.left_checked_out)


async def run(database_url: str, requests: int = REQUESTS, tenants: int = TENANTS, seed: int = 1) -> Found:
    """Ask so many times, giving up at random, and look at what is left."""
    dice = random.Random(seed)
    app = create_app(Settings(database_url=database_url, db_pool_size=CONNECTIONS, rate_limit=0))
    database: Database = app.state.database
    try:
        crowd = [await _populate(app, database) for _ in range(tenants)]
        found, turns = Found(), iter(range(requests))
        askers = (
            _ask_on(app, database, crowd, turns, found, random.Random(dice.random())) for _ in range(SIDE_BY_SIDE)
        )
        await asyncio.gather(*askers)
        await _look_at_the_rest(database, found)
    finally:
        await database.close()
    return found


async def _populate(app: FastAPI, database: Database) -> Tenant:
    tag = f"of-{new_id()}"
    _, key = await bootstrap.issue(database, f"Cancel {tag}", [caller.ADMIN], "harness")
    people = []
    for number in range(PEOPLE):
        _, made = await ask(app, key, "POST", "/v1/candidates", {"full_name": f"Person {number}", "tags": [tag]})
        people.append(made["id"])
    return Tenant(key, tag, people)


async def _ask_on(
    app: FastAPI, database: Database, crowd: list[Tenant], turns: Iterator[int], found: Found, dice: random.Random
) -> None:
    for turn in turns:
        tenant, other = dice.sample(crowd, 2)
        asked = asyncio.create_task(ask(app, tenant.key, *_request(tenant, other, dice)))
        if dice.random() < GIVEN_UP:
            await asyncio.sleep(dice.random() * PATIENCE_MS / 1000)
            asked.cancel()
        with suppress(asyncio.CancelledError):
            status, body = await asked
            found.statuses[status] += 1
            found.failed += status >= 500
            found.foreign += _foreign(tenant, other, status, body)
        found.given_up += asked.cancelled()
        if turn % STRAYS == 0:
            found.strays += await _seen_from_nowhere(database)


def _request(tenant: Tenant, other: Tenant, dice: random.Random) -> tuple[str, str, Any]:
    mine, theirs = dice.choice(tenant.people), dice.choice(other.people)
    choices: list[tuple[str, str, Any]] = [
        ("GET", "/v1/candidates", None),
        ("POST", "/v1/candidates/search", {"q": "Person"}),
        ("GET", f"/v1/candidates/{mine}", None),
        ("GET", f"/v1/candidates/{theirs}", None),
        ("PATCH", f"/v1/candidates/{mine}", {"headline": str(dice.random())}),
        ("PATCH", f"/v1/candidates/{theirs}", {"headline": "stolen"}),
    ]
    return dice.choice(choices)


def _foreign(tenant: Tenant, other: Tenant, status: int, body: Any) -> int:
    """Count the rows of an answer that are not the asking tenant's."""
    if status >= 400:
        return 0
    rows = body.get("data", [body])
    return sum(row["tags"] != [tenant.tag] or row["id"] in other.people for row in rows)


async def _seen_from_nowhere(database: Database) -> int:
    """Count what a transaction in no tenant sees: the policies must refuse it, whoever used the connection before."""
    try:
        async with database.outside() as connection:
            return int((await connection.execute(text("select count(*) from candidates"))).scalar_one())
    except DBAPIError:
        return 0


async def _look_at_the_rest(database: Database, found: Found) -> None:
    end = asyncio.get_running_loop().time() + SETTLED_S
    pool: Any = database.engine.pool
    while pool.checkedout() and asyncio.get_running_loop().time() < end:
        await asyncio.sleep(0.05)
    found.left_checked_out = pool.checkedout()
    async with database.outside() as connection:
        found.left_in_transaction = (await connection.execute(text(IDLE))).scalar_one()


async def ask(app: FastAPI, key: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Ask the application in this process, so that giving up reaches whatever it is just doing."""
    sent = b"" if body is None else json.dumps(body).encode()
    status, received = 0, bytearray()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": sent, "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)
        received.extend(message.get("body", b""))

    headers = [(b"authorization", f"Bearer {key}".encode()), (b"content-type", b"application/json")]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": path, "raw_path": path.encode(), "root_path": "", "query_string": b"", "headers": headers,
        "server": ("testserver", 80), "client": ("127.0.0.1", 1), "state": {},
    }  # fmt: skip
    await app(scope, receive, send)
    return status, json.loads(received or b"null")


def broken_twin() -> AbstractContextManager[str]:
    """Set the tenant for the connection, and not for the transaction alone."""
    right = db._BEGIN  # noqa: SLF001 (what is broken here)
    return patch.object(db, "_BEGIN", right.replace("true", "false"))


def main() -> None:
    """Run it, and its broken twin for a fiftieth; say what was found, and fail when either is not as it must be."""
    with tempfile.TemporaryDirectory(prefix="tp-") as folder:
        Path(folder).chmod(0o755)
        os.environ |= {"TALENTPOOL_SECRET_KEY": "0" * 64, "TALENTPOOL_LOG_LEVEL": "ERROR"}
        get_settings.cache_clear()
        server = start_postgres(Path(folder) / "pg", durable=False)
        try:
            server.ensure_database("talentpool")
            url = server.database_url("talentpool")
            migrate.upgrade(url)
            found = asyncio.run(run(url))
            print(found)
            with broken_twin():
                twin = asyncio.run(run(url, REQUESTS // 50))
            print(f"broken twin: {twin}")
        finally:
            server.stop()
    if not found.is_clean or twin.is_clean:
        sys.exit("cancel: not as it must be")


if __name__ == "__main__":
    main()
