"""What notifications name, read by a worker at the provider's own host: one object after the other, and later again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from app.connectors import eventbrite, keyring, reception, repository
from app.connectors.models import Connection
from app.connectors.repository import ConnectionRepository
from app.connectors.signals import Conclusion, Kept
from app.kit import http, jobs, outbox
from app.kit.clock import now
from app.kit.db import Session
from app.kit.jobs import Claim
from app.kit.log import get_logger
from app.kit.outbox import Wake
from app.settings import get_settings

log = get_logger(__name__)

JOB: Final = "connections.fetch"
SCOPE: Final = "connectors:read"
ATTEMPTS_MOST: Final = 12
"""With the pauses between them, a bit more than a day."""
PAUSE: Final = timedelta(seconds=30)
PAUSE_MOST: Final = timedelta(hours=6)
FIRST: Final = UUID(int=0)
LOOK_AGAIN: Final = timedelta(seconds=2)
FINAL: Final = frozenset({301, 302, 303, 307, 308, 400, 401, 403, 404, 410})
"""Answers that asking again does not change; a redirect is never followed."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A delivery whose object is to be read, and how."""

    connection: Connection
    kept: Kept
    path: str
    token: str


async def begin(session: Session, ids: Sequence[UUID]) -> Mapping[UUID, datetime]:
    """Start reading where something waits; look again soon where somebody reads already."""
    busy = await repository.at_work(session, JOB, ids)
    for connection_id in ids:
        if connection_id not in busy and await repository.waiting(session, connection_id, FIRST):
            await jobs.start(session, JOB, SCOPE, {"connection_id": connection_id})
    return dict.fromkeys(busy, now() + LOOK_AGAIN)


async def run(claim: Claim) -> Mapping[str, Any]:
    """Read what waits, each once."""
    done, last = 0, FIRST
    while (asked := await _next(claim, last)) is not None:
        found: bytes | http.FetchFailed
        try:
            found = await http.fetch(_url(asked.path), eventbrite.credentials(asked.token))
        except http.FetchFailed as failed:
            found = failed
        done, last = done + 1, asked.kept.id
        async with claim.step() as session:
            await _settle(session, asked, found)
            await claim.progress(session, done)
    return {"fetched": done}


def _url(path: str) -> str:
    return str(get_settings().eventbrite_url).rstrip("/") + path


async def _next(claim: Claim, last: UUID) -> Asked | None:
    """Return the first delivery after `last` that waits and names an object."""
    async with claim.step() as session:
        connection = await ConnectionRepository(session).get(UUID(str(claim.arguments["connection_id"])))
        if connection is None or not connection.enabled:
            return None
        secrets = keyring.live(connection.tenant_id, connection.secrets_enc, now())
        row = await repository.waiting(session, connection.id, last)
        if row is None or not secrets:
            return None
        kept = Kept(row.id, row.raw, row.headers, row.attempts + 1, row.status)
        path = eventbrite.parse(kept.headers, kept.raw, connection.settings).fetch
        return Asked(connection, kept, path or "", secrets[0])


async def _settle(session: Session, asked: Asked, found: bytes | http.FetchFailed) -> None:
    if isinstance(found, bytes):
        parsed = eventbrite.read(asked.kept.raw, found, asked.connection.settings)
        await reception.settle(session, asked.connection, asked.kept, parsed)
        return
    log.warning("delivery.fetch_failed", delivery=str(asked.kept.id), reason=str(found))
    if found.status in FINAL or asked.kept.attempts > ATTEMPTS_MOST:
        conclusion = Conclusion("dead", "fetch_refused" if found.status in FINAL else "fetch_failed")
    else:
        conclusion = Conclusion("stored", reception.WAITING)
        wanted = timedelta(seconds=min(found.retry_after_s or 0, PAUSE_MOST.total_seconds()))
        pause = max(min(PAUSE * 2 ** (asked.kept.attempts - 2), PAUSE_MOST), wanted)
        await outbox.schedule(session, Wake(reception.FETCH_DUE, asked.connection.id, now() + pause))
    await repository.conclude(session, asked.connection.id, asked.kept, conclusion)
