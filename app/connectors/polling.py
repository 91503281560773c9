"""Asking connpass again and again: the events of each nickname that the pool knows, no more than a page a second."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from app.connectors import connpass, keyring, reading, reception, repository
from app.connectors.errors import ProviderRefused
from app.connectors.models import Connection
from app.connectors.providers import PROVIDERS
from app.connectors.repository import ConnectionRepository
from app.connectors.signals import Kept
from app.kit import http, jobs
from app.kit.clock import now
from app.kit.db import Session
from app.kit.ids import new_id
from app.kit.jobs import Claim
from app.settings import get_settings

JOB: Final = "connections.poll"
SCOPE: Final = "connectors:read"
EVERY_H: Final = 6.0
PAUSE_S: Final = 1.0
PATIENCE_S: Final = 60.0
PAGES_MOST: Final = 50
REFUSED: Final = frozenset({401, 403})
UNKNOWN: Final = frozenset({404, 410})
TOO_OFTEN: Final = 429


@dataclass(frozen=True, slots=True)
class Round:
    """One round of questions: for which connection, with which key, about whom."""

    connection: Connection
    key: str
    nicknames: Sequence[str]


async def begin(session: Session, ids: Sequence[UUID]) -> Mapping[UUID, datetime]:
    """Start a round for each connection that is asked for; return when the next one is due."""
    busy = await repository.at_work(session, JOB, ids)
    again: dict[UUID, datetime] = {}
    for connection in await ConnectionRepository(session).of(ids):
        if PROVIDERS[connection.provider].kind == "poll":
            again[connection.id] = now() + timedelta(hours=connection.settings.get("every_h", EVERY_H))
            if connection.enabled and connection.id not in busy:
                await jobs.start(session, JOB, SCOPE, {"connection_id": connection.id})
    return again


async def run(claim: Claim) -> Mapping[str, Any]:
    """Ask about each nickname in turn; after a crash, from the one after the last on. Raises ProviderRefused."""
    last = str((claim.cursor or {}).get("nickname", ""))
    asked = await _round(claim)
    counts: Counter[str] = Counter()
    for place, nickname in enumerate(asked.nicknames if asked else (), 1):
        if asked is None or nickname <= last:
            continue
        try:
            counts.update(await _follow(claim, asked, nickname))
        except ProviderRefused:
            async with claim.step() as session:
                await reception.park(session, asked.connection, ProviderRefused.code)
            raise
        async with claim.step() as session:
            await claim.progress(
                session, place, total=len(asked.nicknames), counts=counts, cursor={"nickname": nickname}
            )
    return {"counts": counts}


async def _round(claim: Claim) -> Round | None:
    async with claim.step() as session:
        connection = await ConnectionRepository(session).get(UUID(str(claim.arguments["connection_id"])))
        if connection is None or not connection.enabled:
            return None
        [key, *_] = keyring.live(connection.tenant_id, connection.secrets_enc, now())
        known = await repository.external_ids_of(session, connpass.SOURCE)
        named = {*known, *connection.settings.get("nicknames", ())}
        return Round(connection, key, sorted(named))


async def _follow(claim: Claim, asked: Round, nickname: str) -> Mapping[str, int]:
    """Read somebody's events, page by page; return how many pages were read and how many brought news."""
    counts: Counter[str] = Counter()
    start: int | None = 1
    while start is not None and counts["pages"] < PAGES_MOST:
        raw = await _page(asked, nickname, start)
        if raw is None:
            return {"unknown": 1}
        async with claim.step() as session:
            counts.update(pages=1, news=int(await _keep(session, asked.connection, nickname, raw)))
        start = connpass.next_start(raw, start)
    return counts


async def _page(asked: Round, nickname: str, start: int) -> bytes | None:
    """Return a page, None for a nickname that nobody has. Raises ProviderRefused, FetchFailed."""
    url = str(get_settings().connpass_url).rstrip("/") + connpass.page_path(nickname, start)
    try:
        return await _patiently(url, connpass.credentials(asked.key))
    except http.FetchFailed as failed:
        if failed.status in UNKNOWN:
            return None
        if failed.status in REFUSED:
            raise ProviderRefused from failed
        raise
    finally:
        await asyncio.sleep(PAUSE_S)


async def _patiently(url: str, headers: Mapping[str, str]) -> bytes:
    """Ask, and once more after the pause that the server wants."""
    try:
        return await http.fetch(url, headers)
    except http.FetchFailed as failed:
        if failed.status != TOO_OFTEN:
            raise
        await asyncio.sleep(min(failed.retry_after_s or PAUSE_S, PATIENCE_S))
        return await http.fetch(url, headers)


async def _keep(session: Session, connection: Connection, nickname: str, raw: bytes) -> bool:
    """Keep a page as a delivery if it says what none before it has said."""
    headers = {connpass.NICKNAME_HEADER: nickname, connpass.ASKED_AT_HEADER: now().isoformat()}
    parsed = connpass.parse(headers, raw, connection.settings)
    told = [each.external_id for each in parsed.signals]
    key = bytes.fromhex(reading.digest(nickname, told, parsed.unreadable))
    kept = Kept(new_id(), raw, headers)
    if not (told or parsed.unreadable) or not await repository.store(session, connection.id, key, kept):
        return False
    await reception.settle(session, connection, kept, parsed)
    return True
