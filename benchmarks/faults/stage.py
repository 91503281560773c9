"""What a harness of faults stands on: a database of its own, a tenant with mails due, workers that can be killed.

Workers are forked from a process that has imported everything, so that fifty of them cost no minutes; each is a process
of its own all the same, and dies of SIGKILL as any other.
"""

import multiprocessing
import os
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg
from fastapi import FastAPI

from app.kit import caller, migrate
from app.kit.caller import Caller
from app.kit.db import Database
from app.kit.embedded import PostgresServer, start_postgres
from app.kit.ids import new_id
from app.main import create_app
from app.settings import Settings, get_settings
from app.tenancy import bootstrap
from benchmarks.faults.cancel import ask

SENDER: Final = {
    "name": "株式会社例",
    "from_email": "talent@example.co.jp",
    "postal_address": "東京都千代田区1-1",
    "complaint_contact": "privacy@example.co.jp",
    "opt_out_notice": "配信はいつでも停止できます。",
    "unsubscribe_mailto": "stop@example.co.jp",
}
BODY: Final = """<html><body><h1>{{ candidate.full_name }} 様</h1><p>お元気ですか。次の勉強会のお知らせです。</p>
<p><a href="https://www.example.co.jp/event">詳しくはこちら</a></p>{{ legal_footer }}</body></html>"""
EVERY: Final = 20
"""Of the people, every twentieth is suppressed."""
PEOPLE: Final = """
create temp table made on commit drop as select n, uuidv7() as id from generate_series(1, {people}) n;
"""
FILL: Final = """
insert into candidates (tenant_id, id, full_name, language, email_addresses, retention_expires_on, retention_basis,
  updated_at)
select '{tenant}', id, '山田 ' || n || '郎', 'ja', jsonb_build_array(jsonb_build_object('value',
  'p' || n || '@d' || n % 50 || '.example.com', 'raw', 'p' || n || '@d' || n % 50 || '.example.com',
  'type', 'personal', 'is_primary', true)), current_date + 1000, 'consent',
  now() - interval '1 day' from made;
insert into consents (tenant_id, id, candidate_id, arrived_with, purpose, channel, status, basis, actor, obtained_at,
  created_at)
select '{tenant}', uuidv7(), id, id, 'talent_pool', 'email', 'granted', 'consent', 'harness', now() - interval '1 day',
  now() - interval '1 day' from made;
insert into enrollments (tenant_id, id, sequence_id, sequence_revision, candidate_id, arrived_with, step, entered_by,
  started_at)
select '{tenant}', uuidv7(), '{sequence}', 1, id, id, 'first', 'harness', now() from made;
insert into messages (tenant_id, id, enrollment_id, sequence_id, sequence_revision, step, candidate_id, purpose,
  template_id, template_revision, due_at, scheduled_at)
select e.tenant_id, uuidv7(), e.id, e.sequence_id, 1, 'first', e.candidate_id, 'talent_pool', '{template}', 1, now(),
  now()
from enrollments e join made on made.id = e.candidate_id
"""


@dataclass
class Stage:
    """A running database, and what stands in it."""

    folder: Path
    postgres: PostgresServer
    environment: dict[str, str]

    @property
    def url(self) -> str:
        return self.postgres.database_url("talentpool")

    async def connect(self) -> asyncpg.Connection:
        """Open a connection that no policy holds."""
        return await asyncpg.connect(self.url.replace("+asyncpg", ""))

    def kill_postgres(self, *, is_durable: bool) -> None:
        """Kill the server as a fault would, and start it again on the same folder."""
        os.kill(self.postgres.pid, signal.SIGKILL)
        self.postgres.stop()
        self.postgres = start_postgres(self.folder / "pg", durable=is_durable)


