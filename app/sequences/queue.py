"""The messages as a queue: claimed by lease, handed back when a worker is gone, and shared rates."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from prometheus_client import Gauge

from app.kit import json
from app.kit.clock import now
from app.kit.columns import TENANT
from app.kit.db import Session
from app.kit.presence import IS_GONE
from app.settings import get_settings

LEASE: Final = timedelta(seconds=60)
"""Longer than an attempt may take (mailer.TIMEOUT_S), so that a live worker never loses what it holds."""
BURST_S: Final = 1.0
"""A rate may be used up at once for so many seconds, so that no minute sees much more than the rate."""

Gauge("talentpool_send_lanes", "Mails that a worker may have in flight.").set_function(
    lambda: get_settings().send_lanes
)

_CLAIM: Final = """
with picked as (
  select m.tenant_id, m.id from messages m
  where m.state in ('scheduled', 'retry') and m.scheduled_at <= :moment
    and exists (select from sequences s where s.id = m.sequence_id and s.status = 'active')
  order by m.scheduled_at, m.id limit :most for update of m skip locked
)
update messages m set state = 'claimed', attempt = m.attempt + case when m.resent then 0 else 1 end, resent = false,
  worker = :worker, lease_until = :lease_until, version = m.version + 1, updated_at = now()
from picked where m.tenant_id = picked.tenant_id and m.id = picked.id
returning m.id, m.enrollment_id, m.attempt
"""
_LOST: Final = f"""
select id, enrollment_id, attempt, state from messages m
where m.state in ('claimed', 'transmitting')
  and (m.lease_until < now() or {IS_GONE.format(worker="m.worker")})
order by m.enrollment_id, m.id limit :most
"""  # noqa: S608 (our own words)
_CANCEL: Final = """
update messages set state = 'cancelled', reasons = cast(:reasons as jsonb), worker = null, lease_until = null,
  version = version + 1, updated_at = now()
where enrollment_id = any(:enrollments) and state in ('scheduled', 'retry', 'claimed')
"""
_UNCANCEL: Final = """
update messages m set state = 'scheduled', reasons = '[]', version = m.version + 1, updated_at = now()
from enrollments e
where e.id = m.enrollment_id and e.step = m.step and m.enrollment_id = any(:enrollments) and m.state = 'cancelled'
  and m.reasons @> jsonb_build_array(jsonb_build_object('code', cast(:code as text)))
"""
_REFILL: Final = """
insert into send_buckets as b (domain, tokens, refilled_at)
select r.domain, r.burst, :moment
from unnest(cast(:domains as text[]), cast(:bursts as float8[]), cast(:rates as float8[])) as r(domain, burst, rate)
order by r.domain
on conflict (tenant_id, domain) do update set
  tokens = (select least(r.burst, b.tokens
      + r.rate * greatest(cast(extract(epoch from :moment - b.refilled_at) as float8), 0))
    from unnest(cast(:domains as text[]), cast(:bursts as float8[]), cast(:rates as float8[])) as r(domain, burst, rate)
    where r.domain = b.domain),
  refilled_at = greatest(:moment, b.refilled_at)
returning domain, tokens
"""
_USE: Final = """
update send_buckets b set tokens = b.tokens - u.used
from unnest(cast(:domains as text[]), cast(:used as int[])) as u(domain, used) where b.domain = u.domain
"""
_HOLD: Final = f"""
with s as materialized (
  select id, status from sequences
  where id = any(array(select sequence_id from enrollments where id = any(:enrollments))) order by id for share
), e as materialized (
  select * from enrollments where id = any(:enrollments) and exists (select from s) order by id for update
), m as materialized (
  select * from messages where id = any(:messages) and enrollment_id = any(array(select id from e)) order by id
  for update
), c as materialized (
  select id from candidates
  where :is_for_people and tenant_id = {TENANT} and id = any(array(select candidate_id from m)) order by id for update
)
select m.id, m.enrollment_id, m.sequence_id, m.step, m.occurrence, m.candidate_id, m.channel, m.purpose,
  m.template_id, m.template_revision, m.content_id, m.content_reason, m.state, m.attempt, m.due_at, m.worker,
  m.message_id_header, m."to", m.decision_id, e.sequence_revision as pinned_revision, e.started_at,
  e.occurrence as stood_occurrence, e.version as stood_version, e.state as stood_state, e.step as stood_step,
  e.next_at as stood_next_at, e.limit_at as stood_limit_at,
  (select s.status from s where s.id = m.sequence_id) as sequence_status,
  (select count(*) from c) as held
from m join e on e.id = m.enrollment_id order by m.id
"""  # noqa: S608 (constants)
_PASSED: Final = """
update messages m set "to" = p."to", message_id_header = p.header, reasons = '[]', decision_id = p.decision_id,
  consent_id = p.consent_id, content_id = p.content_id, content_reason = nullif(p.content_reason, 'null'),
  version = m.version + 1, updated_at = now()
from jsonb_to_recordset(cast(:rows as jsonb)) as p(id uuid, "to" text, header text, decision_id uuid, consent_id uuid,
  content_id uuid, content_reason jsonb)
where m.id = any(:ids) and m.id = p.id
"""
_BEGIN: Final = """
update messages m set state = 'transmitting', transmitting_at = :moment, lease_until = :lease_until,
  rendered_hash = b.hash, version = m.version + 1, updated_at = now()
