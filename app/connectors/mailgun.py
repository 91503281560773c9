"""Mailgun: the event webhook.

Signature: HMAC-SHA256 in hexadecimal over the time and a token, which stand in the body; **the body itself is not
signed**. So a token is good once: what comes with one that was spent is a repeat, whatever it says.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from app.connectors import hmac_signature, mail, reading
from app.connectors.reading import Read, section, word
from app.connectors.signals import Evidence, Parsed, ProviderFlag, Request, Signal, Verdict, text, timely, unix_time

TOLERANCE: Final = timedelta(hours=24)

_SECONDS: Final = re.compile(r"[0-9]{10}")
"""Always ten, until the year 2286: else digits could move between the time and the token under one signature."""
_TYPES: Final = {
    "delivered": "email_delivered",
    "opened": "email_opened",
    "clicked": "email_clicked",
    "failed": "email_bounced",
    "complained": "email_complained",
    "unsubscribed": "email_unsubscribed",
}
EVENT_TYPES: Final = tuple(_TYPES.values())
_BOTS: Final[Mapping[str, ProviderFlag]] = {"apple": "machine", "generic": "machine", "gmail": "image_proxy"}

accepts_secret = hmac_signature.accepts_secret


def verify(
    request: Request,
    secrets: Sequence[str],
    now: datetime,
    certificates: Mapping[str, bytes],
    settings: Mapping[str, Any],
) -> Verdict:
    """Check the signature with each live key, then the age of the signed time; the token names the call."""
    del certificates
    signed = _signature(request.raw)
    stamp, token, signature = (word(signed, name) for name in ("timestamp", "token", "signature"))
    if not stamp or not token or not signature:
        return Verdict(ok=False, reason="missing_signature")
    keys = [secret.encode() for secret in secrets] if _SECONDS.fullmatch(stamp) else []
    if hmac_signature.signer(keys, (stamp + token).encode(), [signature]) is None:
        return Verdict(ok=False, reason="bad_signature")
    return timely(unix_time(stamp), now, settings, TOLERANCE, call_id=token)


def parse(headers: Mapping[str, str], raw: bytes, settings: Mapping[str, Any]) -> Parsed:
    """Read one event; never raises."""
    del headers, settings
    return reading.one(raw, _event)


def _signature(raw: bytes) -> Mapping[str, Any]:
    body = reading.document(raw)
    return section(body, "signature") if isinstance(body, dict) else {}


def _event(body: Mapping[str, Any]) -> Read:
    item = section(body, "event-data")
    event = text(item, "event")
    if event is None:
        return "unreadable"
    if event not in _TYPES:
        return "ignored"
    occurred_at = unix_time(item.get("timestamp"))
    if occurred_at is None:
        return "unreadable"
    headers = section(item, "message", "headers")
    return Signal(
        type=_TYPES[event],
        occurred_at=occurred_at,
        external_id=reading.fitting(word(section(body, "signature"), "token") or reading.digest(item)),
        email=text(item, "recipient"),
        topics=reading.words(item.get("tags")),
        data=mail.data(
            text(headers, "message-id"),
            url=text(item, "url") if event == "clicked" else None,
            subject=text(headers, "subject"),
            bounce=_bounce(item) if event == "failed" else None,
        ),
        evidence=_evidence(item, _TYPES[event]),
    )


def _bounce(item: Mapping[str, Any]) -> dict[str, str | None]:
    status = section(item, "delivery-status")
    return mail.bounce(
        text(status, "enhanced-code") or word(status, "code"),
        text(status, "message") or text(status, "description") or text(item, "reason"),
        hard=item.get("severity") == "permanent",
    )


def _evidence(item: Mapping[str, Any], type_: str) -> Evidence:
    if type_ not in mail.READER_TYPES:
        return Evidence()
    client = section(item, "client-info")
    named = {"user-agent": client.get("user-agent"), "ip": item.get("ip")}
    return mail.evidence(named, "user-agent", "ip", _BOTS.get(text(client, "bot") or ""))
