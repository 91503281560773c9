"""Addresses that must not be written to: adding, asking, taking back."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from app.candidates import service as candidates
from app.consent import address, events, repository
from app.consent.errors import AddressInvalid, SuppressionNotFound, SuppressionPermanent
from app.consent.schemas import SuppressionAnswer, SuppressionCheck, SuppressionCreate, SuppressionRead
from app.kit import outbox
from app.kit.db import Session
from app.kit.ids import new_id
from app.kit.paging import Paging
from app.kit.schemas import Page
from app.tenancy import service as tenancy

PERMANENT = frozenset({"erased", "unsubscribed"})


async def suppress(
    session: Session, channel: str, kind: str, value: str, reason: str, source: str, note: str | None = None
) -> UUID:
    """Suppress an address on a channel, or renew that; return the suppression's id. Raises AddressInvalid."""
    row, _ = await add(session, channel, kind, value, reason, source, note)
    found: UUID = row.id
    return found


async def create(session: Session, body: SuppressionCreate) -> tuple[SuppressionRead, bool]:
    """Suppress an address; return it and whether it is new. Raises AddressInvalid."""
    kind = address.KIND_OF[body.channel]
    row, is_new = await add(session, body.channel, kind, body.value, body.reason, session.caller.actor, body.note)
    return SuppressionRead.model_validate(row), is_new


async def add(
    session: Session, channel: str, kind: str, value: str, reason: str, source: str, note: str | None = None
) -> tuple[Any, bool]:
    """Suppress an address; return its row and whether it is new. Raises AddressInvalid."""
    key = await _key(session, kind, value)
    row, is_new = await repository.add_suppression(
        session,
        {
            "id": new_id(),
            "channel": channel,
            "kind": kind,
            "value_hmac": candidates.identifier_hash(session.tenant_id, kind, key),
            "reason": reason,
            "source": source,
            "hint": "…" if reason == "erased" else address.hint_of(kind, key),
            "note": note,
        },
    )
    if is_new:
        await outbox.record(session, events.suppression_changed(row.id, channel, reason, is_active=True))
    return row, is_new


async def check(session: Session, body: SuppressionCheck) -> SuppressionAnswer:
    """Return the suppressions that hold for an address on a channel; raises AddressInvalid."""
    kind = address.KIND_OF[body.channel]
    key = await _key(session, kind, body.value)
    value_hmac = candidates.identifier_hash(session.tenant_id, kind, key)
    rows = await repository.suppressions_on(session, body.channel, value_hmac)
    return SuppressionAnswer(suppressed=bool(rows), data=[SuppressionRead.model_validate(row) for row in rows])


async def read(session: Session, suppression_id: UUID) -> SuppressionRead:
    """Return a suppression; raises SuppressionNotFound."""
    row = await repository.suppression(session, suppression_id)
    if row is None:
        raise SuppressionNotFound
    return SuppressionRead.model_validate(row)


async def page(session: Session, filters: Mapping[str, Any], paging: Paging) -> Page[SuppressionRead]:
    """Return suppressions, the newest first."""
    bound = ("suppressions", filters)
    after = paging.after(*bound)
    rows = await repository.suppression_page(session, filters, UUID(after[0]) if after else None, paging.limit + 1)
    total = await repository.count_suppressions(session, filters) if paging.include_total else None
    return paging.page(rows, SuppressionRead.model_validate, lambda row: [row.id], *bound, total=total)


async def remove(session: Session, suppression_id: UUID) -> None:
    """Take back a suppression; raises SuppressionNotFound, SuppressionPermanent."""
    row = await repository.suppression(session, suppression_id, lock=True)
    if row is None:
        raise SuppressionNotFound
    if row.reason in PERMANENT:
        raise SuppressionPermanent
    await repository.remove_suppression(session, suppression_id)
    await outbox.record(session, events.suppression_changed(row.id, row.channel, row.reason, is_active=False))


async def suppressed(session: Session, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], set[str]]:
    """Return (kind, match key) → for which reasons it is suppressed, of those that are; `erased`: a person was."""
    by_hash = {candidates.identifier_hash(session.tenant_id, *each): each for each in keys}
    found: dict[tuple[str, str], set[str]] = {}
    for row in await repository.suppressions_of(session, by_hash) if by_hash else ():
        found.setdefault(by_hash[row.value_hmac], set()).add(row.reason)
    return found


async def erased_of(session: Session, hashes: Collection[bytes]) -> set[bytes]:
    """Return those of these keyed hashes (`candidates.identifier_hash`) that belonged to people who were erased."""
    rows = await repository.suppressions_of(session, hashes) if hashes else []
    return {row.value_hmac for row in rows if row.reason == "erased"}


async def _key(session: Session, kind: str, value: str) -> str:
    country = (await tenancy.read(session)).country_code if kind == "phone" else ""
    key = address.key_of(kind, value, country)
    if key is None:
        raise AddressInvalid
    return key
