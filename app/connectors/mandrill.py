"""Mandrill: webhooks of Mailchimp Transactional, forms with one field of JSON.

Signature: base64 of HMAC-SHA1 over the address that it was told to call, followed by the name and the value of every
field of the form, sorted by name. Before a webhook is there, its address is tried with no events and a key of its own.
"""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qsl

from app.connectors import hmac_signature, mail, reading
from app.connectors.reading import Read, section, word
from app.connectors.signals import Evidence, Parsed, Request, Signal, Verdict, text, unix_time

SIGNATURE_HEADER: Final = "x-mandrill-signature"
EVENTS: Final = "mandrill_events"

_TRIAL_KEY: Final = "test-webhook"
_TRIAL: Final = [(EVENTS, "[]")]
_FIELDS_MOST: Final = 20
_TYPES: Final = {
    "send": "email_sent",
    "delivered": "email_delivered",
    "open": "email_opened",
    "click": "email_clicked",
    "hard_bounce": "email_bounced",
    "soft_bounce": "email_bounced",
    "spam": "email_complained",
    "unsub": "email_unsubscribed",
}
EVENT_TYPES: Final = tuple(dict.fromkeys(_TYPES.values()))
_SYNCHRONISED: Final = frozenset({"blacklist", "whitelist", "allowlist", "denylist"})
"""What has a type in place of an event tells that a list of the account's was changed."""

accepts_secret = hmac_signature.accepts_secret


def verify(
    request: Request,
    secrets: Sequence[str],
    now: datetime,
    certificates: Mapping[str, bytes],
    settings: Mapping[str, Any],
) -> Verdict:
    """Check the signature with each live key; the trial, which says nothing, with its own."""
    del now, certificates, settings
    given = request.headers.get(SIGNATURE_HEADER)
    if not given:
        return Verdict(ok=False, reason="missing_signature")
    form = _form(request.raw)
    signed = request.url + "".join(name + value for name, value in sorted(form))
    keys = [*secrets, _TRIAL_KEY] if form == _TRIAL else secrets
    if not any(hmac.compare_digest(_signature(key, signed), given.encode()) for key in keys):
        return Verdict(ok=False, reason="bad_signature")
    return Verdict(ok=True)


def parse(headers: Mapping[str, str], raw: bytes, settings: Mapping[str, Any]) -> Parsed:
    """Read a batch; never raises."""
    del headers, settings
    events = dict(_form(raw)).get(EVENTS)
    return reading.each(reading.document(events or raw), _event)


def _form(raw: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=_FIELDS_MOST)
    except ValueError:
        return []


def _signature(key: str, signed: str) -> bytes:
    return b64encode(hmac.digest(key.encode(), signed.encode("utf-8", "replace"), hashlib.sha1))


def _event(item: Mapping[str, Any]) -> Read:
    event = text(item, "event")
    if event is None:
        return "ignored" if text(item, "type") in _SYNCHRONISED else "unreadable"
    if event not in _TYPES:
        return "ignored"
    occurred_at = unix_time(item.get("ts"))
    if occurred_at is None:
        return "unreadable"
    message, type_ = section(item, "msg"), _TYPES[event]
    message_id, url = text(item, "_id") or text(message, "_id"), text(item, "url")
    return Signal(
        type=type_,
        occurred_at=occurred_at,
        external_id=reading.digest(message_id, event, item.get("ts"), url),
        email=text(message, "email"),
        topics=reading.words(message.get("tags")),
        data=mail.data(
            message_id,
            url=url if type_ == "email_clicked" else None,
            subject=text(message, "subject"),
            bounce=_bounce(message, event) if type_ == "email_bounced" else None,
        ),
        evidence=mail.evidence(item, "user_agent", "ip") if type_ in mail.READER_TYPES else Evidence(),
    )


def _bounce(message: Mapping[str, Any], event: str) -> dict[str, str | None]:
    return mail.bounce(
        word(message, "bgtools_code"),
        text(message, "diag") or text(message, "bounce_description"),
        hard=event == "hard_bounce",
    )
