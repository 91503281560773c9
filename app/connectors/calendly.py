"""Calendly: who books a time, and who gives it up.

Signature: HMAC-SHA256 over the time `t`, a dot and the raw body. Who moves a booking cancels one and makes another. The
name may be null in a cancellation.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from app.connectors import gathering, hmac_signature, reading
from app.connectors.reading import Read, section
from app.connectors.signals import Parsed, Request, Signal, Verdict, present, text, written_time

SIGNATURE_HEADER: Final = "calendly-webhook-signature"

_TYPES: Final = {"invitee.created": "event_registered", "invitee.canceled": "event_cancelled"}
EVENT_TYPES: Final = tuple(_TYPES.values())
accepts_secret = hmac_signature.accepts_secret


def verify(
    request: Request,
    secrets: Sequence[str],
    now: datetime,
    certificates: Mapping[str, bytes],
    settings: Mapping[str, Any],
) -> Verdict:
    """Check the signature with each live signing key, then the age of the signed time."""
    del certificates
    keys = [secret.encode() for secret in secrets]
    return hmac_signature.verify_timed(request.headers.get(SIGNATURE_HEADER), keys, request.raw, now, settings)


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
    occurred_at = written_time(body.get("created_at"))
    if occurred_at is None:
        return "unreadable"
    invitee = section(body, "payload")
    return Signal(
        type=_TYPES[event],
        occurred_at=occurred_at,
        external_id=reading.digest(text(invitee, "uri"), event, body["created_at"]),
        email=text(invitee, "email"),
        topics=gathering.topics(settings),
        data=_data(invitee),
        profile=_profile(invitee),
    )


def _data(invitee: Mapping[str, Any]) -> dict[str, Any]:
    booked = section(invitee, "scheduled_event")
    moved = invitee.get("rescheduled") is True or text(invitee, "old_invitee") is not None
    return present(
        event=gathering.event(
            text(invitee, "event") or text(booked, "uri"), text(booked, "name"), text(booked, "start_time")
        ),
        answers=gathering.answers(invitee.get("questions_and_answers"), "question", "answer"),
        rescheduled=moved or None,
    )


def _profile(invitee: Mapping[str, Any]) -> dict[str, Any]:
    return gathering.profile(
        email=text(invitee, "email"),
        full_name=text(invitee, "name"),
        given_name=text(invitee, "first_name"),
        family_name=text(invitee, "last_name"),
        phone=text(invitee, "text_reminder_number"),
    )
