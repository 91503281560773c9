"""Postmark: the webhooks of its message streams. Nothing is signed; the address carries a user and a password."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from app.connectors import credentials, mail, reading
from app.connectors.reading import Read, section, word
from app.connectors.signals import Evidence, Parsed, Request, Signal, Verdict, text, written_time

_TYPES: Final = {
    "Delivery": ("email_delivered", "DeliveredAt"),
    "Open": ("email_opened", "ReceivedAt"),
    "Click": ("email_clicked", "ReceivedAt"),
    "Bounce": ("email_bounced", "BouncedAt"),
    "SpamComplaint": ("email_complained", "BouncedAt"),
    "SubscriptionChange": ("email_unsubscribed", "ChangedAt"),
}
"""What they call it → what we call it, and where its time stands."""
EVENT_TYPES: Final = tuple(type_ for type_, _ in _TYPES.values())
_HARD: Final = frozenset({"HardBounce", "BadEmailAddress"})

accepts_secret = credentials.is_pair


def verify(
    request: Request,
    secrets: Sequence[str],
    now: datetime,
    certificates: Mapping[str, bytes],
    settings: Mapping[str, Any],
) -> Verdict:
    """Compare user and password with each live pair."""
    del now, certificates, settings
    return credentials.basic(request.headers, secrets)


def parse(headers: Mapping[str, str], raw: bytes, settings: Mapping[str, Any]) -> Parsed:
    """Read one event; never raises."""
    del headers, settings
    return reading.one(raw, _event)


def _event(item: Mapping[str, Any]) -> Read:
    record = text(item, "RecordType")
    if record is None:
        return "unreadable"
    if record not in _TYPES or (record == "SubscriptionChange" and not _is_unsubscription(item)):
        return "ignored"
    type_, time = _TYPES[record]
    occurred_at = written_time(item.get(time))
    if occurred_at is None:
        return "unreadable"
    recipient, message_id = text(item, "Recipient") or text(item, "Email"), text(item, "MessageID")
    url = text(item, "OriginalLink") if record == "Click" else None
    return Signal(
        type=type_,
        occurred_at=occurred_at,
        external_id=reading.digest(record, message_id, recipient, item.get(time), url),
        email=recipient,
        topics=reading.words(item.get("Tag")),
        data=mail.data(
            message_id,
            url=url,
            subject=text(item, "Subject"),
            bounce=_bounce(item) if record == "Bounce" else None,
        ),
        evidence=_evidence(item, type_),
    )


def _is_unsubscription(item: Mapping[str, Any]) -> bool:
    """Tell the person's own wish from what follows of a bounce or a complaint, and from being taken back."""
    return item.get("SuppressSending") is True and item.get("SuppressionReason") == "ManualSuppression"


def _bounce(item: Mapping[str, Any]) -> dict[str, str | None]:
    kind = text(item, "Type")
    reason = text(item, "Details") or text(item, "Description")
    return mail.bounce(kind or word(item, "TypeCode"), reason, hard=kind in _HARD)


def _evidence(item: Mapping[str, Any], type_: str) -> Evidence:
    if type_ not in mail.READER_TYPES:
        return Evidence()
    return mail.evidence({"agent": item.get("UserAgent"), "ip": section(item, "Geo").get("IP")}, "agent", "ip")
