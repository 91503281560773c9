from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.connectors.models import Connection
from app.connectors.signals import Conclusion, Kept
from app.kit import json
from app.kit.db import Database, Session
from app.kit.edge import TRANSIENT
from app.kit.repository import ResourceRepository
from app.kit.routing import RETRIED

SHARES: Final = 16
LISTED_REFUSALS: Final = 1_000

# A transaction's last statement, because the lock on the share is held from there on.
_COUNT: Final = f"""
insert into delivery_counts (connection_id, share, stored, duplicate, refused, dead)
values (:connection_id, pg_backend_pid() % {SHARES}, :stored, :duplicate, :refused, :dead)
on conflict (tenant_id, connection_id, share) do update set
  stored = delivery_counts.stored + excluded.stored, duplicate = delivery_counts.duplicate + excluded.duplicate,
  refused = delivery_counts.refused + excluded.refused, dead = delivery_counts.dead + excluded.dead
"""  # noqa: S608 (constants)
_PAGE: Final = """
select * from (
  select page.* from unnest(cast(:statuses as text[])) as asked(status) cross join lateral (
    select d.id, d.received_at, d.status, d.reason, d.signals, d.unreadable, d.touchpoint_ids from deliveries d
    where d.connection_id = :connection_id and d.status = asked.status
      and (cast(:after as uuid) is null or d.id < cast(:after as uuid))
    order by d.id desc limit :most
  ) as page
  union all
  select r.id, r.received_at, 'refused', r.reason, 0, 0, '{}' from (
    select * from refusals where connection_id = :connection_id order by id desc limit :listed
  ) as r where 'refused' = any(:statuses) and (cast(:after as uuid) is null or r.id < cast(:after as uuid))
) as either order by id desc limit :most
"""


class ConnectionRepository(ResourceRepository[Connection]):
    model = Connection

    def visible(self) -> Select[Connection]:
        return super().visible().where(Connection.removed_at.is_(None))

    async def page(self, after: UUID | None, limit: int) -> Sequence[Connection]:
        """Return connections, the newest first."""
        newest = self.visible().order_by(Connection.id.desc()).limit(limit)
        return await self.all(newest if after is None else newest.where(Connection.id < after))

    async def of(self, ids: Collection[UUID]) -> Sequence[Connection]:
        """Return those of these connections that there still are."""
        return await self.all(self.visible().where(Connection.id.in_(ids)).order_by(Connection.id))


async def tenant_of(database: Database, connection_id: UUID) -> UUID | None:
    """Return whose hook this is."""
    found: UUID | None = await database.routed("select hook_route(:id)", id=connection_id)
    return found


def is_conflict(error: Exception) -> bool:
    """Say whether the transaction only met another one, so that it may be run again."""
    return _state(error) in RETRIED


