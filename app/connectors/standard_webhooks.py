"""Any sender that signs as the Standard Webhooks specification says; a mapping says what its JSON means.

Signature: `v1,` and base64 of HMAC-SHA256 over the id, the time and the raw body, joined by dots; several stand side by
side while the sender changes its secret. Senders of the Svix family write the same under headers of their own.
"""

import binascii
import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from app.connectors import generic, reading
from app.connectors.signals import Parsed, Request, Signal, Verdict, timely, unix_time

TOLERANCE: Final = timedelta(minutes=5)
EVENT_TYPES: Final = generic.EVENT_TYPES

_PREFIX: Final = "whsec_"
_FAMILIES: Final = ("webhook", "svix")


def accepts_secret(secret: str) -> bool:
    """Say whether this is base64 of a key, with or without `whsec_` before it."""
    return bool(_key(secret))


def verify(
    request: Request,
    secrets: Sequence[str],
    now: datetime,
    certificates: Mapping[str, bytes],
    settings: Mapping[str, Any],
) -> Verdict:
    """Check the signatures with each live secret, then the age of the signed time; the id names the call."""
    del certificates
    family = _family(request.headers)
    named, stamp, given = (request.headers.get(f"{family}-{part}") for part in ("id", "timestamp", "signature"))
    if not named or not stamp or not given:
        return Verdict(ok=False, reason="missing_signature")
    signed = f"{named}.{stamp}.".encode("latin-1", "replace") + request.raw
    signatures = [value.encode() for version, _, value in _versions(given) if version == "v1"]
    if not any(_signs(secret, signed, signatures) for secret in secrets):
        return Verdict(ok=False, reason="bad_signature")
    return timely(unix_time(stamp), now, settings, TOLERANCE, call_id=named)


def parse(headers: Mapping[str, str], raw: bytes, settings: Mapping[str, Any]) -> Parsed:
    """Read one event or many as `generic` does, but that the call's id names them; never raises."""
    read = generic.read(raw, settings)
    named = call_id(headers)
    if named is None:
        return reading.counted(read)
    several = settings["mapping"].get("items") is not None
    ids = [reading.fitting(f"{named}:{index}" if several else named) for index in range(len(read))]
    return reading.counted(
        replace(one, external_id=own) if isinstance(one, Signal) else one for one, own in zip(read, ids, strict=True)
    )


def call_id(headers: Mapping[str, str]) -> str | None:
    """Return the id under which this call is sent, each time that it is."""
    return headers.get(f"{_family(headers)}-id")


def _family(headers: Mapping[str, str]) -> str:
    return next((family for family in _FAMILIES if f"{family}-id" in headers), _FAMILIES[0])


def _versions(given: str) -> Iterator[tuple[str, str, str]]:
    return (each.partition(",") for each in given.split())


def _signs(secret: str, signed: bytes, signatures: Sequence[bytes]) -> bool:
    key = _key(secret)
    if not key:
        return False
    expected = b64encode(hmac.digest(key, signed, hashlib.sha256))
    return any(hmac.compare_digest(expected, signature) for signature in signatures)


def _key(secret: str) -> bytes:
    """Return the bytes that a secret spells, its padding being optional; nothing for what spells none."""
    written = secret.removeprefix(_PREFIX).rstrip("=")
    try:
        return b64decode(written + "=" * (-len(written) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""
