"""Outbox or nothing: a side effect is a row that is written with its cause.

`record` writes changes of the feed and, by the reactions that `app.wiring` joins, the due work that follows from
them, in the caller's transaction. `number` gives the committed entries of one tenant their place: it locks the
tenant's head, so two numberings never interleave, and its update sees every row committed before it, so nothing ever
appears behind a place that a reader has passed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple
from uuid import UUID

from app.kit.clock import now
from app.kit.columns import TENANT, Part, Target, insert, relation, together
from app.kit.db import Session


@dataclass(slots=True)  # not frozen, which costs as much again: they go by the thousand
class Event:
    """One change: what happened to which resource, and which version that made."""

    type: str
    resource: str
    id: UUID
    version: int | None = None
    changed_fields: Sequence[str] = ()
    data: Mapping[str, Any] = field(default_factory=dict)


class Wake(NamedTuple):
    """Something of `kind` about `key` is to be looked at from `at` on (now, when None)."""

    kind: str
    key: UUID
    at: datetime | None = None


Reaction = Callable[[Event], Iterable[Wake]]
_reactions: dict[str, tuple[Reaction, ...]] = {}


def react(reactions: Mapping[str, Sequence[Reaction]]) -> None:
    """Replace the table of reactions, event type by event type."""
    _reactions.clear()
    _reactions.update({kind: tuple(functions) for kind, functions in reactions.items()})


_CHANGES: Final = Target(
    "changes",
    (
        ("type", "text"),
        ("resource", "text"),
        ("resource_id", "uuid"),
        ("version", "bigint"),
        ("changed_fields", "text[]"),
        ("data", "jsonb"),
    ),
)

# Who is due already stays so: the row is only locked, so that no drain takes it before this transaction is committed.
# What a worker has in hand is asked for again: `least` leaves aside that nobody has (null).
_DUE: Final = Target(
    "due",
    (("kind", "text"), ("key", "uuid"), ("due_at", "timestamptz")),
    """on conflict (tenant_id, kind, key) do update
       set due_at = least(due.due_at, excluded.due_at),
         again_at = case when due.again_at is not null then least(due.again_at, excluded.due_at) end
       where greatest(due.due_at, due.again_at) > excluded.due_at""",
)

# What is due already, and no later, is held by all who ask for it: many ask for the same, and none waits for another.
_LATER: Final = f"""insert into due (tenant_id, kind, key, due_at)
select {TENANT}, kind, key, due_at from {{wanted}} as w where not exists (
  select from due d where d.kind = w.kind and d.key = w.key and greatest(d.due_at, d.again_at) <= w.due_at for share
) order by place {_DUE.end}"""  # noqa: S608 (constants)

_STORE: Final = f"""
with cause as ({{stated}}), told as (
  insert into changes (tenant_id, type, resource, resource_id, data)
  select {TENANT}, cast(:told_type as text), cast(:told_resource as text), id, data from cause order by id
){{woken}}
select count(*) = :told_count as all_new, case when count(*) < :told_count then array_agg(id) end as ids from cause
"""  # noqa: S608 (constants)


async def record(session: Session, *events: Event, wakes: Sequence[Wake] = ()) -> None:
    """Write `events` to the feed, in order, and the due work that they cause and that of `wakes`: one statement."""
    parts = recording(session, events, wakes)
    if parts:
        sql, values = together(parts)
        await session.run(sql, **values)


def recording(session: Session, events: Sequence[Event], wakes: Sequence[Wake] = ()) -> list[Part]:
    """Return what `record` writes, to be written in one statement with the cause."""
    waking, woken = _scheduling(_united(session, (*wakes, *_caused(session, events))))
    parts = [Part(f"woken as ({waking})", woken)] if waking else []
    if not events:
        return parts
    rows: dict[str, list[Any]] = {
        "type": [event.type for event in events],
        "resource": [event.resource for event in events],
        "resource_id": [event.id for event in events],
        "version": [event.version for event in events],
        "changed_fields": [event.changed_fields for event in events],
        "data": [event.data for event in events],
    }
    sql, values = insert(_CHANGES, rows)
    return [Part(f"told as ({sql})", values), *parts]


async def store(
    session: Session, statement: str, values: Mapping[str, Any], events: Sequence[Event]
) -> set[UUID] | None:
    """Insert rows, an event each, and write the feed and the due work with them in one statement.

    `statement` returns (id, data) of the rows that were not there yet: only these are told, in the order of their ids,
    with this `data`. The events, at least one, are of one type. Returns the ids of what is new, None where all is.
    """
    first = events[0]
    waking, wakes = _scheduling(consequences(session, events))
    told = {"told_type": first.type, "told_resource": first.resource, "told_count": len(events)}
    new = await session.row(_storing(statement, waking), **values, **told, **wakes)
    return None if new.all_new else set(new.ids or ())


@lru_cache(maxsize=1024)
def _storing(statement: str, waking: str) -> str:
    return _STORE.format(stated=statement, woken=f", woken as ({waking})" if waking else "")


async def schedule(session: Session, *wakes: Wake) -> None:
    """Write due work; an earlier moment for the same key wins."""
    waking, values = _scheduling(_united(session, wakes))
    if waking:
        await session.run(waking, **values)


def consequences(session: Session, events: Iterable[Event]) -> list[Wake]:
    """Return the due work that events cause, to be written with them: each key once, in order, with its moment."""
    return _united(session, _caused(session, events))


def _caused(session: Session, events: Iterable[Event]) -> Iterator[Wake]:
    for event in events:
        session.wake("feed")
        for reaction in _reactions.get(event.type, ()):
            yield from reaction(event)


def _united(session: Session, wakes: Iterable[Wake]) -> list[Wake]:
    """Unite those of one key, put them in one order, in which no two transactions wait for each other, and wake."""
    moment = now()
    times: dict[tuple[str, UUID], datetime] = {}
    for kind, key, asked in wakes:
        place, at = (kind, key), asked or moment
        times[place] = min(at, times.get(place, at))
    for kind in {kind for (kind, _), at in times.items() if at <= moment}:
        session.wake(kind)
    return [Wake(*place, times[place]) for place in sorted(times, key=_in_order)]


def _in_order(place: tuple[str, UUID]) -> tuple[str, int]:
    return place[0], place[1].int


def _scheduling(wakes: Sequence[Wake]) -> tuple[str, dict[str, Any]]:
    """Return the statement that writes due work, and its parameters; an empty one where there is none."""
    if not wakes:
        return "", {}
    kinds, keys, times = zip(*wakes, strict=True)
    rows = {"kind": kinds, "key": keys, "due_at": times}
    if max(times) <= now():
        return insert(_DUE, rows, "due_")
    wanted, values = relation(_DUE.columns, rows, "due_")
    return _LATER.format(wanted=wanted), values


async def number(session: Session) -> int:
    """Number the committed entries of this tenant in insertion order; return how many there were.

    The head's lock is held until the transaction ends, so that one must be short and write nothing else.
    """
    if not await session.value("select exists (select from changes where seq is null)"):
        return 0
    await session.run("insert into feed_heads (last_seq) values (0) on conflict do nothing")
    last = await session.value("select last_seq from feed_heads for update")
    fresh = [row.n for row in await session.rows("select n from changes where seq is null order by n")]
    # The entries are named, for how many are without a number cannot be estimated, and a join of guesses takes minutes.
    await session.run(
        """with numbered as (
             update changes c set seq = :last + f.place
             from unnest(cast(:fresh as bigint[])) with ordinality as f(n, place)
             where c.n = f.n and c.n = any(:fresh) and c.seq is null
           )
           update feed_heads set last_seq = :last + cardinality(cast(:fresh as bigint[]))""",
        fresh=fresh,
        last=last,
    )
    return len(fresh)
