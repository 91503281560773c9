"""Brevo: the webhook of transactional e-mail. Nothing is signed; a user and a password or a token are shown.

`ts_epoch` is the only time in UTC; `date` follows the zone of the account, and `ts` does so, too.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field

from app.connectors import credentials, mail, reading
from app.connectors.reading import Read
from app.connectors.signals import Evidence, Parsed, Request, Signal, Verdict, text, written_time
from app.kit.schemas import Body

_TYPES: Final = {
    "request": "email_sent",
    "delivered": "email_delivered",
    "opened": "email_opened",
    "unique_opened": "email_opened",
    "proxy_open": "email_opened",
    "unique_proxy_open": "email_opened",
    "click": "email_clicked",
    "hard_bounce": "email_bounced",
    "invalid_email": "email_bounced",
    "soft_bounce": "email_bounced",
    "spam": "email_complained",
    "complaint": "email_complained",
    "unsubscribe": "email_unsubscribed",
    "unsubscribed": "email_unsubscribed",
}
EVENT_TYPES: Final = tuple(dict.fromkeys(_TYPES.values()))
_BY_A_PROXY: Final = frozenset({"proxy_open", "unique_proxy_open"})


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError
    return name


class BrevoSettings(Body):
    auth: Literal["basic", "bearer"] = Field(
        "basic", description="What the webhook shows: user and password, or a token."
    )
    timezone: Annotated[str, AfterValidator(_known_zone)] = Field(
        "UTC", description="The account's zone (IANA), for events that only have a local time."
    )


def accepts_secret(secret: str) -> bool:
    """Say whether this is `user:password` or a token."""
    return credentials.is_pair(secret) or credentials.is_token(secret)


def verify(
    request: Request,
    secrets: Sequence[str],
    now: datetime,
    certificates: Mapping[str, bytes],
    settings: Mapping[str, Any],
) -> Verdict:
    """Compare what is shown with each live secret."""
    del now, certificates
    shown = credentials.bearer if settings.get("auth") == "bearer" else credentials.basic
    return shown(request.headers, secrets)


def parse(headers: Mapping[str, str], raw: bytes, settings: Mapping[str, Any]) -> Parsed:
    """Read one event or a batch; never raises."""
    del headers
    body = reading.document(raw)
    zone = ZoneInfo(settings.get("timezone", "UTC"))
    return reading.each(body if isinstance(body, list) else [body], lambda item: _event(item, zone))


def _event(item: Mapping[str, Any], zone: ZoneInfo) -> Read:
    event = text(item, "event")
    if event is None:
        return "unreadable"
    if event not in _TYPES:
        return "ignored"
    occurred_at = reading.unix_moment(item.get("ts_epoch")) or _local_time(text(item, "date"), zone)
    if occurred_at is None:
        return "unreadable"
    email, message_id, link = (text(item, name) for name in ("email", "message-id", "link"))
    type_ = _TYPES[event]
    return Signal(
        type=type_,
        occurred_at=occurred_at,
        external_id=reading.digest(event, message_id, email, item.get("ts_epoch") or item.get("date"), link),
        email=email,
        topics=_topics(item),
        data=mail.data(
            message_id,
            url=link if type_ == "email_clicked" else None,
            subject=text(item, "subject"),
            bounce=_bounce(item, event) if type_ == "email_bounced" else None,
        ),
        evidence=_evidence(item, event),
    )


def _local_time(date: str | None, zone: ZoneInfo) -> datetime | None:
    try:
        moment = datetime.fromisoformat(date or "")
    except ValueError:
        return None
    return written_time((moment if moment.tzinfo else moment.replace(tzinfo=zone)).isoformat())


def _topics(item: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the tags; `tag` is one of them, or all of them as JSON in a text."""
    tag = item.get("tag")
    spelled = reading.document(tag) if isinstance(tag, str) else tag
    return reading.words(item.get("tags"), spelled if isinstance(spelled, list) else tag)


def _bounce(item: Mapping[str, Any], event: str) -> dict[str, str | None]:
    return mail.bounce(None, text(item, "reason"), hard=event != "soft_bounce")


def _evidence(item: Mapping[str, Any], event: str) -> Evidence:
    if _TYPES[event] not in mail.READER_TYPES:
        return Evidence()
    return mail.evidence(item, "user_agent", "ip", "machine" if event in _BY_A_PROXY else None)
