"""Zoom: webinars.

Signature: HMAC-SHA256 over `v0:`, the timestamp header, a colon and the raw body. Zoom asks for the address itself with
`endpoint.url_validation`, again every 72 hours, and wants 200 for everything. Events have no id of their own; who
leaves and comes back joins several times.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from app.connectors import gathering, hmac_signature, reading
from app.connectors.reading import Read, section, unix_moment, word
from app.connectors.signals import Answer, Parsed, Request, Signal, Verdict, present, text, written_time
from app.kit import json

SIGNATURE_HEADER: Final = "x-zm-signature"
TIMESTAMP_HEADER: Final = "x-zm-request-timestamp"
VALIDATION: Final = "endpoint.url_validation"

_TYPES: Final = {
    "webinar.registration_created": "event_registered",
    "webinar.registration_cancelled": "event_cancelled",
    "webinar.participant_joined": "event_attended",
}
EVENT_TYPES: Final = tuple(_TYPES.values())
accepts_secret = hmac_signature.accepts_secret


def verify(
    request: Request,
    secrets: Sequence[str],
    now: datetime,
    certificates: Mapping[str, bytes],
    settings: Mapping[str, Any],
) -> Verdict:
    """Check the signature with each live secret token, then the age of the signed time."""
    del certificates
    signature, stamp = request.headers.get(SIGNATURE_HEADER), request.headers.get(TIMESTAMP_HEADER)
    if not signature or not stamp:
        return Verdict(ok=False, reason="missing_signature")
    version, _, digest = signature.partition("=")
    signed = f"v0:{stamp}:".encode() + request.raw
    key = hmac_signature.signer([secret.encode() for secret in secrets], signed, [digest] if version == "v0" else [])
    if key is None:
        return Verdict(ok=False, reason="bad_signature")
    verdict = hmac_signature.timely(stamp, now, settings)
    return Verdict(ok=True, answer=_answer(request.raw, key)) if verdict.ok else verdict


def _answer(raw: bytes, key: bytes) -> Answer:
    """Return 200, and to the question for the address the token that only we can make of Zoom's."""
    body = reading.document(raw)
    plain = text(section(body, "payload"), "plainToken") if isinstance(body, dict) else None
    if plain is None or body.get("event") != VALIDATION:
        return Answer(200)
    encrypted = hmac_signature.hexadecimal(key, plain.encode())
    return Answer(200, json.dumpb({"plainToken": plain, "encryptedToken": encrypted}))


def parse(headers: Mapping[str, str], raw: bytes, settings: Mapping[str, Any]) -> Parsed:
    """Read one event; never raises."""
    del headers
    return reading.one(raw, lambda body: _read(body, settings))


def _read(body: Mapping[str, Any], settings: Mapping[str, Any]) -> Read:
    event = text(body, "event")
    if event is None:
        return "unreadable"
    if event not in _TYPES:
        return "ignored"
    webinar = section(body, "payload", "object")
    person = section(webinar, "participant") or section(webinar, "registrant")
    joined = _TYPES[event] == "event_attended"
    occurred_at = written_time(person.get("join_time")) if joined else unix_moment(body.get("event_ts"))
    if occurred_at is None:
        return "unreadable"
    return Signal(
        type=_TYPES[event],
        occurred_at=occurred_at,
        external_id=reading.digest(event, word(webinar, "uuid"), _name(person), occurred_at),
        email=text(person, "email"),
        topics=gathering.topics(settings),
        data=_data(webinar, person),
        profile=_profile(person),
    )


def _name(person: Mapping[str, Any]) -> str | None:
    """Return what tells one person of a webinar from another."""
    names = (
        word(person, name) for name in ("participant_uuid", "registrant_id", "id", "user_id", "email", "user_name")
    )
    return next((name for name in names if name), None)


def _data(webinar: Mapping[str, Any], person: Mapping[str, Any]) -> dict[str, Any]:
    return present(
        event=gathering.event(word(webinar, "id"), text(webinar, "topic"), text(webinar, "start_time")),
        answers=gathering.answers(person.get("custom_questions"), "title", "value"),
    )


def _profile(person: Mapping[str, Any]) -> dict[str, Any]:
    return gathering.profile(
        email=text(person, "email"),
        full_name=text(person, "user_name"),
        given_name=text(person, "first_name"),
        family_name=text(person, "last_name"),
        phone=text(person, "phone"),
        current_company=text(person, "org"),
        headline=text(person, "job_title"),
    )
