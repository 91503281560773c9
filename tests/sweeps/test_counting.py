"""What the doors have kept wrong of how many candidates hold a value is put right by a sweep, whatever its engine."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx

from app.kit import due, jobs
from app.kit.db import Database
from app.sweeps import repository, service
from app.sweeps.engines import Engine
from app.sweeps.exported import Exported
from tests.conftest import TenantFixture

SAID = (
    {"full_name": "佐藤 健", "current_company": "株式会社 山"},
    {"full_name": "佐藤 健", "current_company": "株式会社 川"},
    {"full_name": "Müller Anna", "current_company": "株式会社 山"},
)


async def test_a_sweep_counts_anew(
    engine: Engine,
    new_tenant: Callable[[], Awaitable[TenantFixture]],
    client_of: Callable[[str], httpx.AsyncClient],
    database: Database,
) -> None:
    tenant = await new_tenant()
    api = client_of(tenant.key)
    for said in SAID:
        await api.post("/v1/candidates", json={**said, "on_match": "create"})
    async with database.transaction(tenant.caller) as session:
        kept = await _counts(database, tenant)
        assert sorted(kept.values()) == [1, 1, 2, 2]
        one, two, three, _ = sorted(kept)
        await session.run("delete from term_frequencies where value_hash = :h", h=one)
        await session.run("update term_frequencies set n = n + 7 where value_hash = :h", h=two)
        await session.run("update term_frequencies set n = n - 1 where value_hash = :h", h=three)
        await session.run("insert into term_frequencies (value_hash, n) values (decode('00ff', 'hex'), 3)")
        await session.run("insert into term_frequencies (value_hash, n) values (decode('00fe', 'hex'), 0)")
        await service.start(session, engine)
    await jobs.run_jobs(database)
    await due.run_until_quiet(database)
    assert await _counts(database, tenant) == kept


async def test_people_and_counts_are_copied_as_they_were_at_one_moment(
    api: httpx.AsyncClient, tenant: TenantFixture, database: Database, tmp_path: Path
) -> None:
    for said in SAID[:2]:
        await api.post("/v1/candidates", json={**said, "on_match": "create"})
    exported = Exported(tmp_path, b"secret")
    async with database.transaction(tenant.caller, one_view=True) as session:
        await api.post("/v1/candidates", json={**SAID[2], "on_match": "create"})
        await repository.export(session, exported)
    _, *people = exported.features.read_text().splitlines()
    _, *counts = exported.counts.read_text().splitlines()
    assert (len(people), sorted(int(row.rpartition(",")[2]) for row in counts)) == (2, [1, 1, 2])


async def _counts(database: Database, tenant: TenantFixture) -> dict[bytes, int]:
    async with database.transaction(tenant.caller) as session:
        return {row.value_hash: row.n for row in await session.rows("select value_hash, n from term_frequencies")}
