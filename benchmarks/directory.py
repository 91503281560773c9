"""Lists, names and searches among a million people, each beside the statement that somebody would write by hand.

    python -m benchmarks.directory [PEOPLE] [--keep FOLDER] [--only TEXT]

The statement answers the same people with the same members, as JSON made by the database, through a bare route.
A folder that is kept holds the people for the next run; of the cases those can be chosen that have TEXT in their name.
"""

import argparse
import asyncio
import os
import signal
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode
from uuid import UUID

import asyncpg

from app.directory.schemas import Filters
from app.kit import json
from app.kit.ids import new_id
from app.kit.paging import make_cursor
from app.pools.rebuilding import MANY
from app.settings import get_settings
from benchmarks import load, population, rebuild, report
from benchmarks.report import Figure
from benchmarks.stand import Stand, stand

PEOPLE: Final = 1_000_000
OTHERS: Final = 20
FEW: Final = 1_000
ROUNDS: Final = 60
LEAST: Final = 15
PATIENCE_S: Final = 10
"""So long a case is asked again and again, but `LEAST` times at least and `ROUNDS` times at most."""
WARM: Final = 3
PAGE: Final = 50
DEEP: Final = 10_000
SHOWN: Final = """
select c.*, array(select old_id from aliases a where a.tenant_id = c.tenant_id and a.candidate_id = c.id) as merged_ids,
  array(select value from identifiers i where i.tenant_id = c.tenant_id and i.candidate_id = c.id and kind = 'email'
    and state = 'bounced') as bounced,
  array(select to_jsonb(s) from consents s where s.tenant_id = c.tenant_id and s.candidate_id = c.id) as consents
from candidates c"""
LIVE: Final = "c.tenant_id = '{tenant}' and c.hidden_at is null and c.erased_at is null and c.merged_into is null"
NEWEST: Final = "order by c.created_at desc, c.id limit 51"


def _filed(*terms: str, begins: bool = False) -> str:
    listed = ", ".join(f"'{term}'" for term in terms)
    holds = f"t.term >= {listed} and t.term < {listed} || '~'" if begins else f"t.term in ({listed})"
    return f"exists (select from terms t where t.tenant_id = c.tenant_id and t.candidate_id = c.id and {holds})"


@dataclass(frozen=True)
class Case:
    """One request, and the statement of the same answer."""

    what: str
    method: str
    path: str
    body: Any
    by_hand: str


def _people(*conditions: str, order: str = NEWEST) -> str:
    return f"select json_agg(found) from ({SHOWN} where {' and '.join([LIVE, *conditions])} {order}) found"


KANA: Final = "family_name_kana"
BY_KANA: Final = f"""
with named as materialized (
  select distinct candidate_id from terms where tenant_id = '{{tenant}}' and term >= 'w:sato' and term < 'w:sato~'
)
select json_agg(found) from (
  {SHOWN} join named on named.candidate_id = c.id where {LIVE} order by c.family_name_kana, c.id limit 51) found"""

SEARCH: Final = {
    "criteria": {
        "all": [
            {"field": "skills", "op": "has", "value": {"name": "python", "years_gte": 5}},
            {"field": "tags", "op": "has_any", "value": ["tag-7", "tag-8"]},
            {"field": "years_of_experience", "op": "gte", "value": 3},
        ]
    },
    "facets": ["tags", "current_company"],
}
KNOWS: Final = """exists (
  select from jsonb_array_elements(c.skills) s where lower(s->>'name') = 'python' and (s->>'years')::float8 >= 5)"""
MET: Final = " and ".join(
    [
        LIVE,
        _filed("s:python"),
        _filed("t:tag-7", "t:tag-8"),
        "c.years_of_experience >= 3",
        KNOWS,
    ]
)
SEARCHED: Final = f"""
with hits as materialized (
  select c.id, c.created_at, c.tags, c.current_company from candidates c where {MET}
  order by c.created_at desc, c.id limit 10001
)
select json_build_object(
  'data', (select json_agg(found) from ({SHOWN} join (select id from hits limit 51) h on h.id = c.id
    where c.tenant_id = '{{tenant}}' order by c.created_at desc, c.id) found),
  'tags', (select json_agg(f) from (select value, count(*) from hits, jsonb_array_elements_text(tags) value
    group by 1 order by 2 desc, 1 limit 50) f),
  'current_company', (select json_agg(f) from (select current_company, count(*) from hits
    group by 1 order by 2 desc, 1 limit 50) f))"""
MEMBERS: Final = """
select json_agg(found) from (
  select m.*, to_jsonb(c) as person
  from pool_members m join candidates c on c.tenant_id = m.tenant_id and c.id = m.candidate_id
  where m.tenant_id = '{tenant}' and m.pool_id = '{pool}' order by m.candidate_id desc limit 51) found"""
APPROACH: Final = f"""
select json_agg(found) from (
  select p.*, s.value, s.tier from (
    select s.candidate_id, s.tier, s.fit + s.interest * power(2, -extract(epoch from now() - s.since) / 86400
      / s.half_life_days) as value
    from pool_members m join scores s on s.tenant_id = m.tenant_id and s.candidate_id = m.candidate_id
      and s.model_key = 'default' and s.model_version = 1
    where m.tenant_id = '{{tenant}}' and m.pool_id = '{{pool}}' order by value desc, s.candidate_id limit 51
  ) s join (select c.*, array(select to_jsonb(t) from touchpoints t where t.tenant_id = c.tenant_id
    and t.candidate_id = c.id) as touchpoints, (select to_jsonb(l) from leases l where l.tenant_id = c.tenant_id
    and l.candidate_id = c.id) as lease from ({SHOWN}) c
  ) p on p.tenant_id = '{{tenant}}' and p.id = s.candidate_id order by value desc) found"""