def is_away(error: Exception) -> bool:
    """Say whether the database is away or has no connection to spare."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or isinstance(error, InterfaceError) or _state(error).startswith(TRANSIENT)
    return isinstance(error, PoolTimeout | OSError)


def _state(error: Exception) -> str:
    return str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")


async def counts(session: Session, ids: Collection[UUID]) -> Mapping[UUID, Mapping[str, int]]:
    """Return stored, duplicate, refused and dead of each connection that was ever called."""
    rows = await session.rows(
        """select connection_id, sum(stored) as stored, sum(duplicate) as duplicate, sum(refused) as refused,
             sum(dead) as dead
           from delivery_counts where connection_id = any(:ids) group by connection_id""",
        ids=list(ids),
    )
    return {
        row.connection_id: {name: int(getattr(row, name)) for name in ("stored", "duplicate", "refused", "dead")}
        for row in rows
    }


async def store(session: Session, connection_id: UUID, key: bytes, kept: Kept) -> bool:
    """Keep a call as it came; False when the same one is kept already."""
    inserted = await session.run(
        """insert into deliveries (id, connection_id, dedupe_key, raw, headers, status)
           values (:id, :connection_id, :key, :raw, cast(:headers as jsonb), :status)
           on conflict (tenant_id, connection_id, dedupe_key) do nothing""",
        id=kept.id,
        connection_id=connection_id,
        key=key,
        raw=kept.raw,
        headers=json.dumps(kept.headers),
        status=kept.status,
    )
    return inserted == 1


async def conclude(session: Session, connection_id: UUID, kept: Kept, found: Conclusion) -> None:
    """Write what became of a delivery, and count it: the first time where it belongs, later only as alive or dead."""
    duplicate = int(kept.attempts == 1 and found.status == "duplicate")
    await session.run(
        f"""with concluded as (
              update deliveries set status = :status, reason = :reason, signals = :signals, unreadable = :unreadable,
                touchpoint_ids = cast(:touchpoint_ids as uuid[]), attempts = :attempts
              where id = :id
            ) {_COUNT}""",  # noqa: S608 (constants)
        id=kept.id,
        status=found.status,
        reason=found.reason,
        signals=found.signals,
        unreadable=found.unreadable,
        touchpoint_ids=list(found.touchpoint_ids),
        attempts=kept.attempts,
        **_counted(
            connection_id,
            stored=int(kept.attempts == 1) - duplicate,
            duplicate=duplicate,
            dead=int(found.status == "dead") - int(kept.status == "dead"),
        ),
    )


async def repeat(session: Session, connection_id: UUID, delivery_id: UUID, key: bytes) -> None:
    """Note that the call with this key came again."""
    await session.run(
        f"""with repeated as (
              insert into deliveries (id, connection_id, status, signals, unreadable, touchpoint_ids)
              select :id, connection_id, 'duplicate', signals, unreadable, touchpoint_ids from deliveries
              where connection_id = :connection_id and dedupe_key = :key
            ) {_COUNT}""",  # noqa: S608 (constants)
        id=delivery_id,
        key=key,
        **_counted(connection_id, duplicate=1),
    )


async def refuse(session: Session, connection_id: UUID, refusal_id: UUID, reason: str, at: datetime) -> None:
    """Count a refused call, and list it in the place of the oldest."""
    await session.run(
        f"""with counted as ({_COUNT} returning share, refused)
            insert into refusals (connection_id, share, slot, id, reason, received_at)
            select :connection_id, share, refused % :ring, :id, :reason, :at from counted
            on conflict (tenant_id, connection_id, share, slot) do update
              set id = excluded.id, reason = excluded.reason, received_at = excluded.received_at""",  # noqa: S608 (constants)
        id=refusal_id,
        ring=LISTED_REFUSALS,
        reason=reason,
        at=at,
        **_counted(connection_id, refused=1),
    )


def _counted(connection_id: UUID, **changes: int) -> dict[str, Any]:
    return {"connection_id": connection_id, "stored": 0, "duplicate": 0, "refused": 0, "dead": 0} | changes


async def delivery(session: Session, connection_id: UUID, delivery_id: UUID, *, lock: bool = False) -> Any:  # noqa: ANN401 (a row)
    """Return a delivery with what is kept of it."""
    sql = """select id, received_at, status, reason, signals, unreadable, touchpoint_ids, attempts, raw, headers
             from deliveries where id = :id and connection_id = :connection_id"""
    return await session.row(sql + (" for update" if lock else ""), id=delivery_id, connection_id=connection_id)


async def refusal(session: Session, connection_id: UUID, refusal_id: UUID) -> bool:
    """Say whether this is a refusal that is listed."""
    found = await session.value(
        "select true from refusals where connection_id = :connection_id and id = :id",
        connection_id=connection_id,
        id=refusal_id,
    )
    return bool(found)


async def deliveries(
    session: Session, connection_id: UUID, statuses: Sequence[str], after: UUID | None, most: int
) -> list[Any]:
    """Return deliveries and refusals of these statuses, the newest first."""
    return await session.rows(
        _PAGE,
        connection_id=connection_id,
        statuses=list(statuses),
        after=after,
        most=most,
        listed=LISTED_REFUSALS,
    )


async def count_connections(session: Session, most: int) -> int:
    """Return how many connections there are, or `most`."""
    sql = "select count(*) from (select from connections where removed_at is null limit :most) as live"
    return int(await session.value(sql, most=most))


async def count_deliveries(session: Session, connection_id: UUID, statuses: Sequence[str], most: int) -> int:
    """Return how many deliveries and listed refusals have these statuses, or about `most`."""
    found = await session.value(
        """select (select count(*) from (select from deliveries where connection_id = :connection_id
                   and status = any(:statuses) limit :most) as kept)
             + (select count(*) from (select from refusals where connection_id = :connection_id
                and 'refused' = any(:statuses) limit :listed) as refused)""",
        connection_id=connection_id,
        statuses=list(statuses),
        most=most,
        listed=LISTED_REFUSALS,
    )
    return int(found)


async def empty_before(session: Session, ids: Sequence[UUID], before: datetime, most: int) -> None:
    """Forget the bodies and headers of at most so many old deliveries; what became of them stays."""
    await session.run(
        """update deliveries set raw = null, headers = '{}' where id in (
             select id from deliveries where connection_id = any(:ids) and raw is not null and received_at <= :before
             limit :most)""",
        ids=list(ids),
        before=before,
        most=most,
    )


async def oldest_bodies(session: Session, ids: Sequence[UUID]) -> list[Any]:
    """Return (id, received_at of the oldest body that is kept or null) of those that are connected or keep one."""
    return await session.rows(
        """select c.id, oldest.received_at from connections c left join lateral (
             select d.received_at from deliveries d where d.connection_id = c.id and d.raw is not null
             order by d.received_at limit 1) as oldest on true
           where c.id = any(:ids) and (c.removed_at is null or oldest.received_at is not null)""",
        ids=list(ids),
    )


async def waiting(session: Session, connection_id: UUID, after: UUID) -> Any:  # noqa: ANN401 (a row)
    """Return the first delivery after this id that is stored and not read yet."""
    return await session.row(
        """select id, status, attempts, raw, headers from deliveries
           where connection_id = :connection_id and status = 'stored' and id > :after and raw is not null
           order by id limit 1""",
        connection_id=connection_id,
        after=after,
    )


async def at_work(session: Session, kind: str, ids: Collection[UUID]) -> set[UUID]:
    """Return for which of these connections a job of this kind is on its way."""
    rows = await session.rows(
        """select distinct cast(arguments ->> 'connection_id' as uuid) as connection_id from jobs
           where kind = :kind and state in ('queued', 'running')
             and cast(arguments ->> 'connection_id' as uuid) = any(:ids)""",
        kind=kind,
        ids=list(ids),
    )
    return {row.connection_id for row in rows}


async def external_ids_of(session: Session, source: str) -> list[str]:
    """Return the ids by which the people of the pool are known in another system."""
    rows = await session.rows("select external_id from external_ids where source = :source", source=source)
    return [row.external_id for row in rows]
