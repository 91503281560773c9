"""`python -m benchmarks.faults.merges`: merges and their undoing, racing everything that writes about the same people.

It must hold that no row is left with somebody who was merged, that every former id leads to somebody who is not, in a
chain without a circle, that what a record is found by belongs to whom the record belongs to, and that no client sees an
error: a 404 only where somebody was deleted, a 409 only with a code of the contract. In the broken twin the database
does not refuse rows of the merged; the same look must find what that leaves.
"""

import argparse
import asyncio
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg
from fastapi import FastAPI

from app.kit import caller, due, migrate
from app.kit.db import Database
from app.kit.embedded import start_postgres
from app.kit.ids import new_id
from app.main import create_app
from app.settings import Settings, get_settings
from app.tenancy import bootstrap
from benchmarks.faults.cancel import ask
from workers.main import load_tasks

TRIALS: Final = 1_000
PEOPLE: Final = 4
AT_ONCE: Final = 10
CONNECTIONS: Final = 10
LOOKED: Final = 10
"""After so many trials everything due is done, and what is left is looked at."""

EXPECTED: Final = {
    "already_merged", "already_undone", "marked_different", "newer_merge", "match_conflict", "reentry_not_allowed",
}  # fmt: skip
OWNED: Final = (
    "records", "identifiers", "external_ids", "record_keys", "match_features", "terms", "consents", "contact_decisions",
    "contact_uses", "leases", "touchpoints", "scores", "pool_members", "pool_overrides", "enrollments", "messages",
    "aliases",
)  # fmt: skip
ORPHANS: Final = " union all ".join(
    f"select '{table} of the merged' as what from {table} t join candidates c using (tenant_id)"
    " where tenant_id = $1 and c.id = t.candidate_id and c.merged_into is not null"
    for table in OWNED
)
ASTRAY: Final = """
select 'an id that leads to nobody' as what from candidates c where tenant_id = $1 and c.merged_into is not null
  and not exists (select from aliases a where a.tenant_id = c.tenant_id and a.old_id = c.id)
union all
select 'an id of somebody who lives' from aliases a join candidates c using (tenant_id)
  where tenant_id = $1 and c.id = a.old_id and c.merged_into is null
union all
select 'a pair of the merged' from candidate_pairs p join candidates c using (tenant_id)
  where tenant_id = $1 and c.id in (p.left_id, p.right_id) and c.merged_into is not null and p.status = 'open'
union all
select 'keys of another' from record_keys k join records r using (tenant_id)
  where tenant_id = $1 and r.id = k.record_id and r.candidate_id <> k.candidate_id
union all
select 'features of another' from match_features f join records r using (tenant_id)
  where tenant_id = $1 and r.id = f.record_id and r.candidate_id <> f.candidate_id
union all
select 'a merge that is not in force' from merges m join candidates c using (tenant_id)
  where tenant_id = $1 and c.id = m.loser_id and m.state = 'done' and c.merged_into is distinct from m.survivor_id
"""
CIRCLES: Final = """
with recursive way as (
  select tenant_id, id as first, merged_into as next, 1 as steps from candidates
  where tenant_id = $1 and merged_into is not null
  union all
  select w.tenant_id, w.first, c.merged_into, w.steps + 1
  from way w join candidates c on c.tenant_id = w.tenant_id and c.id = w.next
  where c.merged_into is not null and w.steps < 100
) select 'a circle' as what from way where steps = 100
"""
ACTS: Final = (
    "merge", "merge", "patch", "put", "post", "touch", "touch_mail", "consent", "consents", "decision", "enroll",
    "enroll", "member", "member", "delete", "restore", "erase",
)  # fmt: skip
GOING: Final = {"delete", "erase"}
TOUCH: Final = {"type": "call", "occurred_at": "2026-11-01T00:00:00Z", "source": "race"}
QUESTION: Final = {"channel": "email", "purpose": "talent_pool"}
GRANT: Final = {**QUESTION, "status": "granted", "basis": "consent", "obtained_at": "2026-11-01T00:00:00Z"}

Act = tuple[str, str, str, Any]
"""Its name, and the request that it is."""