def _cases(place: population.Population, deep: tuple[datetime, UUID]) -> list[Case]:
    pool = f"/v1/pools/{place.pool_id}"
    cursor = make_cursor([deep[0].isoformat(), str(deep[1])], [Filters(), "-created_at", False])
    after = f"c.created_at <= '{deep[0]}' and (c.created_at < '{deep[0]}' or c.id > '{deep[1]}')"
    return [
        Case("list of candidates", "GET", "/v1/candidates", None, _people()),
        Case(f"the same, page {DEEP:,}", "GET", f"/v1/candidates?cursor={quote(cursor)}", None, _people(after)),
        _named("佐藤", _filed("n:佐藤")),
        _named("さとう", _filed("w:sato", begins=True)),
        _named("satoh", _filed("w:sato", begins=True)),
        Case("the same by kana", "GET", f"/v1/candidates?{urlencode({'q': 'satoh', 'sort': KANA})}", None, BY_KANA),
        Case("search: criteria, two facets", "POST", "/v1/candidates/search", SEARCH, SEARCHED),
        Case("members of a pool", "GET", f"{pool}/members", None, MEMBERS),
        Case("approach list", "GET", f"{pool}/approach-list", None, APPROACH),
    ]


def _named(q: str, condition: str) -> Case:
    return Case(f"name search {q}", "GET", f"/v1/candidates?{urlencode({'q': q})}", None, _people(condition))


async def measure(place: Stand, people: int = PEOPLE, only: str = "") -> list[Figure]:
    """Load the people unless they are there, ask each question of both in turn, and compare."""
    connection = await place.connect()
    loaded, figures = await _loaded(connection, place, people)
    deep = await connection.fetchrow(
        """select created_at, id from candidates where tenant_id = $1 order by created_at desc, id offset $2 limit 1""",
        loaded.tenant_id,
        min(DEEP * PAGE, people - 2 * PAGE),
    )
    await connection.close()
    os.environ["TALENTPOOL_DATA_DIR"] = str(place.folder)  # cursors are signed with the stand's secret
    get_settings.cache_clear()
    for case in _cases(loaded, (deep["created_at"], deep["id"])):
        if only in case.what:
            figures += await _compare(place, case, loaded)
    is_rebuilt = only in "rebuild" and people > MANY
    return figures + (await rebuild.measure(place, people) if is_rebuilt else [])


def beside(people: int) -> list[Figure]:
    """Measure on a stand of its own."""
    with stand() as running:
        return asyncio.run(measure(running, people))


async def _loaded(
    connection: asyncpg.Connection, place: Stand, people: int
) -> tuple[population.Population, list[Figure]]:
    """Return the people of a kept folder, or load them and say how long it took."""
    if kept := await population.find(connection):
        assert kept.people == people, f"the folder holds {kept.people:,} people"
        return kept, []
    begun = time.perf_counter()
    loaded = await population.load(connection, await _tenants(connection, place, people))
    return loaded[0], [Figure(f"loading {people:,} people", time.perf_counter() - begun, "s")]


async def _tenants(connection: asyncpg.Connection, place: Stand, people: int) -> list[tuple[UUID, int]]:
    big = await connection.fetchval("select auth_key($1)", place.key.split("_")[2])
    others = [new_id() for _ in range(OTHERS)]
    await connection.executemany(
        "insert into tenants (id, name) values ($1, $2)", [(each, f"Other {each}") for each in others]
    )
    return [(big, people), *((each, FEW) for each in others)]


async def _compare(place: Stand, case: Case, loaded: population.Population) -> list[Figure]:
    headers = {"Authorization": f"Bearer {place.key}", "Content-Type": "application/json"}
    body = b"" if case.body is None else json.dumpb(case.body)
    statement = case.by_hand.format(tenant=loaded.tenant_id, pool=loaded.pool_id)
    ours = load.request(place.port, case.path, body, headers, case.method)
    hand = load.request(place.yardstick_port, "/statement", json.dumpb({"sql": statement}), headers)
    measured, bare = await _in_turn(place, ours, hand)
    assert set(measured.statuses) == set(bare.statuses) == {200}, (case.what, measured.statuses, bare.statuses)
    return [
        Figure(f"{case.what}, {name}", measured.percentile(share) * 1000, "ms", bare.percentile(share) * 1000, target)
        for name, share, target in (("p50", 0.5, "≤ 1.5"), ("p99", 0.99, "≤ 100 ms"))
    ]


async def _in_turn(place: Stand, ours: bytes, hand: bytes) -> tuple[load.Measured, load.Measured]:
    """Ask both alternately, so that what else the machine does meets both."""
    measured, bare = load.Measured(), load.Measured()
    end = time.monotonic() + PATIENCE_S
    for number in range(WARM + ROUNDS):
        if number >= WARM + LEAST and time.monotonic() > end:
            break
        for port, message, into in ((place.port, ours, measured), (place.yardstick_port, hand, bare)):
            one = await load.run(port, [message], 1)
            if number >= WARM:
                into.latencies += one.latencies
                into.statuses |= one.statuses
    return measured, bare


def main() -> None:
    """Measure by itself, and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.directory", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("people", nargs="?", type=int, default=PEOPLE, help=f"how many people (default {PEOPLE})")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the database there for the next run")
    parser.add_argument("--only", default="", metavar="TEXT", help="measure the cases with this in their name")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that the stand is taken down
    with stand(given.keep) as running:
        report.table(asyncio.run(measure(running, given.people, given.only)))


if __name__ == "__main__":
    main()
