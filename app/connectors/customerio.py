"""Customer.io: reporting webhooks; of its channels only e-mail is read.

Signature: HMAC-SHA256 in hexadecimal over `v0`, the time and the raw body, joined by colons.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from app.connectors import hmac_signature, mail, reading
from app.connectors.reading import Read, section, word
from app.connectors.signals import (
    Evidence,
    ExternalId,
    Parsed,
    ProviderFlag,
    Request,
    Signal,
    Verdict,
    text,
    timely,
    unix_time,
)

SIGNATURE_HEADER: Final = "x-cio-signature"
TIMESTAMP_HEADER: Final = "x-cio-timestamp"
TOLERANCE: Final = timedelta(hours=24)
SOURCE: Final = "customerio"

_TYPES: Final = {
    "sent": "email_sent",
    "delivered": "email_delivered",
    "opened": "email_opened",
    "clicked": "email_clicked",
    "bounced": "email_bounced",
    "spammed": "email_complained",
    "unsubscribed": "email_unsubscribed",
}
EVENT_TYPES: Final = tuple(_TYPES.values())
_BY_MACHINE: Final = ("prefetched", "synthetic", "machine")
_FOR_NOW: Final = "4"
"""With what the status of a mail server begins that may take the mail later (RFC 5321, section 4.2.1)."""

accepts_secret = hmac_signature.accepts_secret


def verify(
    request: Request,
    secrets: Sequence[str],
    now: datetime,
    certificates: Mapping[str, bytes],
    settings: Mapping[str, Any],
) -> Verdict:
    """Check the signature with each live key, then the age of the signed time."""
    del certificates
    given, stamp = request.headers.get(SIGNATURE_HEADER), request.headers.get(TIMESTAMP_HEADER)
    if not given or not stamp:
        return Verdict(ok=False, reason="missing_signature")
    signed = f"v0:{stamp}:".encode() + request.raw
    if hmac_signature.signer([secret.encode() for secret in secrets], signed, [given]) is None:
        return Verdict(ok=False, reason="bad_signature")
    return timely(unix_time(stamp), now, settings, TOLERANCE)


def parse(headers: Mapping[str, str], raw: bytes, settings: Mapping[str, Any]) -> Parsed:
    """Read one event; never raises."""
    del headers, settings
    return reading.one(raw, _event)


def _event(item: Mapping[str, Any]) -> Read:
    metric, about = text(item, "metric"), text(item, "object_type")
    if metric is None or about is None:
        return "unreadable"
    if about != "email" or metric not in _TYPES:
        return "ignored"
    occurred_at = unix_time(item.get("timestamp"))
    if occurred_at is None:
        return "unreadable"
    told, type_ = section(item, "data"), _TYPES[metric]
    return Signal(
        type=type_,
        occurred_at=occurred_at,
        external_id=reading.fitting(text(item, "event_id") or reading.digest(item)),
        email=text(told, "recipient") or text(section(told, "identifiers"), "email"),
        person=_person(told),
        data=mail.data(
            text(told, "delivery_id"),
            url=text(told, "href") if type_ == "email_clicked" else None,
            subject=text(told, "subject"),
            bounce=_bounce(text(told, "failure_message")) if type_ == "email_bounced" else None,
        ),
        evidence=Evidence(provider_flag=_flag(told)) if type_ in mail.READER_TYPES else Evidence(),
    )


def _person(told: Mapping[str, Any]) -> ExternalId | None:
    named = word(section(told, "identifiers"), "id") or word(told, "customer_id")
    return None if named is None else ExternalId(SOURCE, named)


def _bounce(message: str | None) -> dict[str, str | None]:
    """Take a bounce for final unless the mail server's own words begin with a status that is not."""
    code = (message or "").partition(" ")[0]
    status = code if code[:3].isdigit() else None
    return mail.bounce(status, message, hard=not (status and status.startswith(_FOR_NOW)))


def _flag(told: Mapping[str, Any]) -> ProviderFlag | None:
    if any(told.get(name) is True for name in _BY_MACHINE):
        return "machine"
    return "image_proxy" if told.get("proxied") is True else None