@dataclass(slots=True)
class Found:
    """What a run has found; `wrong` must be empty."""

    answers: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)

    def see(self, act: str, status: int, body: Any, *, somebody_is_gone: bool) -> None:
        """Count an answer, and judge it."""
        self.answers[f"{act} {status}"] += 1
        is_conflict = status == 409 and body["code"] in EXPECTED
        is_gone = status == 404 and somebody_is_gone
        if not (status < 300 or is_conflict or is_gone):
            self.wrong[f"{act}: {status} {(body or {}).get('code')}"] += 1


@dataclass(slots=True)
class People:
    """A tenant's key, what it has, and the people of one trial."""

    key: str
    sequence: str
    pool: str
    ids: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    """Each one's external id, and the name of their mailbox."""
    somebody_is_gone: bool = False


class Race:
    """Trials on one application."""

    def __init__(self, app: FastAPI, database_url: str, seed: int) -> None:
        self.app, self.database_url, self.dice = app, database_url.replace("+asyncpg", ""), random.Random(seed)
        self.database: Database = app.state.database
        self.found = Found()

    async def run(self, trials: int) -> Found:
        """Race so many times."""
        tenant_id, key, sequence, pool = await self._tenant()
        for trial in range(trials):
            await self._trial(await self._people(People(key, sequence, pool)))
            if trial % LOOKED == LOOKED - 1 or trial == trials - 1:
                await self._look(tenant_id)
        return self.found

    async def _tenant(self) -> tuple[UUID, str, str, str]:
        tenant_id, key = await bootstrap.issue(self.database, f"Merges {new_id()}", [caller.ADMIN], "harness")
        steps = [{"key": "pause", "type": "wait", "for": "P7D"}]
        sequence = await self._made(key, "/v1/sequences", {"key": "s", "name": "s", "steps": steps})
        await ask(self.app, key, "POST", f"/v1/sequences/{sequence}/activate")
        pool = await self._made(key, "/v1/pools", {"key": "p", "name": "p", "criteria": {"any": []}})
        return tenant_id, key, sequence, pool

    async def _made(self, key: str, path: str, body: Any) -> str:
        status, made = await ask(self.app, key, "POST", path, body)
        assert status == 201, made
        return str(made["id"])

    async def _people(self, people: People) -> People:
        for _ in range(PEOPLE):
            tag = new_id().hex
            body = {
                "full_name": f"A{tag[-8:]} B{tag[-16:-8]}",
                "email_addresses": [{"value": f"{tag}@example.com"}],
                "external_ids": [{"source": "ats", "id": tag}],
                "on_match": "create",
            }
            people.ids.append(await self._made(people.key, "/v1/candidates", body))
            people.tags.append(tag)
        return people

    async def _trial(self, people: People) -> None:
        """Merge these people in every direction while they are written about; then the same while it is undone."""
        names = ["merge"] * PEOPLE + self.dice.choices(ACTS, k=AT_ONCE)
        merges = await self._at_once(people, [self._act(people, name) for name in names])
        undone: list[Act] = [
            ("undo", "POST", f"/v1/merges/{each}/undo", {}) for each in merges if self.dice.random() < 0.5
        ]
        names = self.dice.choices(ACTS, k=AT_ONCE // 2)
        await self._at_once(people, undone + [self._act(people, name) for name in names])

    async def _at_once(self, people: People, acts: Sequence[Act]) -> list[str]:
        """Ask for all of this at the same time; return the merges that were made."""
        people.somebody_is_gone |= any(name in GOING for name, *_ in acts)
        answers = await asyncio.gather(*(self._ask(people.key, *request) for _, *request in acts))
        merges = []
        for (name, *_), (status, body) in zip(acts, answers, strict=True):
            self.found.see(name, status, body, somebody_is_gone=people.somebody_is_gone)
            if (name, status) == ("merge", 201):
                merges.append(body["id"])
        return merges

    async def _ask(self, key: str, method: str, path: str, body: Any) -> tuple[int, Any]:
        try:
            return await ask(self.app, key, method, path, body)
        except Exception as error:  # noqa: BLE001 (what a server would have answered by 500)
            return 500, {"code": type(error).__name__}

    def _act(self, people: People, name: str) -> Act:
        """Return a request about somebody, picked at random."""
        who = self.dice.randrange(PEOPLE)
        person, tag = people.ids[who], people.tags[who]
        other = people.ids[(who + self.dice.randrange(1, PEOPLE)) % PEOPLE]
        path, word = f"/v1/candidates/{person}", str(self.dice.random())
        mail = f"{tag}@example.com"
        requests: dict[str, tuple[str, str, Any]] = {
            "merge": ("POST", "/v1/merges", {"survivor_id": other, "loser_id": person, "override": True}),
            "patch": ("PATCH", path, {"headline": word}),
            "put": ("PUT", f"/v1/candidates/by-external-id/ats/{tag}", {"department": word}),
            "post": ("POST", "/v1/candidates", {"email_addresses": [{"value": mail}], "skills": [{"name": word}]}),
            "touch": ("POST", "/v1/touchpoints", {**TOUCH, "candidate_id": person}),
            "touch_mail": ("POST", "/v1/touchpoints", {**TOUCH, "email": mail}),
            "consent": ("POST", f"{path}/consents", GRANT),
            "consents": ("POST", "/v1/consents/batch", {"items": [{**GRANT, "candidate_id": person}]}),
            "decision": ("POST", "/v1/contact-decisions", {**QUESTION, "candidate_id": person}),
            "enroll": ("POST", f"/v1/sequences/{people.sequence}/enrollments", {"candidate_id": person}),
            "member": ("PUT", f"/v1/pools/{people.pool}/members/{person}", {"membership": "include"}),
            "delete": ("DELETE", path, None),
            "restore": ("POST", f"{path}/restore", None),
            "erase": ("POST", f"{path}/erase", None),
        }
        return (name, *requests[name if self._knows(name) else "delete"])

    def _knows(self, name: str) -> bool:
        return name != "erase" or any(getattr(each, "name", "") == "erase_candidate" for each in self.app.routes)

    async def _look(self, tenant_id: UUID) -> None:
        """Do what is due, then count what must not be."""
        await due.run_until_quiet(self.database)
        connection = await asyncpg.connect(self.database_url)
        try:
            for look in (ORPHANS, ASTRAY, CIRCLES):
                self.found.wrong.update(row["what"] for row in await connection.fetch(look, tenant_id))
        finally:
            await connection.close()


async def run(database_url: str, trials: int = TRIALS, seed: int = 1) -> Found:
    """Race so many times."""
    load_tasks()
    app = create_app(Settings(database_url=database_url, db_pool_size=CONNECTIONS, rate_limit=0))
    try:
        return await Race(app, database_url, seed).run(trials)
    finally:
        await app.state.database.close()


@asynccontextmanager
async def broken_twin(database_url: str) -> AsyncIterator[None]:
    """Let the database take rows of people who were merged."""
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    named = "from pg_trigger where tgname = 'no_row_of_the_merged'"
    tables = [
        row["of"] for row in await connection.fetch(f"select cast(cast(tgrelid as regclass) as text) as of {named}")
    ]
    try:
        for table in tables:
            await connection.execute(f"alter table {table} disable trigger no_row_of_the_merged")
        yield
    finally:
        for table in tables:
            await connection.execute(f"alter table {table} enable trigger no_row_of_the_merged")
        await connection.close()


async def prove(database_url: str, trials: int) -> bool:
    """Run it, and its broken twin for a fifth; say what was found, and whether both are as they must be."""
    found = await run(database_url, trials)
    print(dict(sorted(found.answers.items())), "wrong:", dict(found.wrong))
    async with broken_twin(database_url):
        twin = await run(database_url, trials // 5, seed=2)
    print("broken twin:", dict(twin.wrong))
    return not found.wrong and bool(twin.wrong)


def main() -> None:
    """Race on a database of its own; fail when something is not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=TRIALS)
    trials = parser.parse_args().trials
    with tempfile.TemporaryDirectory(prefix="tp-") as folder:
        Path(folder).chmod(0o755)
        os.environ |= {"TALENTPOOL_SECRET_KEY": "0" * 64, "TALENTPOOL_LOG_LEVEL": "ERROR"}
        get_settings.cache_clear()
        server = start_postgres(Path(folder) / "pg", durable=False)
        try:
            server.ensure_database("talentpool")
            url = server.database_url("talentpool")
            migrate.upgrade(url)
            is_right = asyncio.run(prove(url, trials))
        finally:
            server.stop()
    if not is_right:
        sys.exit("merges: not as it must be")


if __name__ == "__main__":
    main()
