"""Scoring what a mailing brought back, beside one statement that aggregates and writes the same rows.

On a database of its own without any worker: what is timed is the drain of scores and nothing beside it.
"""

import argparse
import asyncio
import statistics
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from app import wiring
from app.kit import due, garbage
from app.scores.default_model import DEFAULT_MODEL
from benchmarks import crowd, crowds, report
from benchmarks.crowds import Ground
from benchmarks.report import Figure
from workers.main import load_tasks

SIZES: Final = (100_000, 1_000_000)
SIGNALS: Final = 100_000
MAILINGS: Final = 3
"""Those that are measured; one before them warms up."""

MODEL: Final = """
insert into score_models (tenant_id, id, key, version, state, definition, published_at)
values ($1, uuidv7(), 'default', 2, 'published', $2, now())
on conflict (tenant_id, key, version) do update set definition = excluded.definition
"""
AGGREGATE: Final = """
with touched as (
  select distinct candidate_id from touchpoints where tenant_id = $1 and source = 'mailing' and external_id like $2
), rules as (
  select * from jsonb_to_recordset($3) as r(rule text, type text, points float8, once text)
), counted as (
  select distinct on (t.candidate_id, rule, slot) t.candidate_id, t.occurred_at,
    r.points * case t.actor when 'human' then 1 else 0.5 end as points
  from touchpoints t join rules r using (type), lateral (select coalesce(case r.once
    when 'day' then (t.occurred_at at time zone 'Asia/Tokyo')::date::text
    when 'message_link' then t.message_id || ' ' || (t.data->>'url')
    when 'event' then t.data#>>'{event,id}' end, t.id::text) as slot) as once
  where t.tenant_id = $1 and t.actor <> 'machine' and t.occurred_at <= now()
    and t.candidate_id in (select candidate_id from touched)
  order by t.candidate_id, rule, slot, t.occurred_at, t.source, t.external_id
), sums as (
  select candidate_id, max(occurred_at) as since,
    sum(points * power(2::float8, -extract(epoch from now() - occurred_at)::float8 / 2592000)) as value
  from counted group by candidate_id
), placed as (
  select *, value * power(2::float8, extract(epoch from now() - since)::float8 / 2592000) as interest,
    now() + make_interval(secs => ln(value / case when value >= 50 then 50 when value >= 20 then 20 end)
      / ln(2::float8) * 2592000) as crossing from sums
)
insert into bench.scores
select $1, 'default', 2, candidate_id, 0, interest, since, 30,
  ln(interest) / ln(2::float8) + extract(epoch from since)::float8 / 2592000 + 1,
  case when value >= 50 then 'hot' when value >= 20 then 'warm' else 'cold' end, crossing,
  crossing + interval '1 ms', now()
from placed
on conflict (tenant_id, model_key, model_version, candidate_id) do update set interest = excluded.interest,
  since = excluded.since, rank_key = excluded.rank_key, tier = excluded.tier, computed_at = excluded.computed_at,
  tier_changes_at = excluded.tier_changes_at, next_event_at = excluded.next_event_at
"""
"""The same scores as ours, but that it knows of no caps."""

DIFFERENT: Final = """
select count(*) from scores s join bench.scores b using (tenant_id, model_key, model_version, candidate_id)
where s.since <> b.since or abs(s.interest - b.interest) > 1e-6 or abs(s.rank_key - b.rank_key) > 1e-6
"""


def measure(sizes: Sequence[int] = SIZES, kept: Path | None = None) -> list[Figure]:
    """Time both ways with and without caps, in pools of these sizes; what a `kept` folder holds is not loaded again."""
    wiring.wire()
    load_tasks()
    garbage.settle()  # as every worker does
    figures, spent = list[Figure](), defaultdict[int, float](float)
    with crowds.server(kept) as running:
        for smaller, size in pairwise((0, *sizes)):
            crowds.load(running, size, smaller)
            for capped in (False, True):
                with crowds.copy(running, size) as url:
                    ours, bare = asyncio.run(_measure(url, capped=capped))
                what = f"scoring {SIGNALS:,} signals in a pool of {size:,}, {'with' if capped else 'without'} caps"
                figures.append(Figure(what, ours, "s", bare, "≤ 4" if capped else "≤ 2"))
                spent[size] += ours
    what = f"the same: a pool of {sizes[-1]:,} against one of {sizes[0]:,}"
    return [*figures, Figure(what, spent[sizes[-1]] / spent[sizes[0]], "×", target="≤ 1.1")]


async def _measure(url: str, *, capped: bool) -> tuple[float, float]:
    """Return the seconds that ours and the one statement take for one mailing, each the middle one of several."""
    async with crowds.ground(url) as ground:
        times = [await _race(ground, f"mailing{place}", capped=capped) for place in range(1 + MAILINGS)][1:]
        ours, bare = (statistics.median(each) for each in zip(*times, strict=True))
        return ours, bare


async def _race(ground: Ground, name: str, *, capped: bool) -> tuple[float, float]:
    """Return the seconds that ours and the one statement take for one mailing."""
    rules = _rules(capped=capped)
    definition = {**DEFAULT_MODEL.model_dump(mode="json", by_alias=True), "interest_rules": rules}
    await ground.connection.execute(MODEL, ground.tenant_id, definition)
    await crowd.mail(ground.connection, ground.tenant_id, name, SIGNALS, timedelta(hours=2))
    begun = time.perf_counter()
    await ground.connection.execute(AGGREGATE, ground.tenant_id, f"{name}:%", _flat(rules))
    bare = time.perf_counter() - begun
    begun = time.perf_counter()
    while await due.run_kind(ground.database, "score"):
        pass
    ours = time.perf_counter() - begun
    assert capped or not await ground.connection.fetchval(DIFFERENT), "the two do not agree"
    await _done(ground)
    return ours, bare


def _rules(*, capped: bool) -> list[dict[str, Any]]:
    """Return the rules of the default model, their caps left out unless they are asked for."""
    dumped = DEFAULT_MODEL.model_dump(mode="json", by_alias=True)["interest_rules"]
    return [each if capped else {**each, "cap": None} for each in dumped]


def _flat(rules: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what the statement is told of rules: a row for each type."""
    return [
        {"rule": rule["rule"], "type": type_, "points": rule["points"], "once": rule["once_per"]}
        for rule in rules
        for type_ in rule["types"]
    ]


async def _done(ground: Ground) -> None:
    """Make sure that everybody was counted, and forget the due work of others."""
    failed = await ground.connection.fetchval("select count(*) from due where kind = 'score' and attempts > 0")
    late = await ground.connection.fetchval("select count(*) from due where kind = 'score' and due_at <= now()")
    assert failed == late == 0, (failed, late)
    await ground.connection.execute("delete from due where kind <> 'score'")
    await ground.connection.execute("vacuum analyze due, scores, bench.scores")


def main() -> None:
    """Measure the sizes that are asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES, help="people in a pool, rising")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave the loaded pools there for the next run")
    asked = parser.parse_args()
    report.table(measure(asked.sizes, asked.keep))


if __name__ == "__main__":
    main()
