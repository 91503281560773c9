"""Luma: guests of events.

Signature: HMAC-SHA256 over the time `t`, a dot and the raw body, under the whole text of the secret; a secret that is
`whsec_` and base64 is also tried as the bytes that it spells. As such secrets are those of Standard Webhooks, a
signature in their form is taken, too. Being checked in comes as an update of the guest.
"""

import binascii
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from app.connectors import gathering, hmac_signature, reading, standard_webhooks
from app.connectors.reading import Read, section, word
from app.connectors.signals import Parsed, Request, Signal, Verdict, present, text, written_time

SIGNATURE_HEADER: Final = "webhook-signature"
EVENT_TYPES: Final = ("event_registered", "event_attended")

_PREFIX: Final = "whsec_"
_REGISTERED: Final = "guest.registered"
_UPDATED: Final = "guest.updated"


def accepts_secret(secret: str) -> bool:
    """Say whether this is a secret as Luma writes them."""
    return secret.startswith(_PREFIX) and hmac_signature.accepts_secret(secret.removeprefix(_PREFIX))


def verify(
    request: Request,
    secrets: Sequence[str],
    now: datetime,
    certificates: Mapping[str, bytes],
    settings: Mapping[str, Any],
) -> Verdict:
    """Check the signature with each live secret, then the age of the signed time."""
    given = request.headers.get(SIGNATURE_HEADER)
    if given is not None and given.startswith("v1,"):
        return standard_webhooks.verify(request, secrets, now, certificates, settings)
    keys = [key for secret in secrets for key in _keys(secret)]
    return hmac_signature.verify_timed(given, keys, request.raw, now, settings)


def _keys(secret: str) -> Iterator[bytes]:
    yield secret.encode()
    try:
        yield b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return


def parse(headers: Mapping[str, str], raw: bytes, settings: Mapping[str, Any]) -> Parsed:
    """Read what one event says of a guest; never raises."""
    del headers
    body = reading.document(raw)
    kind = text(body, "type") if isinstance(body, dict) else None
    if kind is None:
        return Parsed(unreadable=1)
    if kind not in {_REGISTERED, _UPDATED}:
        return Parsed(ignored=1)
    read = list(_read(kind, section(body, "data"), settings))
    return reading.counted(read or ["ignored"])


def _read(kind: str, told: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterator[Read]:
    """Yield the registration and the check-in, if there is one; the guest stands in `data` or in its `guest`."""
    guest = section(told, "guest") or told
    if kind == _REGISTERED:
        yield _signal("event_registered", guest.get("registered_at"), guest, told, settings)
    checked_in_at = _checked_in_at(guest)
    if checked_in_at is not None:
        yield _signal("event_attended", checked_in_at, guest, told, settings)


def _checked_in_at(guest: Mapping[str, Any]) -> object:
    """Return when the guest came: the earliest of what their tickets say."""
    tickets = guest.get("event_tickets")
    named = [guest, *(tickets if isinstance(tickets, list) else [])]
    times = [each["checked_in_at"] for each in named if isinstance(each, dict) and each.get("checked_in_at")]
    return min(times, key=str, default=None)


def _signal(
    kind: str, at: object, guest: Mapping[str, Any], told: Mapping[str, Any], settings: Mapping[str, Any]
) -> Read:
    occurred_at = written_time(at)
    if occurred_at is None:
        return "unreadable"
    event = section(told, "event")
    email = text(guest, "user_email") or text(guest, "email")
    return Signal(
        type=kind,
        occurred_at=occurred_at,
        external_id=reading.digest(_id(guest) or email, kind, at),
        email=email,
        topics=gathering.topics(settings, event.get("tags")),
        data=present(
            event=gathering.event(_id(event), text(event, "name"), text(event, "start_at"), text(event, "url")),
            answers=gathering.answers(guest.get("registration_answers"), "label", "answer"),
        ),
        profile=_profile(guest, email),
    )


def _id(item: Mapping[str, Any]) -> str | None:
    return word(item, "id") or word(item, "api_id")


def _profile(guest: Mapping[str, Any], email: str | None) -> dict[str, Any]:
    return gathering.profile(
        email=email,
        full_name=text(guest, "user_name") or text(guest, "name"),
        given_name=text(guest, "user_first_name"),
        family_name=text(guest, "user_last_name"),
        phone=text(guest, "phone_number"),
    )
