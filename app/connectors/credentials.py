"""Senders that sign nothing, and show a secret of the connection's in the Authorization header instead."""

import binascii
import hmac
from base64 import b64decode
from collections.abc import Mapping, Sequence

from app.connectors.signals import Verdict


def basic(headers: Mapping[str, str], secrets: Sequence[str]) -> Verdict:
    """Compare the `user:password` of HTTP Basic authentication (RFC 7617) with each live secret, in constant time."""
    return _shown(headers, "basic", [secret.encode() for secret in secrets])


def bearer(headers: Mapping[str, str], secrets: Sequence[str]) -> Verdict:
    """Compare a bearer token (RFC 6750) with each live secret, in constant time."""
    return _shown(headers, "bearer", [secret.encode() for secret in secrets])


def is_pair(secret: str) -> bool:
    """Say whether this is `user:password`: something before the first colon, and nothing that cannot be printed."""
    return secret.isprintable() and secret.find(":") > 0


def is_token(secret: str) -> bool:
    """Say whether a header can carry it: printable ASCII without a blank."""
    return bool(secret) and secret.isascii() and secret.isprintable() and " " not in secret


def _shown(headers: Mapping[str, str], scheme: str, secrets: Sequence[bytes]) -> Verdict:
    given_scheme, _, given = headers.get("authorization", "").partition(" ")
    if given_scheme.lower() != scheme or not given:
        return Verdict(ok=False, reason="missing_signature")
    shown = _decoded(given.strip()) if scheme == "basic" else given.strip().encode()
    if shown is None or not any(hmac.compare_digest(shown, secret) for secret in secrets):
        return Verdict(ok=False, reason="bad_signature")
    return Verdict(ok=True)


def _decoded(given: str) -> bytes | None:
    try:
        return b64decode(given, validate=True)
    except (binascii.Error, ValueError):
        return None
