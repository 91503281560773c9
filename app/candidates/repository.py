"""The statements of the people's tables; each is one round trip for any number of people."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.candidates.fields import PROFILE
from app.kit import json
from app.kit.db import Session

LIVE: Final = "c.hidden_at is null and c.erased_at is null and c.merged_into is null"
_COLUMNS: Final = ", ".join(f"c.{name}" for name in PROFILE)


async def find(session: Session, candidate_id: UUID, *, lock: bool) -> Any:  # noqa: ANN401 (a row)
    """Return (id, version, hidden_at, erased_at) of whom this id means now."""
    locking = " for no key update of c" if lock else ""
    sql = """select c.id, c.version, c.hidden_at, c.erased_at, c.merged_into from candidates c
             where c.id = coalesce((select a.candidate_id from aliases a where a.old_id = :id), cast(:id as uuid))"""
    found = await session.row(sql + locking, id=candidate_id)
    return await find(session, found.merged_into, lock=lock) if found and found.merged_into else found


async def find_many(session: Session, ids: Sequence[UUID]) -> list[Any]:
    return await session.rows(
        f"""select asked.id as asked, c.id from unnest(cast(:ids as uuid[])) as asked(id)
            left join aliases a on a.old_id = asked.id
            join candidates c on c.id = coalesce(a.candidate_id, asked.id) where {LIVE}""",  # noqa: S608 (constants)
        ids=list(ids),
    )


async def holders(session: Session, kind: str, hashes: Sequence[bytes]) -> list[Any]:
    """Return (value_hash, candidate_id) of live candidates."""
    return await session.rows(
        f"""select distinct i.value_hash, i.candidate_id from identifiers i join candidates c on c.id = i.candidate_id
            where i.kind = :kind and i.value_hash = any(:hashes) and i.value is not null and {LIVE}
            order by i.candidate_id""",  # noqa: S608 (constants)
        kind=kind,
        hashes=list(hashes),
    )


async def external_holders(session: Session, sources: Sequence[str], ids: Sequence[str]) -> list[Any]:
    return await session.rows(
        f"""select e.source, e.external_id, e.candidate_id from external_ids e
            join unnest(cast(:sources as text[]), cast(:ids as text[])) as t(source, id)
              on e.source = t.source and e.external_id = t.id
            join candidates c on c.id = e.candidate_id where {LIVE}""",  # noqa: S608 (constants)
        sources=list(sources),
        ids=list(ids),
    )


async def hashes(session: Session, ids: Sequence[UUID]) -> list[Any]:
    return await session.rows(
        """select distinct candidate_id, kind, value_hash from identifiers
           where candidate_id = any(:ids) and value is not null""",
        ids=list(ids),
    )


async def external_ids(session: Session, ids: Sequence[UUID]) -> list[Any]:
    return await session.rows(
        "select candidate_id, source, external_id from external_ids where candidate_id = any(:ids)", ids=list(ids)
    )


async def profiles(session: Session, ids: Sequence[UUID]) -> list[Any]:
    return await session.rows(
        f"""select c.id, c.version, c.hidden_at, {_COLUMNS}, c.warnings, c.provenance, c.last_interaction_at,
              c.live_selection_at, c.rejected_at, c.retention_expires_on, c.retention_basis, c.created_at, c.updated_at,
              array(select a.old_id from aliases a where a.candidate_id = c.id order by a.old_id) as merged_ids,
              array(select distinct i.value from identifiers i
                    where i.candidate_id = c.id and i.kind = 'email' and i.state = 'bounced') as bounced
            from candidates c where c.id = any(:ids) and c.erased_at is null and c.merged_into is null""",  # noqa: S608 (constants)
        ids=list(ids),
    )


async def bounce(session: Session, value_hash: bytes) -> list[UUID]:
    rows = await session.rows(
        """update identifiers set state = 'bounced' where kind = 'email' and value_hash = :value_hash
           returning candidate_id""",
        value_hash=value_hash,
    )
    return sorted({row.candidate_id for row in rows})


async def set_address_state(session: Session, ids: Collection[UUID], state: str) -> None:
    await session.run("update candidates set address_state = :state where id = any(:ids)", ids=list(ids), state=state)


async def interacted(session: Session, moments: Mapping[UUID, datetime], days: Mapping[str, int], default: int) -> None:
    await session.run(
        """update candidates c set last_interaction_at = greatest(c.last_interaction_at, t.at),
             retention_expires_on = greatest(c.retention_expires_on, cast(t.at at time zone 'UTC' as date)
               + coalesce(cast(cast(:days as jsonb) ->> c.retention_basis as int), :default))
           from unnest(cast(:ids as uuid[]), cast(:times as timestamptz[])) as t(id, at) where c.id = t.id""",
        ids=list(moments),
        times=list(moments.values()),
        days=json.dumps(dict(days)),
        default=default,
    )
