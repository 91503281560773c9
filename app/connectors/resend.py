"""Resend: e-mail events, signed as the Svix family signs (see `standard_webhooks`)."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from app.connectors import mail, reading, standard_webhooks
from app.connectors.reading import Read, section
from app.connectors.signals import Evidence, Parsed, Signal, text, written_time

_TYPES: Final = {
    "email.sent": "email_sent",
    "email.delivered": "email_delivered",
    "email.opened": "email_opened",
    "email.clicked": "email_clicked",
    "email.bounced": "email_bounced",
    "email.complained": "email_complained",
}
EVENT_TYPES: Final = tuple(_TYPES.values())
_OF_ALL: Final = frozenset({"email_sent", "email_delivered"})
"""What is true of every recipient of a mail; of the rest nobody knows whose it is when there are several."""

accepts_secret = standard_webhooks.accepts_secret
verify = standard_webhooks.verify


def parse(headers: Mapping[str, str], raw: bytes, settings: Mapping[str, Any]) -> Parsed:
    """Read one event; never raises."""
    del settings
    body = reading.document(raw)
    event = text(body, "type") if isinstance(body, dict) else None
    if event is None:
        return Parsed(unreadable=1)
    if event not in _TYPES:
        return Parsed(ignored=1)
    occurred_at = written_time(body.get("created_at"))
    if occurred_at is None:
        return Parsed(unreadable=1)
    named = standard_webhooks.call_id(headers) or reading.digest(body)
    return reading.counted(_signals(_TYPES[event], occurred_at, named, section(body, "data")))


def _signals(type_: str, occurred_at: datetime, named: str, item: Mapping[str, Any]) -> Iterator[Read]:
    """Yield one touchpoint, or one an address where it is true of each."""
    recipients = mail.recipients(item.get("to"))
    several = len(recipients) > 1 and type_ in _OF_ALL
    whom = recipients if several else (recipients[0] if len(recipients) == 1 else None,)
    for recipient in whom:
        yield Signal(
            type=type_,
            occurred_at=occurred_at,
            external_id=reading.fitting(f"{named}:{recipient}" if several else named),
            email=recipient,
            topics=_topics(item.get("tags")),
            data=_data(item, type_),
            evidence=_evidence(item, type_),
        )


def _data(item: Mapping[str, Any], type_: str) -> dict[str, Any]:
    return mail.data(
        text(item, "email_id"),
        url=text(section(item, "click"), "link") if type_ == "email_clicked" else None,
        subject=text(item, "subject"),
        bounce=_bounce(section(item, "bounce")) if type_ == "email_bounced" else None,
    )


def _bounce(bounce: Mapping[str, Any]) -> dict[str, str | None]:
    return mail.bounce(text(bounce, "subType"), text(bounce, "message"), hard=bounce.get("type") == "Permanent")


def _evidence(item: Mapping[str, Any], type_: str) -> Evidence:
    if type_ not in mail.READER_TYPES:
        return Evidence()
    return mail.evidence(section(item, "click" if type_ == "email_clicked" else "open"), "userAgent", "ipAddress")


def _topics(tags: object) -> tuple[str, ...]:
    """Return the values of tags, which are an object or an array of {name, value}."""
    if isinstance(tags, dict):
        return reading.words(*tags.values())
    return reading.words(*(tag.get("value") for tag in tags if isinstance(tag, dict))) if isinstance(tags, list) else ()
