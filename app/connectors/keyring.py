"""The secrets of a connection: one that is live, and for a while the one before."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from app.kit import crypto, json

LIVE_MOST: Final = 2
_PURPOSE: Final = "connection"


def first(tenant_id: UUID, secret: str) -> bytes:
    """Seal the only secret of a new connection."""
    return _seal(tenant_id, [(secret, None)])


def live(tenant_id: UUID, sealed: bytes, now: datetime) -> list[str]:
    """Return the secrets that are good at `now`, the newest first; raises ValueError when sealed for another tenant."""
    return [secret for secret, until in _open(tenant_id, sealed) if until is None or until > now]


def rotated(tenant_id: UUID, sealed: bytes, secret: str, now: datetime, until: datetime) -> bytes:
    """Put `secret` before the newest one, which ends at `until`; any older one ends now."""
    before = live(tenant_id, sealed, now)[: LIVE_MOST - 1]
    return _seal(tenant_id, [(secret, None), *((old, until) for old in before)])


def none(tenant_id: UUID) -> bytes:
    """Seal that there is no secret any more."""
    return _seal(tenant_id, [])


def _seal(tenant_id: UUID, secrets: Sequence[tuple[str, datetime | None]]) -> bytes:
    return crypto.seal(_PURPOSE, str(tenant_id), json.dumpb(secrets))


def _open(tenant_id: UUID, sealed: bytes) -> list[tuple[str, datetime | None]]:
    opened = json.loads(crypto.unseal(_PURPOSE, str(tenant_id), sealed))
    return [(secret, None if until is None else datetime.fromisoformat(until)) for secret, until in opened]
