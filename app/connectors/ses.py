"""Amazon SES: e-mail events and feedback, published through Amazon SNS (whose own rules are in `sns`)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints

from app.connectors import mail, reading, sns
from app.connectors.reading import Read, section
from app.connectors.signals import Evidence, Parsed, Request, Signal, Verdict, text, written_time
from app.kit.schemas import Body

_TYPES: Final = {
    "Send": "email_sent",
    "Delivery": "email_delivered",
    "Open": "email_opened",
    "Click": "email_clicked",
    "Bounce": "email_bounced",
    "Complaint": "email_complained",
}
EVENT_TYPES: Final = tuple(_TYPES.values())
_OF_ALL: Final = frozenset({"email_sent", "email_delivered"})
_OF_AMAZON: Final = "ses:"
_NOTE: Final = "Successfully validated SNS topic"
"""How the note begins that SES publishes, as plain text, to a topic that it was told of."""


class SesSettings(Body):
    topic_arns: list[Annotated[str, StringConstraints(pattern=sns.TOPIC_ARN)]] = Field(
        min_length=1, max_length=20, description="The topics that are yours: anybody may point theirs at a hook."
    )


def verify(
    request: Request,
    secrets: Sequence[str],
    now: datetime,
    certificates: Mapping[str, bytes],
    settings: Mapping[str, Any],
) -> Verdict:
    """Check the signature of the message with Amazon's certificate; the message's id names the call."""
    del secrets
    return sns.verify(request.raw, now, certificates, settings["topic_arns"])


def parse(headers: Mapping[str, str], raw: bytes, settings: Mapping[str, Any]) -> Parsed:
    """Read what one notification says of each of its recipients; never raises."""
    del headers, settings
    message = reading.document(raw)
    if not isinstance(message, dict) or (type_ := text(message, "Type")) is None:
        return Parsed(unreadable=1)
    said = text(message, "Message")
    if type_ != sns.NOTIFICATION or (said or "").startswith(_NOTE):
        return Parsed(ignored=1)
    event = reading.document(said or "")
    return reading.counted(_signals(message, event) if isinstance(event, dict) else ["unreadable"])


def _signals(message: Mapping[str, Any], item: Mapping[str, Any]) -> Iterator[Read]:
    event = text(item, "eventType") or text(item, "notificationType")
    if event is None or event not in _TYPES:
        yield "unreadable" if event is None else "ignored"
        return
    about = section(item, event.lower())
    occurred_at = _occurred_at(event, about, item, message)
    if occurred_at is None:
        yield "unreadable"
        return
    named = text(message, "MessageId") or reading.digest(message)
    for recipient, told in _recipients(_TYPES[event], about, section(item, "mail")):
        yield Signal(
            type=_TYPES[event],
            occurred_at=occurred_at,
            external_id=reading.fitting(f"{named}:{recipient or ''}"),
            email=recipient,
            topics=_topics(section(item, "mail", "tags")),
            data=_data(_TYPES[event], section(item, "mail"), about, told),
            evidence=_evidence(_TYPES[event], about),
        )


def _occurred_at(
    event: str, about: Mapping[str, Any], item: Mapping[str, Any], message: Mapping[str, Any]
) -> datetime | None:
    """Return the event's own time: that of a sending is the mail's, one without any has that of its notification."""
    own = section(item, "mail").get("timestamp") if event == "Send" else about.get("timestamp")
    return written_time(own) or written_time(message.get("Timestamp"))


def _recipients(
    type_: str, about: Mapping[str, Any], message: Mapping[str, Any]
) -> Iterator[tuple[str | None, Mapping[str, Any]]]:
    """Yield whom it is about, and what is said of them; nobody, where several may be meant."""
    named = about.get({"email_bounced": "bouncedRecipients", "email_complained": "complainedRecipients"}.get(type_, ""))
    told = {each["address"]: each for each in _addressed(named)}
    if told:
        yield from told.items()
        return
    everybody = mail.recipients(about.get("recipients")) or mail.recipients(message.get("destination"))
    if type_ in _OF_ALL and everybody:
        yield from ((each, {}) for each in everybody)
    else:
        yield (everybody[0] if len(everybody) == 1 else None), {}


def _addressed(named: object) -> Iterator[dict[str, Any]]:
    for each in named if isinstance(named, list) else []:
        address = reading.address(each.get("emailAddress")) if isinstance(each, dict) else None
        if address is not None:
            yield {**each, "address": address}


def _data(type_: str, message: Mapping[str, Any], about: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    headers = section(message, "commonHeaders")
    return mail.data(
        text(headers, "messageId") or text(message, "messageId"),
        url=text(about, "link") if type_ == "email_clicked" else None,
        subject=text(headers, "subject"),
        bounce=_bounce(about, told) if type_ == "email_bounced" else None,
    )


def _bounce(about: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, str | None]:
    reason = text(told, "diagnosticCode") or text(about, "bounceSubType")
    return mail.bounce(text(told, "status"), reason, hard=about.get("bounceType") == "Permanent")


def _evidence(type_: str, about: Mapping[str, Any]) -> Evidence:
    return mail.evidence(about, "userAgent", "ipAddress") if type_ in mail.READER_TYPES else Evidence()


def _topics(tags: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the values of the sender's own tags."""
    return reading.words(*(value for name, value in tags.items() if not name.startswith(_OF_AMAZON)))
