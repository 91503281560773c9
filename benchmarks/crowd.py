"""A pool of any size with its history and its scores, loaded by set-based statements."""

from datetime import timedelta
from typing import Final
from uuid import UUID

import asyncpg

HISTORY: Final = 3
"""Touchpoints of each person before those that are measured."""

_TABLES: Final = ("candidates", "touchpoints", "scores", "due", "bench.scores")
_FAST: Final = """
set session_replication_role = replica;
set synchronous_commit = off;
set maintenance_work_mem = '512MB';
set work_mem = '128MB';
"""
_PEOPLE: Final = """
insert into candidates (tenant_id, id, full_name, created_at, updated_at, retention_basis)
select $1::uuid, uuidv7(n * interval '1 ms' - interval '30 days'), 'Name ' || n, now(), now(), 'consent'
from generate_series($2::int, $3::int) n
"""
_HISTORY: Final = """
insert into touchpoints (tenant_id, id, candidate_id, arrived_with, type, occurred_at, source, external_id, topics,
  data, message_id, actor, actor_reasons, actor_rule_version, created_at)
select $1::uuid, uuidv7(-interval '20 days'), c.id, c.id,
  (array['email_opened', 'event_attended', 'page_viewed', 'email_clicked', 'casual_interview'])[1 + (h % 5)],
  now() - (h % 400) * interval '1 day' - interval '1 hour', 'bench', c.id || ':' || n, '{クラウド}',
  jsonb_build_object('url', 'https://example.com/' || h % 50, 'message_id', 'm' || h % 99),
  case when h % 5 in (0, 3) then 'm' || h % 99 end, case when h % 7 = 0 then 'unknown' else 'human' end,
  '{deed}', 1, now() - interval '20 days'
from candidates c, generate_series(1, $2::int) n, lateral (select abs(hashtext(c.id || ':' || n)) as h) as hashed
where c.tenant_id = $1 and not exists (select from scores s where s.tenant_id = $1 and s.candidate_id = c.id)
"""
_SCORES: Final = """
with fresh as (
  insert into scores (tenant_id, model_key, model_version, candidate_id, fit, interest, since, half_life_days, rank_key,
    tier, tier_changes_at, next_event_at, computed_at)
  select $1::uuid, 'default', 2, c.id, 0, h % 40, now() - (h % 300) * interval '1 day', 30, 600 + h % 5, 'cold',
    case when h % 3 = 0 then now() + h % 90 * interval '1 day' + interval '1 day' end,
    case when h % 3 = 0 then now() + h % 90 * interval '1 day' + interval '1 day' end, now() - interval '1 day'
  from candidates c, lateral (select abs(hashtext(c.id::text)) as h) as hashed
  where c.tenant_id = $1 and not exists (select from scores s where s.tenant_id = $1 and s.candidate_id = c.id)
  returning *
), waiting as (
  insert into due (tenant_id, kind, key, due_at)
  select tenant_id, 'score', candidate_id, next_event_at from fresh where next_event_at is not null
)
insert into bench.scores select * from fresh
"""


async def grow(connection: asyncpg.Connection, tenant_id: UUID, people: int, size: int) -> None:
    """Add people with history and scores to a pool of `people` until it has `size`; indexes are built afterwards."""
    await connection.execute(_FAST)
    indexes = await connection.fetch(
        """select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition from pg_index
           where indrelid = any($1::regclass[]) and not indisunique""",
        list(_TABLES),
    )
    for index in indexes:
        await connection.execute(f"drop index {index['name']}")
    await connection.execute(_PEOPLE, tenant_id, people + 1, size)
    await connection.execute(_HISTORY, tenant_id, HISTORY)
    await connection.execute(_SCORES, tenant_id)
    for index in indexes:
        await connection.execute(index["definition"])
    await connection.execute("reset session_replication_role; reset synchronous_commit")
    for table in _TABLES:
        await connection.execute(f"vacuum analyze {table}")
    await connection.execute("checkpoint")


_MAILING: Final = """
with reached as materialized (
  select id, row_number() over (order by md5(id::text || $2)) as place from candidates
  where tenant_id = $1 order by md5(id::text || $2) limit $3 / 2
), signs as (
  select id, place, 'email_delivered' as type, interval '0' as later from reached
  union all
  select id, place, case place % 5 when 0 then 'email_clicked' when 1 then 'email_replied' else 'email_opened' end,
    interval '1 hour' from reached
), stored as (
  insert into touchpoints (tenant_id, id, candidate_id, arrived_with, type, occurred_at, source, external_id, topics,
    data, message_id, actor, actor_reasons, actor_rule_version)
  select $1, uuidv7(), id, id, type, now() - $4::interval + later, 'mailing', $2 || ':' || place || type, '{}',
    jsonb_build_object('url', 'https://example.com/jobs', 'message_id', $2 || place), $2 || place,
    case type when 'email_opened' then 'unknown' else 'human' end, '{}', 1
  from signs
)
insert into due (tenant_id, kind, key, due_at) select $1, 'score', id, now() from reached
on conflict (tenant_id, kind, key) do update set due_at = now()
"""


async def mail(connection: asyncpg.Connection, tenant_id: UUID, name: str, signals: int, ago: timedelta) -> None:
    """Let a mailing say `signals` things of half as many people: delivered to all, opened, clicked, replied."""
    await connection.execute(_MAILING, tenant_id, name, signals, ago)
    await connection.execute("analyze touchpoints; analyze due; checkpoint")
