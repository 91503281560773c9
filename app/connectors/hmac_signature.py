"""Signatures that are an HMAC-SHA256 in hexadecimal, over a time and the raw body."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from app.connectors.signals import Verdict, unix_time, within_tolerance

TOLERANCE: Final = timedelta(minutes=5)
DIGESTS_MOST: Final = 10
"""A header holds several while its sender changes the key; more than a few only cost time."""


def hexadecimal(key: bytes, message: bytes) -> str:
    """Return the HMAC-SHA256 in lower-case hexadecimal."""
    return hmac.new(key, message, hashlib.sha256).hexdigest()


def signer(keys: Iterable[bytes], message: bytes, digests: Sequence[str]) -> bytes | None:
    """Return the key with which one of `digests` was made, compared in constant time; None for no key."""
    for key in keys:
        expected = hexadecimal(key, message).encode()
        if any(hmac.compare_digest(expected, digest.encode()) for digest in digests[:DIGESTS_MOST]):
            return key
    return None


def verify_timed(
    header: str | None, keys: Sequence[bytes], raw: bytes, now: datetime, settings: Mapping[str, Any]
) -> Verdict:
    """Check `t=<seconds>,v1=<hexadecimal>`, which signs the seconds, a dot and the body; then the age of the time."""
    parts = [part.strip().partition("=") for part in (header or "").split(",")]
    stamp = next((value for name, _, value in parts if name == "t"), "")
    digests = [value for name, _, value in parts if name == "v1"]
    if not stamp or not digests:
        return Verdict(ok=False, reason="missing_signature")
    if signer(keys, f"{stamp}.".encode() + raw, digests) is None:
        return Verdict(ok=False, reason="bad_signature")
    return timely(stamp, now, settings)


def timely(stamp: str, now: datetime, settings: Mapping[str, Any]) -> Verdict:
    """Say whether the signed seconds are near enough to `now`."""
    signed_at = unix_time(stamp)
    if signed_at is None or not within_tolerance(signed_at, now, settings, TOLERANCE):
        return Verdict(ok=False, reason="outside_tolerance")
    return Verdict(ok=True)


def accepts_secret(secret: str) -> bool:
    """Say whether this can be a shared secret: printable ASCII without blanks at the ends."""
    return bool(secret) and secret.isascii() and secret.isprintable() and secret == secret.strip()
