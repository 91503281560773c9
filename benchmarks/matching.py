"""Matching at the doors of a pool of any size: what it costs in process, and what the size costs a client.

    python -m benchmarks.matching [PEOPLE] [--keep FOLDER]

The same requests go to a tenant with the people and to one that has nobody; a third of them are about people who are
there already. A folder that is kept holds the people for the next run, which tells of others, and to another tenant of
nobody: else it would add to what the last one has told.
"""

import argparse
import os
import random
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import uvloop

from app.candidates.features import load_features
from app.dedup import service as dedup
from app.kit import caller, garbage, json
from app.kit.db import Database, Session
from app.kit.ids import new_id
from app.settings import get_settings
from app.tenancy import bootstrap
from app.training.statements import records
from benchmarks import crowded, load, report
from benchmarks.report import Figure
from benchmarks.stand import Stand, stand

PEOPLE: Final = 1_000_000
CROWD: Final = "Crowd"
NOBODY: Final = "Nobody"
ASKED: Final = 4_000
"""In process, of whom the first half warms what serves: its memory holds what other people have been met by."""
WARM: Final = 300
REQUESTS: Final = 900
MANY: Final = 8
SAMPLE: Final = "select payload, features from records tablesample bernoulli({share}) limit {most}"
CHECKED: Final = "select to_jsonb(c) from candidates c where tenant_id = '{tenant}' and id = '{candidate}'"
Payload = Mapping[str, Any]


async def measure(place: Stand, people: int = PEOPLE) -> list[Figure]:
    """Load the people unless they are there, then measure."""
    os.environ["TALENTPOOL_DATA_DIR"] = str(place.folder)  # keys are hashed with the stand's secret
    get_settings.cache_clear()
    database = Database(place.database_url)
    try:
        tenant_id, crowd = await bootstrap.issue(database, CROWD, [caller.ADMIN], "bench")
        _, nobody = await bootstrap.issue(database, f"{NOBODY} {new_id()}", [caller.ADMIN], "bench")
        figures = await _loaded(place, database, tenant_id, people)
        async with database.transaction(caller.system(tenant_id, "bench")) as session:
            known = await session.rows(SAMPLE.format(share=100 * min(1.0, 4 * ASKED / people), most=ASKED))
            somebody = await session.value("select id from candidates limit 1")
        figures += await _in_process(database, tenant_id, [load_features(each.features) for each in known])
    finally:
        await database.close()
    payloads = _payloads([each.payload for each in known])
    keys = {CROWD: crowd, NOBODY: nobody}
    for connections in (1, MANY):
        figures += await _compared(place, keys, "POST", [("/v1/candidates", each) for each in payloads()], connections)
    named = [(f"/v1/candidates/by-external-id/bench/{new_id()}", each) for each in payloads()]
    figures += await _compared(place, keys, "PUT", named, 1)
    checks = await _compared(place, keys, "POST", [("/v1/dedup/check", each) for each in payloads()], 1)
    statement = CHECKED.format(tenant=tenant_id, candidate=somebody)
    return [*figures, *checks, *await _beside_a_select(place, checks, statement)]


async def _loaded(place: Stand, database: Database, tenant_id: UUID, people: int) -> list[Figure]:
    async with database.transaction(caller.system(tenant_id, "bench")) as session:
        if await session.value("select exists (select from candidates)"):
            return []
    begun = time.perf_counter()
    await crowded.load(place.database_url.replace("+asyncpg", ""), tenant_id, people)
    return [Figure(f"loading {people:,} records", time.perf_counter() - begun, "s")]


def _payloads(known: Sequence[Payload]) -> Any:
    """Return what makes the next requests: two statements about others, then one about somebody who is there."""
    others = (record.payload for record in records(10**9, seed=time.time_ns()))
    again = iter([*known] * 4)

    def some() -> list[Payload]:
        return [next(again if number % 3 == 2 else others) for number in range(REQUESTS + WARM)]

    return some


async def _in_process(database: Database, tenant_id: UUID, features: Sequence[Any]) -> list[Figure]:
    """Look up whom each statement could be about, and weigh them all, in a transaction as the doors open it."""
    times = []
    garbage.settle()  # as in each process that serves
    async with database.transaction(caller.system(tenant_id, "bench"), by_keys=True) as session:
        for each in random.Random(1).sample(features, len(features)):
            begun = time.perf_counter()
            await _met(session, each)
            times.append(time.perf_counter() - begun)
    told = load.Measured(latencies=times[len(times) // 2 :])
    return [
        Figure(f"look-up and score, {name}", told.percentile(share) * 1000, "ms", target=target)
        for name, share, target in (("p50", 0.5, "≤ 1 ms"), ("p99", 0.99, "≤ 5 ms"))
    ]


async def _met(session: Session, features: Any) -> None:
    statement = dedup.key(session, features)
    known = await dedup.knowledge(session, [statement])
    (await dedup.pool(session, [statement], known)).meet(statement)


async def _compared(
    place: Stand, keys: Mapping[str, str], method: str, asked: Sequence[tuple[str, Payload]], connections: int
) -> list[Figure]:
    """Send the same requests to the crowd and to nobody's tenant."""
    told = {name: await _run(place, key, method, asked, connections) for name, key in reversed(list(keys.items()))}
    is_check = asked[0][0].endswith("check")
    what = "check" if is_check else f"{method} of a candidate, {connections} connection{'s'[: connections > 1]}"
    most = "" if is_check else "≤ 15 ms, " if connections == 1 else "≤ 40 ms, "
    return [
        Figure(f"{what}, {name}", told[CROWD].percentile(at) * 1000, "ms", told[NOBODY].percentile(at) * 1000, target)
        for name, at, target in (("p50", 0.5, f"{most}≤ 1.5"), ("p99", 0.99, "≤ 3"))
    ]


async def _run(
    place: Stand, key: str, method: str, asked: Sequence[tuple[str, Payload]], connections: int
) -> load.Measured:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    requests = [load.request(place.port, path, json.dumpb(dict(body)), headers, method) for path, body in asked]
    await load.run(place.port, requests[:WARM], connections)
    measured = await load.run(place.port, requests[WARM:], connections)
    assert measured.statuses.keys() <= {200, 201, 202}, measured.statuses
    return measured


async def _beside_a_select(place: Stand, checks: Sequence[Figure], statement: str) -> list[Figure]:
    """Set what a check takes beside a bare route that selects one row by its key."""
    headers = {"Content-Type": "application/json"}
    bare = load.request(place.yardstick_port, "/statement", json.dumpb({"sql": statement}), headers)
    yardstick = await load.run(place.yardstick_port, [bare] * REQUESTS, 1)
    return [
        Figure(f"check beside a select, {name}", check.ours, "ms", yardstick.percentile(at) * 1000, target)
        for check, name, at, target in zip(checks, ("p50", "p99"), (0.5, 0.99), ("≤ 4", ""), strict=True)
    ]


def main() -> None:
    """Measure by itself, and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.matching", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("people", nargs="?", type=int, default=PEOPLE, help=f"how many records (default {PEOPLE:,})")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the database there for the next run")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that the stand is taken down
    if given.keep:
        _warm(given.keep)
    with stand(given.keep) as running:
        report.table(uvloop.run(measure(running, given.people)))


def _warm(folder: Path) -> None:
    """Read a kept database through, because one that serves has its pages in memory."""
    for file in folder.glob("postgres/base/*/*"):
        with file.open("rb") as pages:
            while pages.read(1 << 22):
                pass


if __name__ == "__main__":
    main()
