"""The messages as a queue: claimed by lease, handed back when a worker is gone, and shared rates."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from prometheus_client import Gauge

from app.kit import json
from app.kit.clock import now
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
  where m.state in ('scheduled', 'retry') and m.scheduled_at <= now()
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
insert into send_buckets (domain, tokens, refilled_at) values (:domain, :burst, :moment)
on conflict (tenant_id, domain) do update set
  tokens = least(:burst, send_buckets.tokens
    + cast(:per_second as float8)
    * greatest(cast(extract(epoch from :moment - send_buckets.refilled_at) as float8), 0)),
  refilled_at = greatest(:moment, send_buckets.refilled_at)
returning tokens
"""


async def claim(session: Session, worker: UUID, most: int) -> list[Any]:
    """Take what is due of this tenant, for the time of a lease: rows of id, enrollment_id, attempt."""
    return await session.rows(_CLAIM, worker=worker, most=most, lease_until=now() + LEASE)


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


async def take(session: Session, rates: dict[str, int | None], moment: datetime) -> datetime:
    """Use one token of each rate (domain, empty for the tenant → mails a minute; None is no limit).

    Returns `moment` when all had one, else when the last of them will; then nothing is used.
    """
    limited = {domain: rate / 60 for domain, rate in sorted(rates.items()) if rate is not None}
    ready = moment
    for domain, per_second in limited.items():
        burst = max(1.0, per_second * BURST_S)
        tokens = await session.value(_REFILL, domain=domain, burst=burst, per_second=per_second, moment=moment)
        if tokens < 1:
            ready = max(ready, moment + timedelta(seconds=(1 - tokens) / per_second))
    if limited and ready == moment:
        await session.run("update send_buckets set tokens = tokens - 1 where domain = any(:all)", all=list(limited))
    return ready