@contextmanager
def stage(*, is_durable: bool = False) -> Iterator[Stage]:
    """Start a database, built by the migrations; stop it and forget it at the end."""
    with tempfile.TemporaryDirectory(prefix="tp-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        postgres = start_postgres(folder / "pg", durable=is_durable)
        try:
            postgres.ensure_database("talentpool")
            url = postgres.database_url("talentpool")
            migrate.upgrade(url)
            place = Stage(
                folder,
                postgres,
                {
                    "DATABASE_URL": url,
                    "TALENTPOOL_DATA_DIR": str(folder / "data"),
                    "TALENTPOOL_SECRET_KEY": "0" * 64,
                    "TALENTPOOL_RATE_LIMIT": "0",
                    "TALENTPOOL_LOG_LEVEL": "CRITICAL",
                    "PUBLIC_BASE_URL": "https://talent.example.com",
                },
            )
            before = {name: os.environ.get(name, "") for name in place.environment}
            adopt(place.environment)
            try:
                yield place
            finally:
                postgres = place.postgres
                adopt(before)
        finally:
            postgres.stop()


def adopt(environment: Mapping[str, str]) -> None:
    """Let this process have these settings, and those that are empty no more."""
    os.environ.update(environment)
    for name in (name for name, value in environment.items() if not value):
        del os.environ[name]
    get_settings.cache_clear()


@dataclass(frozen=True)
class Crowd:
    """A tenant, its sequence, and the addresses that nobody may write to."""

    caller: Caller
    key: str
    sequence_id: UUID
    suppressed: frozenset[str]


async def crowd(place: Stage, people: int, name: str = "Harness") -> Crowd:
    """Make a tenant of so many people, each with one mail due, every twentieth of them suppressed."""
    app = create_app(Settings())
    database: Database = app.state.database
    try:
        tenant_id, key = await bootstrap.issue(database, f"{name} {new_id()}", [caller.ADMIN], "harness")
        await _put(app, key, "PATCH", "/v1/tenant", {"sender": SENDER})
        wording = {"key": "hello", "subject": "{{ candidate.full_name }} 様へ", "body": BODY}
        template = await _put(app, key, "POST", "/v1/templates", wording)
        step = {"key": "first", "type": "send", "template_id": template["id"]}
        sequence = await _put(app, key, "POST", "/v1/sequences", {"key": "hello", "steps": [step]})
        await _put(app, key, "POST", f"/v1/sequences/{sequence['id']}/activate", {})
        connection = await place.connect()
        async with connection.transaction():
            await connection.execute(PEOPLE.format(people=people))
            await connection.execute(FILL.format(tenant=tenant_id, sequence=sequence["id"], template=template["id"]))
        await connection.execute("analyze")
        await connection.close()
        addresses = [f"p{n}@d{n % 50}.example.com" for n in range(EVERY, people + 1, EVERY)]
        for each in addresses:
            body = {"channel": "email", "value": each, "reason": "manual"}
            await _put(app, key, "POST", "/v1/suppressions", body)
        return Crowd(caller.system(tenant_id, "harness"), key, UUID(sequence["id"]), frozenset(addresses))
    finally:
        await database.close()


async def _put(app: FastAPI, key: str, method: str, path: str, body: Any) -> Any:
    status, answer = await ask(app, key, method, path, body)
    if status >= 400:
        raise RuntimeError(path, answer)
    return answer


class Crew:
    """So many processes that do the same; any of them can be killed, and is replaced at once."""

    def __init__(self, work: Callable[..., None], *arguments: object) -> None:
        self._work, self._arguments = work, arguments
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([work.__module__])
        self.members: list[BaseProcess] = []
        self.deaths = 0

    def hire(self, *more: object) -> BaseProcess:
        """Start one more."""
        process = self._context.Process(target=self._work, args=(*self._arguments, *more), daemon=True)
        process.start()
        self.members.append(process)
        return process

    def bury(self) -> int:
        """Forget those that are dead; return how many there were."""
        dead = [each for each in self.members if not each.is_alive()]
        self.members = [each for each in self.members if each.is_alive()]
        self.deaths += len(dead)
        return len(dead)

    def kill(self, member: BaseProcess) -> None:
        """Kill one of them, as the system would."""
        if member.pid is not None:
            os.kill(member.pid, signal.SIGKILL)
        member.join()

    def dismiss(self) -> None:
        """Kill everybody."""
        for each in self.members:
            each.kill()
            each.join()
        self.members = []
