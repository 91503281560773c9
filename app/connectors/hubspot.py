"""HubSpot: webhooks of an app, signed by the third version of its signature.

Signature: base64 of HMAC-SHA256 over the method, the address, the raw body and the time in milliseconds. The older two
versions, which HubSpot sends beside it, sign no time and are not asked for.
"""

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import unquote

from app.connectors import hmac_signature, reading
from app.connectors.reading import Read, word
from app.connectors.signals import ExternalId, Parsed, Request, Signal, Verdict, present, text, timely

SIGNATURE_HEADER: Final = "x-hubspot-signature-v3"
TIMESTAMP_HEADER: Final = "x-hubspot-request-timestamp"
TOLERANCE: Final = timedelta(minutes=5)
SOURCE: Final = "hubspot"
EVENT_TYPES: Final = ("profile_updated",)

_CHANGED: Final = "contact.propertyChange"
_VALUE_MAX: Final = 2_000
_SPELLED_OUT: Final = re.compile(r"%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)
"""What HubSpot writes as itself in the address that it signs, however it was sent."""

accepts_secret = hmac_signature.accepts_secret


def verify(
    request: Request,
    secrets: Sequence[str],
    now: datetime,
    certificates: Mapping[str, bytes],
    settings: Mapping[str, Any],
) -> Verdict:
    """Check the signature with each live secret, then the age of the signed time."""
    del certificates
    given, stamp = request.headers.get(SIGNATURE_HEADER), request.headers.get(TIMESTAMP_HEADER)
    if not given or not stamp:
        return Verdict(ok=False, reason="missing_signature")
    url = _SPELLED_OUT.sub(lambda found: unquote(found[0]), request.url)
    signed = (request.method + url).encode() + request.raw + stamp.encode()
    if not any(_signs(secret, signed, given) for secret in secrets):
        return Verdict(ok=False, reason="bad_signature")
    return timely(reading.unix_moment(stamp), now, settings, TOLERANCE)


def parse(headers: Mapping[str, str], raw: bytes, settings: Mapping[str, Any]) -> Parsed:
    """Read a batch; never raises."""
    del headers, settings
    return reading.each(reading.document(raw), _event)


def _signs(secret: str, signed: bytes, given: str) -> bool:
    expected = b64encode(hmac.digest(secret.encode(), signed, hashlib.sha256))
    return hmac.compare_digest(expected, given.encode())


def _event(item: Mapping[str, Any]) -> Read:
    kind = text(item, "subscriptionType")
    if kind is None:
        return "unreadable"
    if kind != _CHANGED:
        return "ignored"
    occurred_at, contact = reading.unix_moment(item.get("occurredAt")), word(item, "objectId")
    if occurred_at is None:
        return "unreadable"
    event, subscription, value = (word(item, name) for name in ("eventId", "subscriptionId", "propertyValue"))
    return Signal(
        type="profile_updated",
        occurred_at=occurred_at,
        external_id=reading.fitting(f"{event}:{subscription}" if event and subscription else _digest(item)),
        person=None if contact is None else ExternalId(SOURCE, contact),
        data=present(property=text(item, "propertyName"), value=value and value[:_VALUE_MAX]),
    )


def _digest(item: Mapping[str, Any]) -> str:
    """Name an event without ids by what it says, however often it was tried."""
    return reading.digest({name: value for name, value in item.items() if name != "attemptNumber"})
