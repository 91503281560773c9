"""`python -m benchmarks.faults.signals`: the API and the worker die while fifty thousand events come in.

Events come through a signed hook, a hook with a secret header and the batch, one to five times each, shuffled, some of
them malformed and some forged, from senders that call again until they are answered. It must hold that what was
received is what is stored once, the duplicates and the refused; that whatever was answered 2xx is in the database; that
the feed tells of each touchpoint once; and that events find the people who came later. The broken twin answers its
hooks before it stores, as senders with a queue in memory behind them do; the same look must find what it loses.
"""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from uuid import UUID

import asyncpg
import httpx

from app.kit import caller, json
from app.kit.db import Database
from app.kit.ids import new_id
from app.tenancy import bootstrap
from benchmarks.faults import dying, serving
from benchmarks.faults.inbound import KNOWN, LATE, MAPPING, Call, Keys, address, calls
from benchmarks.faults.ledger import Found, Heard, Ledger
from benchmarks.faults.stage import Crew, Stage, stage
from benchmarks.stand import free_port

EVENTS: Final = 50_000
KILLS: Final = 20
SENDERS: Final = 8
LOOK_S: Final = 0.02
AGAIN_S: Final = 0.05
LATER: Final = {429, 503}
PATIENCE_S: Final = 120.0
TWIN: Final = "answer_first"
SHARE_OF_TWIN: Final = 10
UNSETTLED: Final = """
select (select count(*) from due where tenant_id = $1 and due_at < now() + interval '10 s')
  + (select count(*) from touchpoints t where tenant_id = $1 and candidate_id is null and exists (
      select from identifiers i where i.tenant_id = t.tenant_id and i.value_hash = t.identifier_hash))
"""


@dataclass(frozen=True)
class Options:
    """How large a run is; the API and the worker are each killed `kills` times."""

    events: int = EVENTS
    kills: int = KILLS
    seed: int = 1


@dataclass(frozen=True)
class Doors:
    """Whose the events are, and how each door is found and opened."""

    tenant_id: UUID
    paths: Mapping[str, str]
    sources: Mapping[str, str]
    secrets: Mapping[str, str]


class Service:
    """An API and a worker that are there again whenever they died."""

    def __init__(self, place: Stage, twin: str) -> None:
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        self._crews = (
            Crew(serving.serve, place.environment, port, twin),
            Crew(dying.work, place.environment),
        )

    @property
    def deaths(self) -> int:
        return sum(crew.deaths for crew in self._crews)

    def tend(self) -> None:
        """Start who is not there."""
        for crew in self._crews:
            crew.bury()
            if not crew.members:
                crew.hire()

    def kill(self, which: int) -> None:
        """Kill the API (0) or the worker (1)."""
        crew = self._crews[which]
        crew.kill(crew.members[0])
        crew.bury()

    def end(self) -> None:
        for crew in self._crews:
            crew.dismiss()


class Run:
    """One run: senders, and who kills while they send."""

    def __init__(self, service: Service, options: Options, key: str) -> None:
        self._service, self._key, self._keys = service, key, Keys()
        dice = random.Random(options.seed)
        self._calls = calls(options.events, dice)
        self._kills = sorted((dice.uniform(0.02, 0.98), which) for which in (0, 1) for _ in range(options.kills))
        self.heard: list[Heard] = []

    async def send(self, client: httpx.AsyncClient, tenant_id: UUID) -> Doors:
        """Connect the doors, then make every call, under fire, until all of them are answered."""
        async with asyncio.TaskGroup() as group:
            tending = group.create_task(self._tend())
            doors = await self._connect(client, tenant_id)
            await self._people(client, KNOWN)
            queue = iter(self._calls)
            late = group.create_task(self._come_late(client))
            await asyncio.gather(*(self._sender(client, doors, queue) for _ in range(SENDERS)), late)
            while self._kills:
                await asyncio.sleep(LOOK_S)
            tending.cancel()
        return doors

    @property
    def _done(self) -> float:
        return len(self.heard) / len(self._calls)

    async def _tend(self) -> None:
        while True:
            self._service.tend()
            await asyncio.sleep(LOOK_S)
            if self._kills and self._done >= self._kills[0][0]:
                self._service.kill(self._kills.pop(0)[1])

    async def _connect(self, client: httpx.AsyncClient, tenant_id: UUID) -> Doors:
        secret = new_id().hex
        generic = {"provider": "generic", "name": "generic", "settings": MAPPING, "secret": secret}
        mail = {"provider": "sendgrid", "name": "sendgrid", "settings": {}, "secret": self._keys.public}
        asked = {"generic": generic, "sendgrid": mail}
        made = {name: await self._asked(client, "/v1/connections", each) for name, each in asked.items()}
        return Doors(
            tenant_id,
            {"batch": "/v1/touchpoints/batch", **{name: f"/v1/hooks/{each['id']}" for name, each in made.items()}},
            {"batch": "batch", **{name: f"{name}:{each['id']}" for name, each in made.items()}},
            {"batch": self._key, "generic": secret},
        )

    async def _people(self, client: httpx.AsyncClient, who: Sequence[int]) -> None:
        items = [{"full_name": f"山田 {n}郎", "email_addresses": [{"value": address(n)}]} for n in who]
        await self._asked(client, "/v1/candidates/batch-upsert", {"items": items})

    async def _come_late(self, client: httpx.AsyncClient) -> None:
        while self._done < 0.5:
            await asyncio.sleep(LOOK_S)
        await self._people(client, LATE)

    async def _asked(self, client: httpx.AsyncClient, path: str, body: Any) -> Any:
        headers = {"authorization": f"Bearer {self._key}"}
        answer, _ = await _until_answered(client, path, json.dumpb(body), lambda: headers)
        return answer.raise_for_status().json()

    async def _sender(self, client: httpx.AsyncClient, doors: Doors, queue: Iterator[Call]) -> None:
        for call in queue:
            answer, cut_off = await _until_answered(
                client, doors.paths[call.door], call.raw, partial(self._keys.headers, call, doors.secrets)
            )
            body = answer.json() if answer.status_code == 207 else None
            self.heard.append(Heard(call, cut_off, answer.status_code, body))


