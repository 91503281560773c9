"""The door of the hooks: from a call to touchpoints, kept as it came.

A call is verified, stored and read in one transaction. What a verdict needs from its provider's own host is fetched
between two transactions, never in one.
"""

import asyncio
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from app.connectors import keyring, repository, welcome
from app.connectors.certificates import Certificates
from app.connectors.errors import HookNotFound, HookRefused, Overloaded, ProviderAway
from app.connectors.models import Connection
from app.connectors.providers import PROVIDERS
from app.connectors.repository import ConnectionRepository
from app.connectors.signals import Answer, Call, Conclusion, Kept, Parsed, Request, Verdict
from app.connectors.translation import about, mail_of, source_of, touchpoints
from app.kit import caller, http, outbox
from app.kit.caller import Caller
from app.kit.clock import now
from app.kit.db import Database, Session
from app.kit.errors import AppError, TooLarge
from app.kit.ids import new_id
from app.kit.log import get_logger
from app.kit.outbox import Wake
from app.sequences import messages
from app.settings import get_settings
from app.touchpoints import service as timeline
from app.touchpoints.schemas import ProviderTouchpointIn

log = get_logger(__name__)

CALLS_AT_ONCE: Final = 64
ATTEMPTS: Final = 5
CREDENTIALS: Final = frozenset({"authorization", "proxy-authorization", "cookie"})
STORED: Final = Answer(204)
FETCH_DUE: Final = "delivery_fetch"
WAITING: Final = "waiting"
"""Why a delivery is only stored: a worker has yet to read the rest at its provider's."""

_places = asyncio.Semaphore(CALLS_AT_ONCE)
_certificates = Certificates()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a call: an answer, a refusal, or an address that must be fetched before it can be told."""

    answer: Answer = STORED
    refusal: AppError | None = None
    certificate: str | None = None
    confirm: str | None = None


def hook_url(connection_id: UUID) -> str:
    """Return the address that a provider calls."""
    return f"{get_settings().base_url}/v1/hooks/{connection_id}"


async def hook_tenant(database: Database, connection_id: UUID) -> UUID:
    """Return whose hook this is; raises HookNotFound, Overloaded."""
    with _overload():
        tenant_id = await repository.tenant_of(database, connection_id)
    if tenant_id is None:
        raise HookNotFound
    return tenant_id


async def receive(database: Database, tenant_id: UUID, connection_id: UUID, call: Call) -> Answer:
    """Keep one call of a hook with all that it says, or count its refusal; return what its sender wants to read.

    Raises HookNotFound, HookRefused, TooLarge, Overloaded, ProviderAway.
    """
    who = caller.system(tenant_id, "hook")
    outcome = await _placed(database, who, connection_id, call)
    if outcome.certificate is not None:
        _certificates.keep(outcome.certificate, await _fetch(outcome.certificate))
        outcome = await _placed(database, who, connection_id, call)
    if outcome.confirm is not None:
        await _fetch(outcome.confirm)
        outcome = await _placed(database, who, connection_id, call, confirmed=True)
    if outcome.certificate is not None:
        raise ProviderAway
    if outcome.refusal is not None:
        raise outcome.refusal
    return outcome.answer


async def _fetch(url: str) -> bytes:
    try:
        return await http.fetch(url)
    except http.FetchFailed as error:
        log.warning("hook.fetch_failed", reason=str(error))
        raise ProviderAway from error


async def _placed(
    database: Database, who: Caller, connection_id: UUID, call: Call, *, confirmed: bool = False
) -> Outcome:
    if _places.locked():
        raise Overloaded
    async with _places:
        with _overload():
            return await _attempt(database, who, connection_id, call, confirmed=confirmed)


@contextmanager
def _overload() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if repository.is_away(error):
            raise Overloaded from error
        raise


async def _attempt(database: Database, who: Caller, connection_id: UUID, call: Call, *, confirmed: bool) -> Outcome:
    """Take the call in one transaction; when that fails for a reason of ours, keep it as a dead letter."""
    park = False
    for last in (*[False] * (ATTEMPTS - 1), True):
        try:
            async with database.transaction(who) as session:
                return await _take(session, connection_id, call, park=park, confirmed=confirmed)
        except Exception as error:
            if last or repository.is_away(error):
                raise
            if not repository.is_conflict(error):
                log.error("hook.parked", connection=str(connection_id), exc_info=error)
                park = True
    raise AssertionError


async def _take(session: Session, connection_id: UUID, call: Call, *, park: bool, confirmed: bool) -> Outcome:
    connection = await ConnectionRepository(session).get(connection_id)
    if connection is None:
        return Outcome(refusal=HookNotFound())
    verdict, refusal = _judged(connection, call)
    if verdict.certificate is not None or (verdict.confirm is not None and not confirmed):
        return Outcome(certificate=verdict.certificate, confirm=verdict.confirm)
    if refusal is not None:
        await repository.refuse(session, connection_id, new_id(), verdict.reason or "bad_signature", now())
        return Outcome(refusal=refusal)
    raw = call.raw or b""
    kept = Kept(new_id(), raw, _without_credentials(call.headers, connection.settings))
    key = _dedupe_key(verdict, raw)
    if not await repository.store(session, connection_id, key, kept):
        await repository.repeat(session, connection_id, new_id(), key)
    elif park:
        await repository.conclude(session, connection_id, kept, Conclusion("dead", "processing_failed"))
    else:
        await process(session, connection, kept)
    return Outcome(answer=verdict.answer or STORED)


def _judged(connection: Connection, call: Call) -> tuple[Verdict, AppError | None]:
    if not connection.enabled:
        return Verdict(ok=False, reason="disabled"), HookNotFound()
    if call.raw is None:
        return Verdict(ok=False, reason="too_large"), TooLarge()
    url = hook_url(connection.id) + (f"?{call.query}" if call.query else "")
    moment = now()
    verdict = PROVIDERS[connection.provider].hook.verify(
        Request("POST", url, call.headers, call.raw),
        keyring.live(connection.tenant_id, connection.secrets_enc, moment),
        moment,
        _certificates.known(),
        connection.settings,
    )
    return verdict, None if verdict.ok else HookRefused()


def _dedupe_key(verdict: Verdict, raw: bytes) -> bytes:
    """Name a call by its sender's id, or by its bytes; the two can never meet."""
    return (
        hashlib.sha256(raw).digest() if verdict.call_id is None else hashlib.sha512(verdict.call_id.encode()).digest()
    )


