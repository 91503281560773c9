"""Lists, names and searches among a million people, each beside the statement that somebody would write by hand.

    python -m benchmarks.directory [PEOPLE] [--keep FOLDER] [--only TEXT]

The statement answers the same, as JSON made by the database, through a bare route, as the same role and inside the
tenant, and writes into the audit whom it shows: the first answers are compared member by member. Only the reasons and
decisions of the approach list are more than a statement can tell.
A folder that is kept holds the people for the next run; of the cases those can be chosen that have TEXT in their name.
"""

import argparse
import asyncio
import os
import re
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

from app.candidates.schemas import CandidateRead
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
ROUNDS: Final = 400
LEAST: Final = 15
PATIENCE_S: Final = 10
"""So long a case is asked again and again, but `LEAST` times at least and `ROUNDS` times at most."""
WARM: Final = 3
MOMENT: Final = re.compile(r"\d{4}-\d{2}-\d{2}T")
PAGE: Final = 50
DEEP: Final = 10_000
SUPPRESSED: Final = """(select from identifiers i join suppressions p on p.tenant_id = i.tenant_id
  and p.value_hmac = i.value_hash and p.channel in ('email', 'any')
  where i.tenant_id = c.tenant_id and i.candidate_id = c.id and i.kind = 'email'"""
EMAILS: Final = f"""(
  select coalesce(json_agg(json_build_object('value', e ->> 'value', 'raw', e ->> 'raw', 'type', e ->> 'type',
    'is_primary', e -> 'is_primary', 'status', case
      when exists {SUPPRESSED} and i.value = e ->> 'value') then 'suppressed'
      when exists (select from identifiers i where i.tenant_id = c.tenant_id and i.candidate_id = c.id
        and i.kind = 'email' and i.value = e ->> 'value' and i.state = 'bounced') then 'bounced' else 'ok' end)), '[]')
  from jsonb_array_elements(c.email_addresses) e)"""
CAN_CONTACT: Final = f"""(
  c.retention_expires_on >= current_date and c.live_selection_at is null and jsonb_array_length(c.email_addresses) > 0
  and not exists {SUPPRESSED})
  and exists (select from (
      select distinct on (s.purpose) s.status, s.expires_at from consents s
      where s.tenant_id = c.tenant_id and s.candidate_id = c.id and s.channel = 'email'
      order by s.purpose, s.obtained_at desc, s.status desc) last
    where last.status = 'granted' and (last.expires_at is null or last.expires_at > now())))"""
COMPUTED: Final = {"status", "email_addresses", "can_contact", "retention", "merged_ids"}
AS_STORED: Final = [name for name in CandidateRead.model_fields if name not in COMPUTED]
PERSON: Final = f"""json_build_object({", ".join(f"'{name}', c.{name}" for name in AS_STORED)},
  'status', case when c.hidden_at is null then 'active' else 'hidden' end, 'email_addresses', {EMAILS},
  'can_contact', {CAN_CONTACT},
  'retention', json_build_object('expires_on', c.retention_expires_on, 'basis', c.retention_basis),
  'merged_ids', array(select old_id from aliases a where a.tenant_id = c.tenant_id and a.candidate_id = c.id))"""
"""One person as the answer shows them, out of the whole row `c`; right for whoever is loaded here."""
LIVE: Final = "c.tenant_id = '{tenant}' and c.hidden_at is null and c.erased_at is null and c.merged_into is null"


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
    compared: tuple[str, ...] = ()
    """The members of a row that the statement can tell, when these are not all."""


def _people(*conditions: str, also: str = "", joined: str = "", order: str = "c.created_at desc, c.id") -> str:
    """Return the statement of one page of people; `also` is a common table before it, `joined` what they join."""
    found = f"select c.* from candidates c {joined} where {' and '.join([LIVE, *conditions])} order by {order} limit 51"
    seen = _seen("id", order)
    return f"with {also}found as materialized ({found}), {seen} select json_build_object({_page(PERSON, order)})"


def _seen(person: str, order: str) -> str:
    """Return the common table that writes into the audit whom a page shows."""
    return f"""seen as (insert into audit (kind, actor, action, resource, ids, fields)
  select 'read', 'key', 'by_hand', 'candidates', array(select c.{person} from found c order by {order} limit 50),
    array['*'])"""


def _page(row: str, order: str) -> str:
    """Return the members of a page, whose rows and one more are in `found`."""
    return f"""
  'data', (select json_agg({row} order by {order}) from (select * from found c order by {order} limit 50) c),
  'has_more', (select count(*) > 50 from found),
  'next_cursor', (select encode(convert_to(json_build_array({order.replace(" desc", "")})::text, 'UTF8'), 'base64')
    from found c where (select count(*) > 50 from found) order by {order} offset 49 limit 1)"""


KANA: Final = "family_name_kana"
NAMED: Final = """named as materialized (
  select distinct candidate_id from terms where tenant_id = '{tenant}' and term >= 'w:sato' and term < 'w:sato~'), """