from unnest(cast(:ids as uuid[]), cast(:hashes as text[])) as b(id, hash) where m.id = any(:ids) and m.id = b.id
"""
_SETTLE: Final = """
update messages m set state = s.state, reasons = s.reasons, scheduled_at = coalesce(s.scheduled_at, m.scheduled_at),
  decision_id = case s.state when 'refused' then s.decision_id else m.decision_id end,
  attempt = m.attempt - case s.state when 'scheduled' then 1 else 0 end, worker = null, lease_until = null,
  version = m.version + 1, updated_at = now()
from jsonb_to_recordset(cast(:rows as jsonb)) as s(id uuid, state text, reasons jsonb, decision_id uuid,
  scheduled_at timestamptz)
where m.id = any(:ids) and m.id = s.id
"""
_SENT: Final = """
update messages m set state = 'sent', sent_at = :moment,
  smtp = case when m."to" is not null then nullif(s.smtp, 'null') end, worker = null,
  lease_until = null, version = m.version + 1, updated_at = now()
from jsonb_to_recordset(cast(:rows as jsonb)) as s(id uuid, smtp jsonb)
where m.id = any(:ids) and m.id = s.id
returning m.id, m.version, m.candidate_id, m.sequence_id
"""


async def claim(session: Session, worker: UUID, most: int) -> list[Any]:
    """Take what is due of this tenant, for the time of a lease: rows of id, enrollment_id, attempt."""
    moment = now()
    return await session.rows(_CLAIM, worker=worker, most=most, moment=moment, lease_until=moment + LEASE)


async def lost(session: Session, most: int) -> list[Any]:
    """Return what is held by nobody who lives: rows of id, enrollment_id, attempt, state."""
    return await session.rows(_LOST, most=most)


async def cancel(session: Session, enrollments: Sequence[UUID], code: str, detail: str) -> None:
    """Cancel what these enrollments have not begun to send."""
    if enrollments:
        reasons = json.dumps([{"code": code, "detail": detail}])
        await session.run(_CANCEL, enrollments=list(enrollments), reasons=reasons)


async def uncancel(session: Session, enrollments: Sequence[UUID], code: str) -> None:
    """Schedule again what was cancelled by this code and what these enrollments still stand at."""
    if enrollments:
        await session.run(_UNCANCEL, enrollments=list(enrollments), code=code)
        session.wake("sender")


async def hold(session: Session, pairs: Sequence[tuple[UUID, UUID]], *, is_for_people: bool) -> dict[UUID, Any]:
    """Lock messages, given as (enrollment, message): enrollments first, then messages, then, if asked for, people.

    No sequence of theirs is paused until the transaction ends.

    Returns message id → what is asked of it and of its enrollment, as it is now.
    """
    rows = await session.rows(
        _HOLD,
        enrollments=[enrollment for enrollment, _ in pairs],
        messages=[message for _, message in pairs],
        is_for_people=is_for_people,
    )
    return {row.id: row for row in rows}


async def passed(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note what the gate let pass: where it goes, by which decision, with which content."""
    await session.run(_PASSED, rows=json.dumps(rows), ids=[row["id"] for row in rows])


async def begin(session: Session, hashes: Mapping[UUID, str]) -> None:
    """Note that from now on nobody can be sure that these messages (→ hash of their bytes) did not leave."""
    moment = now()
    await session.run(_BEGIN, ids=list(hashes), hashes=list(hashes.values()), moment=moment, lease_until=moment + LEASE)


async def settle(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note that claimed messages do not leave now: `id`, `state`, `reasons`, and by decision or until when."""
    await session.run(_SETTLE, rows=json.dumps(rows), ids=[row["id"] for row in rows])


async def sent(session: Session, replies: Mapping[UUID, object], moment: datetime) -> dict[UUID, Any]:
    """Note that these messages (→ the server's reply) left; return their rows of id, version and whom they are of."""
    rows = [{"id": message_id, "smtp": reply} for message_id, reply in replies.items()]
    done = await session.rows(_SENT, rows=json.dumps(rows), ids=list(replies), moment=moment)
    return {row.id: row for row in done}


async def take(session: Session, asked: Sequence[Mapping[str, int | None]], moment: datetime) -> list[datetime]:
    """Use one token of each rate that a mail asks for (domain, empty for the tenant → mails a minute; None: no limit).

    Returns for each mail `moment` when all its rates had one, else when they will, if nobody else takes them; then
    nothing is used. The buckets are locked in the order of their names, so that workers never wait for each other.
    """
    limits = {domain: rate / 60 for each in asked for domain, rate in each.items() if rate is not None}
    if not limits:
        return [moment] * len(asked)
    domains = sorted(limits)
    rows = await session.rows(
        _REFILL,
        domains=domains,
        bursts=[max(1.0, limits[domain] * BURST_S) for domain in domains],
        rates=[limits[domain] for domain in domains],
        moment=moment,
    )
    room = {row.domain: float(row.tokens) for row in rows}
    used, waiting = Counter[str](), Counter[str]()
    ready: list[datetime] = []
    for each in asked:
        wanted = [domain for domain in each if domain in limits]
        is_room = all(room[domain] >= used[domain] + 1 for domain in wanted)
        pauses = ((1 + used[of] + waiting[of] - room[of]) / limits[of] for of in wanted)
        ready.append(moment if is_room else moment + timedelta(seconds=max(pauses)))
        (used if is_room else waiting).update(wanted)
    if used:
        await session.run(_USE, domains=list(used), used=list(used.values()))
    return ready
