"""What was answered, held against what the database has: every item of every call must be accounted for."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import asyncpg

from benchmarks.faults.inbound import Call, Event

TOUCHPOINTS: Final = "select id, source, external_id, delivery_id from touchpoints where tenant_id = $1"
DELIVERIES: Final = """
select id, connection_id, dedupe_key, signals, unreadable, touchpoint_ids from deliveries
where tenant_id = $1 and dedupe_key is not null
"""
TOLD: Final = """
select count(*) from (
  select t.id from touchpoints t left join changes c
    on c.tenant_id = t.tenant_id and c.resource_id = t.id and c.type = 'touchpoint.created'
  where t.tenant_id = $1 group by t.id having count(c.n) <> 1
) as untold
"""
COUNTED: Final = """
select sum(stored + duplicate)::int as kept, sum(dead)::int as dead, sum(refused)::int as refused,
  (select count(*) from deliveries where tenant_id = $1)::int as deliveries,
  (select count(*) from deliveries where tenant_id = $1 and status = 'dead')::int as letters
from delivery_counts where tenant_id = $1
"""


@dataclass(slots=True)
class Heard:
    """A call, what was answered in the end, and how many tries were cut off before."""

    call: Call
    cut_off: int
    status: int
    body: Any


@dataclass(slots=True)
class Found:
    """What a run has found, counted in copies of events; `wrong` must be empty, and the sum must be right."""

    what: str
    deaths: int = 0
    cut_off: int = 0
    seconds: float = 0.0
    received: int = 0
    stored: int = 0
    duplicates: int = 0
    refused: int = 0
    wrong: Counter[str] = field(default_factory=Counter)

    @property
    def is_clean(self) -> bool:
        return not self.wrong and self.received == self.stored + self.duplicates + self.refused


class Ledger:
    """The database's side, and how each answer agrees with it."""

    def __init__(self, found: Found, sources: Mapping[str, str]) -> None:
        """`sources` names the source of each door's touchpoints, which for a hook ends in its connection's id."""
        self._found, self._sources = found, sources
        self._ids: dict[tuple[str, str], UUID] = {}
        self._own: Counter[UUID | None] = Counter()
        self._deliveries: dict[tuple[str, bytes], asyncpg.Record] = {}
        self._created = set[UUID]()

    async def read(self, connection: asyncpg.Connection, tenant_id: UUID) -> None:
        """Read what is there, and what it says of itself."""
        rows = await connection.fetch(TOUCHPOINTS, tenant_id)
        self._ids = {(row["source"], row["external_id"]): row["id"] for row in rows}
        self._own = Counter(row["delivery_id"] for row in rows)
        self._deliveries = {
            (str(row["connection_id"]), row["dedupe_key"]): row for row in await connection.fetch(DELIVERIES, tenant_id)
        }
        self._found.stored = len(rows)
        self._wrong("touchpoint that the feed does not tell of once", await connection.fetchval(TOLD, tenant_id))
        counted = await connection.fetchrow(COUNTED, tenant_id)
        self._wrong("delivery that is not counted once", abs(counted["kept"] - counted["deliveries"]))
        self._wrong("dead letter that is not counted once", abs(counted["dead"] - counted["letters"]))
        self._refusals = counted["refused"]

    def settle(self, heard: Sequence[Heard]) -> None:
        """Hold every answer against the database."""
        for each in heard:
            self._found.received += len(each.call.events)
            self._found.cut_off += each.cut_off
            if each.call.manner == "forged":
                self._forged(each)
            elif each.call.door == "batch":
                self._batch(each)
            else:
                self._hook(each)
        sent = {self._name(event) for each in heard for event in each.call.events if not event.manner}
        self._wrong("event that is not in the database", len(sent - self._ids.keys()))
        self._wrong("touchpoint of a malformed or forged event", len(self._ids.keys() - sent))
        self._unheard(heard)
        self._refused_hooks(heard)

    def _forged(self, heard: Heard) -> None:
        is_refused = heard.status in {401, 403}
        self._wrong(f"forged call answered {heard.status}", not is_refused)
        self._found.refused += is_refused * len(heard.call.events)

    def _hook(self, heard: Heard) -> None:
        call = heard.call
        self._wrong(f"hook answered {heard.status}", heard.status != 204)
        source = self._sources[call.door]
        delivery = self._deliveries.get((source.partition(":")[2], hashlib.sha256(call.raw).digest()))
        if delivery is None:
            self._wrong("2xx that is not in the database", 1)
            return
        good = [event for event in call.events if not event.manner]
        known = {self._ids.get(self._name(event)) for event in good}
        is_right = known == set(delivery["touchpoint_ids"]) and len(good) == delivery["signals"]
        self._wrong("delivery that tells of other events", not is_right)
        self._wrong("delivery that refuses other items", delivery["unreadable"] != len(call.events) - len(good))
        self._found.refused += delivery["unreadable"]
        self._found.duplicates += delivery["signals"] - self._own.pop(delivery["id"], 0)

    def _batch(self, heard: Heard) -> None:
        call = heard.call
        if call.manner == "torn":
            self._wrong(f"torn batch answered {heard.status}", heard.status != 400)
            self._found.refused += len(call.events)
            return
        self._wrong(f"batch answered {heard.status}", heard.status != 207)
        for event, item in zip(call.events, heard.body["items"], strict=True):
            self._item(event, item)

    def _item(self, event: Event, item: Mapping[str, Any]) -> None:
        if item["outcome"] == "invalid":
            self._wrong("good item that is refused", not event.manner)
            self._found.refused += 1
            return
        id_ = UUID(item["id"])
        self._wrong("2xx that is not in the database", self._ids.get(self._name(event)) != id_)
        if item["outcome"] == "repeated":
            self._found.duplicates += 1
            return
        self._wrong("event that was created twice", id_ in self._created)
        self._created.add(id_)

    def _unheard(self, heard: Sequence[Heard]) -> None:
        """Count as stored what a call stored whose answer was lost: its next try was told that it is a repeat."""
        batches = [each for each in heard if each.call.door == "batch"]
        stored = {id_ for (source, _), id_ in self._ids.items() if source == self._sources["batch"]}
        cut_off = {self._ids.get(self._name(event)) for each in batches if each.cut_off for event in each.call.events}
        unheard = stored - self._created
        self._wrong("touchpoint that no answer has made", len(unheard - cut_off))
        self._found.duplicates -= len(unheard)

    def _refused_hooks(self, heard: Sequence[Heard]) -> None:
        forged = [each for each in heard if each.call.manner == "forged" and each.call.door != "batch"]
        most = len(forged) + sum(each.cut_off for each in forged)
        self._wrong("refusal that is not counted", not len(forged) <= self._refusals <= most)

    def _name(self, event: Event) -> tuple[str, str]:
        return self._sources[event.door], event.name

    def _wrong(self, what: str, count: int) -> None:
        if count:
            self._found.wrong[what] += count