async def process(session: Session, connection: Connection, kept: Kept) -> None:
    """Turn what a delivery says into touchpoints; what must first be fetched from its provider waits for a worker."""
    parsed = PROVIDERS[connection.provider].hook.parse(kept.headers, kept.raw, connection.settings)
    if parsed.fetch is None:
        await settle(session, connection, kept, parsed)
        return
    await outbox.schedule(session, Wake(FETCH_DUE, connection.id))
    await repository.conclude(session, connection.id, kept, Conclusion("stored", WAITING))


async def settle(session: Session, connection: Connection, kept: Kept, parsed: Parsed) -> None:
    """Store what a delivery says, and note what became of it; what was stored before changes nothing."""
    named, unfit = touchpoints(parsed.signals, source_of(connection.provider, connection.id))
    items = await _with_our_topics(session, await timeline.best_named(session, named))
    found = await timeline.ingest(session, items, connection_id=connection.id, delivery_id=kept.id) if items else []
    if connection.settings.get("create_candidates"):
        strangers = {each.external_id for each, one in zip(items, found, strict=True) if one.outcome == "unmatched"}
        await welcome.admit(session, [each for each in parsed.signals if each.external_id in strangers])
    told = [each for each in found if each.id is not None]
    unreadable = parsed.unreadable + unfit + len(found) - len(told)
    known = bool(told) and all(each.outcome == "repeated" for each in told)
    conclusion = Conclusion(
        status=_status(kept, unreadable=unreadable, known=known),
        reason="unreadable" if unreadable else None,
        signals=len(told),
        unreadable=unreadable,
        touchpoint_ids=list(dict.fromkeys(each.id for each in told if each.id is not None)),
    )
    await repository.conclude(session, connection.id, kept, conclusion)


async def _with_our_topics(session: Session, items: list[ProviderTouchpointIn]) -> list[ProviderTouchpointIn]:
    """Add what our own content is about to the signs of the mails that it was in."""
    named = [mail_of(item) for item in items]
    known = {each for each in named if each is not None}
    topics = await messages.topics_of(session, known) if known else {}
    if not topics:
        return items
    return [about(item, topics.get(mail or "", ())) for item, mail in zip(items, named, strict=True)]


async def park(session: Session, connection: Connection, reason: str) -> None:
    """Note among the dead letters that a provider could not be asked; there is nothing in it."""
    kept = Kept(new_id(), b"", {})
    await repository.store(session, connection.id, kept.id.bytes, kept)
    await repository.conclude(session, connection.id, kept, Conclusion("dead", reason))


def _status(kept: Kept, *, unreadable: int, known: bool) -> str:
    if unreadable:
        return "dead"
    first_time = kept.attempts == 1
    return "duplicate" if kept.status == "duplicate" or (first_time and known) else "parsed"


def _without_credentials(headers: Mapping[str, str], settings: Mapping[str, Any]) -> dict[str, str]:
    secret = CREDENTIALS | {settings.get("header", "").lower()}
    return {name: value for name, value in headers.items() if name not in secret and "\0" not in value}