async def _until_answered(
    client: httpx.AsyncClient, path: str, raw: bytes, headers: Callable[[], dict[str, str]]
) -> tuple[httpx.Response, int]:
    """Send, and again while nobody answers or the answer is "later"; return how many tries may have got through."""
    cut_off = 0
    while True:
        try:
            answer = await client.post(path, content=raw, headers={"content-type": "application/json", **headers()})
        except httpx.TransportError as error:
            cut_off += not isinstance(error, httpx.ConnectError)
        else:
            if answer.status_code not in LATER:
                return answer, cut_off
        await asyncio.sleep(AGAIN_S)


async def run(place: Stage, options: Options, twin: str = "") -> Found:
    """Send under fire, let the worker end what is due, and look."""
    found = Found(f"{options.events} events, {options.kills} kills of each{', broken twin' if twin else ''}")
    database = Database(place.url)
    tenant_id, key = await bootstrap.issue(database, f"Signals {new_id()}", [caller.ADMIN], "harness")
    await database.close()
    service, connection = Service(place, twin), await place.connect()
    sending = Run(service, options, key)
    begun = time.perf_counter()
    try:
        async with httpx.AsyncClient(base_url=service.url, timeout=60) as client:
            doors = await sending.send(client, tenant_id)
        found.seconds = time.perf_counter() - begun
        if left := await _settled(service, connection, tenant_id):
            found.wrong["work that is never done"] = left
    finally:
        found.deaths = service.deaths
        service.end()
    ledger = Ledger(found, doors.sources)
    await ledger.read(connection, tenant_id)
    await connection.close()
    ledger.settle(sending.heard)
    return found


async def _settled(service: Service, connection: asyncpg.Connection, tenant_id: UUID) -> int:
    """Wait until nothing is due and everybody who is known has their events; return how much is left."""
    end = time.monotonic() + PATIENCE_S
    while left := int(await connection.fetchval(UNSETTLED, tenant_id)):
        if time.monotonic() > end:
            break
        service.tend()
        await asyncio.sleep(LOOK_S)
    return left


async def everything(place: Stage, options: Options) -> bool:
    """Run it, and its broken twin for a tenth; say what was found, and whether both are as they must be."""
    small = Options(options.events // SHARE_OF_TWIN, max(2, options.kills // SHARE_OF_TWIN), options.seed)
    runs: Mapping[str, Callable[[], Awaitable[Found]]] = {
        "": lambda: run(place, options),
        TWIN: lambda: run(place, small, TWIN),
    }
    is_right = True
    for twin, each in runs.items():
        found = await each()
        as_it_must = found.wrong["2xx that is not in the database"] > 0 if twin else found.is_clean
        is_right &= as_it_must
        print("right" if as_it_must else "WRONG", found, flush=True)
    return is_right


def main() -> None:
    """Run all of it on a database of its own; fail when something is not as it must be."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with stage(is_durable=True) as place:
        is_right = asyncio.run(everything(place, Options(asked.events, asked.kills, asked.seed)))
    if not is_right:
        sys.exit("signals: not as it must be")


if __name__ == "__main__":
    main()
