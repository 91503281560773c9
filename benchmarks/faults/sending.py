"""`python -m benchmarks.faults.sending`: what sends dies while ten thousand mails are due, and what it stands on.

It must hold that every mail is sent, refused for a reason, or listed as unknown, of which there are at most as many as
lanes were cut off; that nobody gets one twice, and a suppressed address none. The broken twin records a mail after it
was sent instead of before, as most engines do; the same look must find its duplicates.
"""

import argparse
import asyncio
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import asyncpg
import httpx

from app.kit.embedded import ValkeyServer, start_valkey
from app.main import create_app
from app.settings import Settings
from benchmarks.faults import dying
from benchmarks.faults.sink import MANNERS, Sink
from benchmarks.faults.stage import Crew, Crowd, Stage, crowd, stage

MAILS: Final = 10_000
KILLS: Final = 50
WORKERS: Final = 2
LANES: Final = 10
PATIENCE_S: Final = 300.0
LONGEST_S: Final = 120.0
SHARE: Final = 0.02
"""Of the mails, so many meet with a server's bad manners."""
HANGS: Final = 0.002
"""Of the mails, so many are never answered: each holds a lane until the sender's patience ends."""
LOOK_S: Final = 0.1
UNRESTING: Final = """
select count(*) from messages where sequence_id = $1 and state in ('scheduled', 'claimed', 'transmitting', 'retry')
"""
STATES: Final = "select id, state, message_id_header as header from messages where sequence_id = $1"

Strike = Callable[[float], None]
"""Does harm; called ten times a second with the share of the mails that were taken."""


@dataclass(frozen=True)
class Options:
    """How large a run is."""

    mails: int = MAILS
    kills: int = KILLS
    seed: int = 1


@dataclass
class Found:
    """What a run has found."""

    what: str
    seconds: float
    deaths: int = 0
    taken: int = 0
    twice: int = 0
    lost: int = 0
    to_suppressed: int = 0
    unlisted: int = 0
    most_unknown: int = 0
    states: dict[str, int] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        is_known = self.states.get("unknown", 0) <= self.most_unknown
        return not (self.twice or self.lost or self.to_suppressed or self.unlisted) and is_known


async def killed(place: Stage, options: Options, twin: str = "") -> Found:
    """Kill workers, some at random moments and some at named points, until all deaths are used up."""
    people, sink = await crowd(place, options.mails), Sink(place.folder)
    dice = random.Random(options.seed)
    crew = Crew(dying.work, {**place.environment, **_sending(sink)}, twin)

    def strike(done: float) -> None:
        crew.bury()
        if crew.members and crew.deaths < options.kills * min(1.0, done * 1.1) and dice.random() < 0.5:
            crew.kill(dice.choice(crew.members))
            crew.bury()
        while len(crew.members) < WORKERS:
            is_safe = crew.deaths + len(crew.members) >= options.kills
            crew.hire(*(("", 0) if is_safe else _mine(dice, options)))

    what = f"{options.kills} workers killed{', broken twin' if twin else ''}"
    found = await _run(place, people, sink, crew, what, strike)
    found.most_unknown = LANES * found.deaths
    return found


