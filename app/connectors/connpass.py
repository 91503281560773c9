"""connpass, API v2: which events people went to whose nickname is known.

connpass calls nobody and tells nobody's address, so a worker asks for the events of each nickname, one page a second.
Pages may shift between two questions: the same event may come twice, and is one touchpoint.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from app.connectors import gathering, hmac_signature, reading
from app.connectors.reading import Read, section, word
from app.connectors.signals import ExternalId, Parsed, Request, Signal, Verdict, present, text, written_time

SOURCE: Final = "connpass"
PAGE: Final = 100
NICKNAME_HEADER: Final = "x-connpass-nickname"
ASKED_AT_HEADER: Final = "x-connpass-asked-at"
EVENT_TYPES: Final = ("event_registered", "event_attended")
accepts_secret = hmac_signature.accepts_secret


def verify(
    request: Request,
    secrets: Sequence[str],
    now: datetime,
    certificates: Mapping[str, bytes],
    settings: Mapping[str, Any],
) -> Verdict:
    """Refuse: nobody calls on behalf of connpass."""
    del request, secrets, now, certificates, settings
    return Verdict(ok=False, reason="no_hook")


def page_path(nickname: str, start: int) -> str:
    """Return the path of a page of somebody's events, counted from 1."""
    return f"/users/{quote(nickname, safe='')}/attended_events/?count={PAGE}&start={start}"


def credentials(key: str) -> Mapping[str, str]:
    """Return the headers with which a page is asked for."""
    return {"X-API-Key": key, "Accept": "application/json"}


def next_start(raw: bytes, start: int) -> int | None:
    """Return where the page after this one begins; None behind the last one."""
    body = reading.document(raw)
    told = body if isinstance(body, dict) else {}
    returned, available = told.get("results_returned"), told.get("results_available")
    if not isinstance(returned, int) or not isinstance(available, int) or returned < 1:
        return None
    following = start + returned
    return following if following <= available else None


def parse(headers: Mapping[str, str], raw: bytes, settings: Mapping[str, Any]) -> Parsed:
    """Read a page of the events of the nickname that stands in the headers; never raises."""
    body, nickname = reading.document(raw), text(headers, NICKNAME_HEADER)
    asked_at = written_time(headers.get(ASKED_AT_HEADER))
    if not isinstance(body, dict) or nickname is None or asked_at is None:
        return Parsed(unreadable=1)
    return reading.each(body.get("events"), lambda event: _read(event, nickname, asked_at, settings))


def _read(event: Mapping[str, Any], nickname: str, asked_at: datetime, settings: Mapping[str, Any]) -> Read:
    named = word(event, "id")
    if named is None:
        return "unreadable"
    groups = settings.get("groups")
    if event.get("open_status") == "cancelled" or (groups and text(section(event, "group"), "subdomain") not in groups):
        return "ignored"
    started_at = written_time(event.get("started_at"))
    if started_at is None:
        return "unreadable"
    is_over = (written_time(event.get("ended_at")) or started_at) <= asked_at
    kind = "event_attended" if is_over else "event_registered"
    return Signal(
        type=kind,
        occurred_at=started_at if is_over else asked_at,
        external_id=reading.digest(nickname, named, kind),
        person=ExternalId(SOURCE, nickname),
        topics=gathering.topics(settings, [event.get("hash_tag")]),
        data=present(event=gathering.event(named, text(event, "title"), text(event, "started_at"), text(event, "url"))),
    )
