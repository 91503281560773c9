"""What the gate asks of messages and timelines: each question is one statement for any number of people."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.kit import json
from app.kit.columns import TENANT
from app.kit.db import Session

_EXITS: Final = """
select a.place, t.id, t.type
from jsonb_to_recordset(cast(:rows as jsonb)) as a(place int, candidate_id uuid, types text[], since_start text[],
  started_at timestamptz)
cross join lateral (
  select id, type from touchpoints
  where candidate_id = a.candidate_id and type = any(a.types)
    and (type != 'email_replied' or actor != 'machine')
    and (type != 'email_bounced' or coalesce(data->'bounce'->>'kind', 'hard') != 'soft')
    and (type != all(a.since_start) or occurred_at >= a.started_at)
  order by occurred_at, id limit 1
) as t
"""
_TWINS: Final = """
with m as materialized (select * from messages where id = any(:ids)),
t as materialized (select * from messages where candidate_id = any(array(select candidate_id from m)))
select distinct m.id from m join t using (candidate_id, sequence_id, step, occurrence)
where t.id <> m.id and t.state in ('sent', 'transmitting', 'unknown')
"""
_CHANGED: Final = f"""
select m.id from messages m join candidates c on c.tenant_id = {TENANT} and c.id = m.candidate_id
where m.id = any(:ids) and (
  c.updated_at > :since or c.hidden_at is not null or c.erased_at is not null
  or exists (select from consents s where s.candidate_id = c.id and s.created_at > :since)
  or exists (select from leases l where l.candidate_id = c.id and l.expires_at > :since)
  or exists (select from touchpoints t where t.candidate_id = c.id and t.created_at > :since and t.type <> 'email_sent')
  or exists (
    select from identifiers i join suppressions s on s.value_hmac = i.value_hash
    where i.candidate_id = c.id and s.since > :since))
"""  # noqa: S608 (constants)
_SEEN: Final = """
select distinct candidate_id, content_id from messages
where candidate_id = any(:candidates) and content_id is not null and state not in ('cancelled', 'refused', 'failed')
"""


async def exit_touchpoints(session: Session, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Return (place, id, type) of each person's first touchpoint of its types, some only from `started_at` on."""
    return await session.rows(_EXITS, rows=json.dumps(rows))


async def changed(session: Session, ids: Sequence[UUID], since: datetime) -> set[UUID]:
    """Return those of these messages about whose person anything was written after `since` that the gate asks for."""
    return {row.id for row in await session.rows(_CHANGED, ids=list(ids), since=since)}


async def twins(session: Session, ids: Sequence[UUID]) -> set[UUID]:
    """Return those of these messages whose person may have got the same step already, under another id."""
    return {row.id for row in await session.rows(_TWINS, ids=list(ids))}


async def seen(session: Session, candidates: Sequence[UUID]) -> set[tuple[UUID, UUID]]:
    """Return (candidate, content) of what these candidates were sent, or are about to be."""
    rows = await session.rows(_SEEN, candidates=list(candidates))
    return {(row.candidate_id, row.content_id) for row in rows}
