"""Peatix and Doorkeeper: they call nobody and are asked nothing; who came stands in a file, which the imports read."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from app.connectors.signals import Parsed, Request, Verdict

EVENT_TYPES: Final = ("event_registered", "event_attended", "event_no_show", "event_cancelled")


def verify(
    request: Request,
    secrets: Sequence[str],
    now: datetime,
    certificates: Mapping[str, bytes],
    settings: Mapping[str, Any],
) -> Verdict:
    """Refuse every call."""
    del request, secrets, now, certificates, settings
    return Verdict(ok=False, reason="no_hook")


def parse(headers: Mapping[str, str], raw: bytes, settings: Mapping[str, Any]) -> Parsed:
    """Read nothing: a file comes by the door of files."""
    del headers, raw, settings
    return Parsed(unreadable=1)
