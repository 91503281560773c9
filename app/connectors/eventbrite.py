"""Eventbrite: attendees and orders.

A notification is not signed: it only names an address at Eventbrite's own API, where a worker reads the object with the
connection's token. Nothing else of the address than its path is ever used.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from app.connectors import gathering, reading
from app.connectors.reading import Read, section, word
from app.connectors.signals import Parsed, Request, Signal, Verdict, present, text, written_time

HOST: Final = "www.eventbriteapi.com"
EVENT_TYPES: Final = ("event_registered", "event_attended", "event_cancelled")

_PATH: Final = re.compile(r"/v3(?:/[a-z_]{1,40}/[A-Za-z0-9_-]{1,80}){1,3}/?", re.ASCII)
_PLACED: Final = "order.placed"
_CHECKED_IN: Final = "barcode.checked_in"
_EXPANDED: Final = {
    _PLACED: "attendees,event",
    _CHECKED_IN: "event",
    "attendee.updated": "event",
}
"""What to read with the object, by the action that is taken notice of."""


def verify(
    request: Request,
    secrets: Sequence[str],
    now: datetime,
    certificates: Mapping[str, bytes],
    settings: Mapping[str, Any],
) -> Verdict:
    """Believe every call: only Eventbrite knows the path, and what is said is read at Eventbrite's."""
    del request, secrets, now, certificates, settings
    return Verdict(ok=True)


def parse(headers: Mapping[str, str], raw: bytes, settings: Mapping[str, Any]) -> Parsed:
    """Say what a notification asks to be fetched; never raises."""
    del headers, settings
    body = reading.document(raw)
    action = text(section(body, "config"), "action") if isinstance(body, dict) else None
    if action is None:
        return Parsed(unreadable=1)
    if action not in _EXPANDED:
        return Parsed(ignored=1)
    path = path_of(body.get("api_url"))
    return Parsed(unreadable=1) if path is None else Parsed(fetch=f"{path}?expand={_EXPANDED[action]}")


def path_of(api_url: object) -> str | None:
    """Return the path of an object at Eventbrite's API; None for any other address."""
    try:
        parts = urlsplit(api_url) if isinstance(api_url, str) else None
    except ValueError:
        return None
    if parts is None or parts.scheme != "https" or parts.netloc.lower() != HOST or not _PATH.fullmatch(parts.path):
        return None
    return parts.path


def credentials(token: str) -> Mapping[str, str]:
    """Return the headers with which an object is asked for."""
    return {"Authorization": f"Bearer {token}", "Accept": "application/json"}


def read(notification: bytes, fetched: bytes, settings: Mapping[str, Any]) -> Parsed:
    """Read the object that a notification named; never raises."""
    told, found = reading.document(notification), reading.document(fetched)
    if not isinstance(told, dict) or not isinstance(found, dict):
        return Parsed(unreadable=1)
    key = (text(told, "api_url"), text(section(told, "config"), "action") or "")
    return reading.counted(_signal(key, found, each, settings) for each in _people(found))


def _people(found: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the attendees of an order or of a list; else the object itself, an attendee or who has ordered."""
    attendees = found.get("attendees")
    named = [each for each in attendees if isinstance(each, dict) and each] if isinstance(attendees, list) else []
    if named:
        yield from named
    else:
        yield found


def _signal(
    key: tuple[str | None, str], found: Mapping[str, Any], person: Mapping[str, Any], settings: Mapping[str, Any]
) -> Read:
    kind, at = _happening(key[1], found, person)
    if kind is None:
        return "ignored"
    occurred_at = written_time(at)
    if occurred_at is None:
        return "unreadable"
    changed = person.get("changed")
    profile = section(person, "profile") or person
    return Signal(
        type=kind,
        occurred_at=occurred_at,
        external_id=reading.digest(*key, changed, *([] if person is found else [word(person, "id")])),
        email=text(profile, "email"),
        topics=gathering.topics(settings),
        data=present(
            event=_event(section(person, "event") or section(found, "event"), word(person, "event_id")),
            answers=gathering.answers(person.get("answers"), "question", "answer"),
        ),
        profile=_profile(profile),
    )


def _happening(action: str, found: Mapping[str, Any], person: Mapping[str, Any]) -> tuple[str | None, object]:
    """Return what happened and when; an attendee is updated for many reasons, most of which say nothing."""
    if action == _PLACED:
        return "event_registered", found.get("created")
    barcodes = person.get("barcodes")
    used = [
        each
        for each in (barcodes if isinstance(barcodes, list) else [])
        if isinstance(each, dict) and each.get("status") == "used"
    ]
    if action == _CHECKED_IN or person.get("checked_in") is True or used:
        return "event_attended", next((each.get("changed") for each in used), None) or person.get("changed")
    if person.get("cancelled") is True or person.get("refunded") is True:
        return "event_cancelled", person.get("changed")
    return None, None


def _event(event: Mapping[str, Any], named: str | None) -> dict[str, Any]:
    return gathering.event(
        word(event, "id") or named,
        text(section(event, "name"), "text"),
        text(section(event, "start"), "utc"),
        text(event, "url"),
    )


def _profile(profile: Mapping[str, Any]) -> dict[str, Any]:
    return gathering.profile(
        email=text(profile, "email"),
        full_name=text(profile, "name"),
        given_name=text(profile, "first_name"),
        family_name=text(profile, "last_name"),
        phone=text(profile, "cell_phone"),
        current_company=text(profile, "company"),
        headline=text(profile, "job_title"),
    )