BY_KANA: Final = _people(also=NAMED, joined="join named on named.candidate_id = c.id", order="c.family_name_kana, c.id")

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
COUNTED: Final = """(select coalesce(json_agg(json_build_object('value', value, 'count', n)), '[]') from (
    select value, count(*) as n from {values} group by value order by n desc, value collate "C" limit 50) counted)"""
SEARCHED: Final = f"""
with hits as materialized (
  select c.id, c.created_at, c.tags, c.current_company from candidates c where {MET}
  order by c.created_at desc, c.id limit 10000
), found as materialized (
  select c.* from (select id from hits order by created_at desc, id limit 51) h
  join candidates c on c.tenant_id = '{{tenant}}' and c.id = h.id
), {_seen("id", "c.created_at desc, c.id")}
select json_build_object({_page(PERSON, "c.created_at desc, c.id")}, 'facets', json_build_object(
  'tags', {COUNTED.format(values="hits, jsonb_array_elements_text(tags) value")},
  'current_company', {COUNTED.format(values="(select current_company as value from hits) known")}))"""
MEMBER: Final = """json_build_object('candidate_id', c.candidate_id, 'by', c.by, 'since', c.since,
  'why', json_build_array(json_build_object('criterion', c.criterion, 'holds', coalesce(c.years >= 3, false))),
  'missing', case when c.years is null then '["years_of_experience"]'::json else '[]' end)"""
MEMBERS: Final = f"""
with found as materialized (
  select m.*, c.years_of_experience as years, p.criteria -> 'all' -> 0 as criterion
  from pool_members m join pools p on p.tenant_id = m.tenant_id and p.id = m.pool_id
  join candidates c on c.tenant_id = m.tenant_id and c.id = m.candidate_id
  where m.tenant_id = '{{tenant}}' and m.pool_id = '{{pool}}' order by m.candidate_id desc limit 51
), {_seen("candidate_id", "c.candidate_id desc")}
select json_build_object({_page(MEMBER, "c.candidate_id desc")})"""
APPROACH: Final = f"""
with found as materialized (
  select c.id as candidate_id, rank() over (order by s.value desc, c.id) as rank, s.tier, s.value as score,
    {CAN_CONTACT} as contact, array(select to_jsonb(s) from consents s where s.tenant_id = c.tenant_id
      and s.candidate_id = c.id) as consents,
    array(select to_jsonb(t) from touchpoints t where t.tenant_id = c.tenant_id and t.candidate_id = c.id) as reasons,
    (select to_jsonb(l) from leases l where l.tenant_id = c.tenant_id and l.candidate_id = c.id) as lease
  from (
    select s.candidate_id, s.tier, s.fit + s.interest * power(2, -extract(epoch from now() - s.since) / 86400
      / s.half_life_days) as value
    from pool_members m join scores s on s.tenant_id = m.tenant_id and s.candidate_id = m.candidate_id
      and s.model_key = 'default' and s.model_version = 1
    where m.tenant_id = '{{tenant}}' and m.pool_id = '{{pool}}' order by value desc, s.candidate_id limit 50
  ) s join candidates c on c.tenant_id = '{{tenant}}' and c.id = s.candidate_id order by s.value desc, c.id
), {_seen("candidate_id", "c.rank")}
select json_build_object('data', json_agg(found order by rank)) from found"""


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
        Case("approach list", "GET", f"{pool}/approach-list", None, APPROACH, ("candidate_id", "rank")),
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
    by_hand = json.dumpb({"sql": statement, "tenant": loaded.tenant_id})
    hand = load.request(place.yardstick_port, "/statement", by_hand, headers)
    await _compare_answers(place, case, ours, hand)
    measured, bare = await _in_turn(place, ours, hand)
    assert set(measured.statuses) == set(bare.statuses) == {200}, (case.what, measured.statuses, bare.statuses)
    return [
        Figure(f"{case.what}, {name}", measured.percentile(share) * 1000, "ms", bare.percentile(share) * 1000, target)
        for name, share, target in (("p50", 0.5, "≤ 1.5"), ("p99", 0.99, "≤ 100 ms, ≤ 1.5"))
    ]


async def _compare_answers(place: Stand, case: Case, ours: bytes, hand: bytes) -> None:
    """Hold both to the same answer; a cursor only has to be there."""
    one, other = [
        json.loads(await load.answer_of(port, message))
        for port, message in ((place.port, ours), (place.yardstick_port, hand))
    ]
    if case.compared:
        one, other = ([[row[name] for name in case.compared] for row in page["data"]] for page in (one, other))
    else:
        one["next_cursor"], other["next_cursor"] = bool(one["next_cursor"]), bool(other["next_cursor"])
    assert _typed(one) == _typed(other), (case.what, one, other)


def _typed(value: Any) -> Any:
    """Read the moments of an answer: there are several ways to write one."""
    if isinstance(value, dict):
        return {name: _typed(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_typed(each) for each in value]
    return datetime.fromisoformat(value) if isinstance(value, str) and MOMENT.match(value) else value


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