def _mine(dice: random.Random, options: Options) -> tuple[str, int]:
    """Return at which named point a new worker dies, after how many passes, if nobody kills it before."""
    point = dice.choice(dying.POINTS)
    most = max(1, 2 * options.mails // options.kills)
    return point, dice.randint(1, max(1, most // 20) if point in {"claimed", "asked"} else most)


async def misbehaving(place: Stage, options: Options, manner: str) -> Found:
    """Send to a server that treats some mails badly; those that it took without a word may be unknown, no others."""
    people = await crowd(place, options.mails)
    sink = Sink(place.folder, {manner: HANGS if manner == "hang" else SHARE})
    crew = Crew(dying.work, {**place.environment, **_sending(sink), "TALENTPOOL_SEND_RETRY_BASE_S": "1"})
    found = await _run(place, people, sink, crew, f"server: {manner}", lambda _: None)
    found.most_unknown = options.mails if manner in {"hang", "close"} else 0
    return found


async def without_redis(place: Stage, options: Options) -> Found:
    """Flush Redis, then kill it and leave it away, while mails are due."""
    people, sink = await crowd(place, options.mails), Sink(place.folder)
    valkey = start_valkey(place.folder / "valkey")
    crew = Crew(dying.work, {**place.environment, **_sending(sink), "REDIS_URL": valkey.url})
    harm = [(0.6, lambda: os.kill(valkey.pid, signal.SIGKILL)), (0.3, lambda: _flush(valkey))]
    try:
        return await _run(place, people, sink, crew, "Redis flushed, then killed", _at_shares(harm))
    finally:
        valkey.stop()


async def without_postgres(place: Stage, options: Options) -> Found:
    """Kill the database three times, and start it again, while mails are due."""
    people, sink = await crowd(place, options.mails), Sink(place.folder)
    crew = Crew(dying.work, {**place.environment, **_sending(sink)})
    harm = [(share, lambda: place.kill_postgres(is_durable=True)) for share in (0.7, 0.45, 0.2)]
    found = await _run(place, people, sink, crew, "PostgreSQL killed 3 times", _at_shares(harm))
    found.most_unknown = 3 * WORKERS * LANES
    return found


def _at_shares(harm: list[tuple[float, Callable[[], None]]]) -> Strike:
    """Return a strike that does each harm once, the last first, as soon as its share of the mails was taken."""

    def strike(done: float) -> None:
        if harm and done >= harm[-1][0]:
            harm.pop()[1]()

    return strike


def _flush(valkey: ValkeyServer) -> None:
    async def flush() -> None:
        reader, writer = await asyncio.open_unix_connection(str(valkey.socket))
        writer.write(b"FLUSHALL\r\n")
        await reader.readline()
        writer.close()

    task = asyncio.ensure_future(flush())
    task.add_done_callback(lambda done: done.result())


def _sending(sink: Sink) -> Mapping[str, str]:
    return {"SMTP_URL": sink.url, "TALENTPOOL_SEND_LANES": str(LANES)}


async def _run(place: Stage, people: Crowd, sink: Sink, crew: Crew, what: str, strike: Strike) -> Found:
    """Let a crew work, under strikes, until every mail rests; then look at what became of them."""
    mails = (await _ask_database(place, people, "select count(*) from messages where sequence_id = $1")) or 1
    begun = time.perf_counter()
    try:
        for _ in range(WORKERS):
            crew.hire()
        while time.perf_counter() - begun < PATIENCE_S:
            await asyncio.sleep(LOOK_S)
            strike(sink.count() / mails)
            if await _ask_database(place, people, UNRESTING) == 0:
                break
        seconds = time.perf_counter() - begun
    finally:
        crew.bury()
        deaths = crew.deaths
        crew.dismiss()
        sink.close()
    return await _look(place, people, sink, Found(what, seconds, deaths))


async def _ask_database(place: Stage, people: Crowd, question: str) -> int | None:
    """Return a count; None while the database is away."""
    try:
        connection = await place.connect()
    except (OSError, asyncpg.PostgresError):
        return None
    try:
        return int(await connection.fetchval(question, people.sequence_id))
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return None
    finally:
        await connection.close()


async def _look(place: Stage, people: Crowd, sink: Sink, found: Found) -> Found:
    connection = await place.connect()
    rows = await connection.fetch(STATES, people.sequence_id)
    await connection.close()
    taken = Counter(message_id for message_id, _ in sink.taken())
    states = {(row["header"] or "").strip("<>"): row["state"] for row in rows}
    found.states = dict(Counter(row["state"] for row in rows))
    found.taken = len(taken)
    found.twice = sum(count - 1 for count in taken.values())
    found.to_suppressed = sum(recipient in people.suppressed for _, recipient in sink.taken())
    resting = {"sent", "refused", "failed", "unknown"}
    found.lost = sum(row["state"] not in resting for row in rows)
    found.lost += sum(state == "sent" and header not in taken for header, state in states.items())
    found.lost += sum(states.get(message_id) not in {"sent", "unknown"} for message_id in taken)
    found.lost += abs(found.states.get("refused", 0) - len(people.suppressed))
    found.unlisted = abs(found.states.get("unknown", 0) - await _listed(people))
    return found


async def _listed(people: Crowd) -> int:
    """Return how many messages the API lists as unknown."""
    app, count, cursor = create_app(Settings()), 0, ""
    headers = {"Authorization": f"Bearer {people.key}"}
    asked = {"state": "unknown", "limit": "200", "sequence_id": str(people.sequence_id)}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api", headers=headers) as client:
        while True:
            more = {"cursor": cursor} if cursor else {}
            page = (await client.get("/v1/messages", params=asked | more)).raise_for_status().json()
            count += len(page["data"])
            cursor = page["next_cursor"]
            if not cursor:
                break
    await app.state.database.close()
    return count


async def everything(place: Stage, options: Options, only: str) -> bool:
    """Run what is asked for; return whether all was as it must be."""
    runs: dict[str, Callable[[], Awaitable[Found]]] = {
        "killed": lambda: killed(place, options),
        "twin": lambda: killed(place, Options(options.mails // 5, options.kills // 5, options.seed), "record_after"),
        "redis": lambda: without_redis(place, options),
        "postgres": lambda: without_postgres(place, options),
        **{manner: partial(misbehaving, place, options, manner) for manner in MANNERS},
    }
    is_right = True
    for name, run in runs.items():
        if only in {"", name}:
            found = await run()
            as_it_must = found.twice > 0 if name == "twin" else found.is_clean
            as_it_must &= name != "killed" or found.seconds <= LONGEST_S
            is_right &= as_it_must
            print("right" if as_it_must else "WRONG", found, flush=True)
    return is_right


def main() -> None:
    """Run all of it, or what is asked for; fail when something is not as it must be."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--mails", type=int, default=MAILS)
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", choices=["", "killed", "twin", "redis", "postgres", *MANNERS])
    asked = parser.parse_args()
    with stage(is_durable=True) as place:
        is_right = asyncio.run(everything(place, Options(asked.mails, asked.kills, asked.seed), asked.only))
    if not is_right:
        sys.exit("sending: not as it must be")


if __name__ == "__main__":
    main()
