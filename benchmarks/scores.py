"""Scoring what a mailing brought back, beside one statement that aggregates and writes the same rows.

On a database of its own without any worker: what is timed is the drain of scores and nothing beside it.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg

from app import wiring
from app.kit import due, json, migrate
from app.kit.db import Database
from app.kit.embedded import start_postgres
from app.scores.default_model import DEFAULT_MODEL
from app.tenancy import bootstrap
from benchmarks import crowd, report
from benchmarks.report import Figure
from workers.main import load_tasks

SIZES: Final = (100_000, 1_000_000)
SIGNALS: Final = 100_000
DATABASE: Final = "talentpool"
MODEL: Final = """
insert into score_models (tenant_id, id, key, version, state, definition, published_at)
values ($1, uuidv7(), 'default', 2, 'published', $2, now())
on conflict (tenant_id, key, version) do update set definition = excluded.definition
"""
AGGREGATE: Final = """
with touched as (
  select distinct candidate_id from touchpoints where tenant_id = $1 and source = 'mailing' and external_id like $2
), rules(type, points) as (
  select type, max(points) from jsonb_to_recordset($3) as r(type text, points float8) group by type
), sums as (
  select t.candidate_id, max(t.occurred_at) as since, sum(r.points * case t.actor when 'human' then 1 else 0.5 end
    * power(2::float8, -extract(epoch from now() - t.occurred_at)::float8 / 2592000)) as value
  from touchpoints t join rules r using (type)
  where t.tenant_id = $1 and t.actor <> 'machine' and t.candidate_id in (select candidate_id from touched)
  group by t.candidate_id
), placed as (
  select *, case when value >= 50 then 50 when value >= 20 then 20 end as bound from sums
)
insert into bench.scores
select $1, 'default', 2, candidate_id, 0, value, now(), 30, ln(greatest(value, 1e-9)) / ln(2::float8),
  case bound when 50 then 'hot' when 20 then 'warm' else 'cold' end,
  now() + make_interval(secs => ln(value / bound) / ln(2::float8) * 2592000),
  now() + make_interval(secs => ln(value / bound) / ln(2::float8) * 2592000), now()
from placed
on conflict (tenant_id, model_key, model_version, candidate_id) do update set interest = excluded.interest,
  since = excluded.since, rank_key = excluded.rank_key, tier = excluded.tier, computed_at = excluded.computed_at,
  tier_changes_at = excluded.tier_changes_at, next_event_at = excluded.next_event_at
"""


@dataclass(frozen=True)
class Ground:
    """A database with a tenant: as the product sees it, and as no policy holds."""

    database: Database
    connection: asyncpg.Connection
    tenant_id: UUID


def measure(sizes: Sequence[int] = SIZES) -> list[Figure]:
    """Load the pools, one growing from the other, and time both ways with and without caps."""
    wiring.wire()
    load_tasks()
    with _server() as url:
        return asyncio.run(_measure(url, sizes))


async def _measure(url: str, sizes: Sequence[int]) -> list[Figure]:
    figures, speeds = [], []
    async with _ground(url) as ground:
        people = 0
        for size in sizes:
            await crowd.grow(ground.connection, ground.tenant_id, people, size)
            people = size
            await _race(ground, f"warm{size}", capped=False)
            for capped in (False, True):
                ours, bare = await _race(ground, f"{'caps' if capped else 'none'}{size}", capped=capped)
                what = f"scoring {SIGNALS:,} signals in a pool of {size:,}, {'with' if capped else 'without'} caps"
                figures.append(Figure(what, ours, "s", bare, "≤ 4" if capped else "≤ 2"))
                speeds.append(ours)
    growth = sum(speeds[-2:]) / sum(speeds[:2])
    what = f"the same: a pool of {sizes[-1]:,} against one of {sizes[0]:,}"
    return [*figures, Figure(what, growth, "×", target="≤ 1.1")]


@contextmanager
def _server() -> Iterator[str]:
    """Start a database of its own; yield its address."""
    with tempfile.TemporaryDirectory(prefix="tp-bench-") as folder:
        Path(folder).chmod(0o755)  # the server runs as another user when this is root
        server = start_postgres(Path(folder) / "pg", durable=True)
        try:
            server.ensure_database(DATABASE)
            url = server.database_url(DATABASE)
            migrate.upgrade(url)
            yield url
        finally:
            server.stop()


@asynccontextmanager
async def _ground(url: str) -> AsyncIterator[Ground]:
    database = Database(url)
    tenant_id, _ = await bootstrap.issue(database, "Bench", [], "bench")
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
    await connection.execute("create schema bench; create table bench.scores (like scores including all)")
    yield Ground(database, connection, tenant_id)
    await connection.close()
    await database.close()


async def _race(ground: Ground, name: str, *, capped: bool) -> tuple[float, float]:
    """Return the seconds that ours and the one statement take for one mailing."""
    rules = _rules(capped=capped)
    definition = {**DEFAULT_MODEL.model_dump(mode="json", by_alias=True), "interest_rules": rules}
    await ground.connection.execute(MODEL, ground.tenant_id, definition)
    await crowd.mail(ground.connection, ground.tenant_id, name, SIGNALS, timedelta(hours=2))
    flat = [{"type": type_, "points": rule["points"]} for rule in rules for type_ in rule["types"]]
    begun = time.perf_counter()
    await ground.connection.execute(AGGREGATE, ground.tenant_id, f"{name}:%", flat)
    bare = time.perf_counter() - begun
    begun = time.perf_counter()
    while await due.run_kind(ground.database, "score"):
        pass
    ours = time.perf_counter() - begun
    await _done(ground)
    return ours, bare


def _rules(*, capped: bool) -> list[dict[str, Any]]:
    """Return the rules of the default model, their caps left out unless they are asked for."""
    dumped = DEFAULT_MODEL.model_dump(mode="json", by_alias=True)["interest_rules"]
    return [each if capped else {**each, "cap": None} for each in dumped]


async def _done(ground: Ground) -> None:
    """Make sure that everybody was counted, and forget the due work of others."""
    failed = await ground.connection.fetchval("select count(*) from due where kind = 'score' and attempts > 0")
    late = await ground.connection.fetchval("select count(*) from due where kind = 'score' and due_at <= now()")
    assert failed == late == 0, (failed, late)
    await ground.connection.execute("delete from due where kind <> 'score'")
    await ground.connection.execute("vacuum analyze due, scores, bench.scores")


if __name__ == "__main__":
    report.table(measure([int(each) for each in sys.argv[1:]] or SIZES))
