"""The token of an unsubscribe link: derived, never stored, never too old.

It names the tenant and the message, followed by the first 128 bits of an HMAC-SHA256 under a key of that tenant, so
that it is known to be ours before any table is read.
"""

import base64
import binascii
from typing import Final, NamedTuple
from uuid import UUID

from app.kit import crypto

_PURPOSE: Final = "unsubscribe"
_MAC_BYTES: Final = 16
_LENGTH: Final = 2 * 16 + _MAC_BYTES


class Link(NamedTuple):
    """Which message of which tenant a link came in."""

    tenant_id: UUID
    message_id: UUID


def token(link: Link) -> str:
    """Return the 64 characters (URL-safe Base64) that stand for `link`."""
    named = link.tenant_id.bytes + link.message_id.bytes
    return base64.urlsafe_b64encode(named + _mac(link)).decode()


def read(text: str) -> Link | None:
    """Return what a token stands for; None when it is not one of ours."""
    try:
        raw = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(raw) != _LENGTH:
        return None
    link = Link(UUID(bytes=raw[:16]), UUID(bytes=raw[16:32]))
    return link if crypto.same(raw[32:], _mac(link)) else None


def unsubscribe_url(base_url: str, link: Link) -> str:
    """Return the address of the page, and of the one-click POST (RFC 8058)."""
    return f"{base_url}/u/{token(link)}"


def inert_url(base_url: str) -> str:
    """Return an address that looks like a link and does nothing, for previews."""
    return f"{base_url}/u/preview"


def _mac(link: Link) -> bytes:
    return crypto.keyed_hash(_PURPOSE, str(link.tenant_id), str(link.message_id))[:_MAC_BYTES]
