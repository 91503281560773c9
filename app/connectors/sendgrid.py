"""SendGrid: the signed event webhook.

Signature: ECDSA on P-256 with SHA-256 over the timestamp header and the raw body, its closing CRLF included. An event
may arrive many times; `sg_event_id` names it.
"""

import binascii
import hashlib
import re
from base64 import b64decode
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from app.connectors.reading import Read, document, each, words
from app.connectors.signals import Evidence, Parsed, Request, Signal, Verdict, present, text, timely, unix_time
from app.kit import json

SIGNATURE_HEADER: Final = "x-twilio-email-event-webhook-signature"
TIMESTAMP_HEADER: Final = "x-twilio-email-event-webhook-timestamp"
TOLERANCE: Final = timedelta(hours=24)

_TYPES: Final = {
    "delivered": "email_delivered",
    "open": "email_opened",
    "click": "email_clicked",
    "bounce": "email_bounced",
    "spamreport": "email_complained",
    "unsubscribe": "email_unsubscribed",
    "group_unsubscribe": "email_unsubscribed",
}
_RELAY: Final = re.compile(r"\.(?:filter|recvd)")
"""Where, in `sg_message_id`, the id of the mail ends and the names of SendGrid's machines begin."""
EVENT_TYPES: Final = tuple(dict.fromkeys(_TYPES.values()))


def accepts_secret(secret: str) -> bool:
    """Say whether this is a public key on P-256, base64 of DER."""
    return _public_key(secret) is not None


def verify(
    request: Request,
    secrets: Sequence[str],
    now: datetime,
    certificates: Mapping[str, bytes],
    settings: Mapping[str, Any],
) -> Verdict:
    """Check the signature with each live public key (base64 of DER), then the age of the signed time."""
    del certificates
    signature, timestamp = request.headers.get(SIGNATURE_HEADER), request.headers.get(TIMESTAMP_HEADER)
    if not signature or not timestamp:
        return Verdict(ok=False, reason="missing_signature")
    signed = timestamp.encode("latin-1", "replace") + request.raw
    if not any(_signed_by(secret, signature, signed) for secret in secrets):
        return Verdict(ok=False, reason="bad_signature")
    return timely(unix_time(timestamp), now, settings, TOLERANCE)


def parse(headers: Mapping[str, str], raw: bytes, settings: Mapping[str, Any]) -> Parsed:
    """Read a batch; never raises: what cannot be read is counted."""
    del headers, settings
    return each(document(raw), _item)


def _item(item: Mapping[str, Any]) -> Read:
    event = text(item, "event")
    if event is None:
        return "unreadable"
    if event not in _TYPES:
        return "ignored"
    occurred_at = unix_time(item.get("timestamp"))
    if occurred_at is None:
        return "unreadable"
    return Signal(
        type=_TYPES[event],
        occurred_at=occurred_at,
        external_id=text(item, "sg_event_id") or hashlib.sha256(json.canonical(item)).hexdigest(),
        email=text(item, "email"),
        topics=words(item.get("category")),
        data=_data(item, event),
        evidence=_evidence(item, event),
        mail=_mail(item),
    )


def _data(item: Mapping[str, Any], event: str) -> dict[str, Any]:
    """Keep what names the message: opens and clicks often lack `smtp-id`."""
    return present(
        message_id=text(item, "smtp-id") or text(item, "sg_message_id"),
        url=text(item, "url") if event == "click" else None,
        bounce=_bounce(item) if event == "bounce" else None,
    )


def _mail(item: Mapping[str, Any]) -> str | None:
    """Name the mail by what all its events share: the id that SendGrid gave it, unless the sender gave one first."""
    given, named = text(item, "smtp-id"), text(item, "sg_message_id")
    made = None if named is None else _RELAY.split(named, 1)[0]
    return made if given is None or given.strip("<>").partition("@")[0] == made else given


def _bounce(item: Mapping[str, Any]) -> dict[str, str | None]:
    kind = "soft" if item.get("type") == "blocked" else "hard"
    return {"kind": kind, "code": text(item, "status"), "reason": text(item, "reason")}


def _evidence(item: Mapping[str, Any], event: str) -> Evidence:
    """Take the reader's agent and address; those of other events are SendGrid's or the mail server's."""
    if event not in {"open", "click"}:
        return Evidence()
    agent = item.get("useragent")
    return Evidence(
        provider_flag="machine" if item.get("sg_machine_open") is True else None,
        user_agent=agent if isinstance(agent, str) else None,
        ip=text(item, "ip"),
    )


def _signed_by(secret: str, signature: str, signed: bytes) -> bool:
    key = _public_key(secret)
    if key is None:
        return False
    try:
        key.verify(b64decode(signature, validate=True), signed, ec.ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(maxsize=1024)
def _public_key(secret: str) -> ec.EllipticCurvePublicKey | None:
    try:
        key = load_der_public_key(b64decode("".join(secret.split()), validate=True))
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1) else None
