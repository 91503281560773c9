"""The tokens of links in mails: derived, never stored, never too old.

Each names the tenant and the message (and, of a click, which link of it), followed by the first 128 bits of an
HMAC-SHA256 under a key of that tenant and of that use, so that it is known to be ours before any table is read.
"""

import base64
import binascii
from typing import Final, NamedTuple
from uuid import UUID

from app.kit import crypto

UNSUBSCRIBE: Final = "unsubscribe"
OPEN: Final = "open"
CLICK: Final = "click"
_MAC_BYTES: Final = 16
_NUMBER_BYTES: Final = 2
MOST_LINKS: Final = (1 << 8 * _NUMBER_BYTES) - 1


class Link(NamedTuple):
    """Which message of which tenant a link came in."""

    tenant_id: UUID
    message_id: UUID


class Click(NamedTuple):
    """Which of the tracked links of a message, counted from 0."""

    link: Link
    n: int


def token(link: Link) -> str:
    """Return the 64 characters (URL-safe Base64) that stand for `link` on the page that unsubscribes."""
    return _signed(UNSUBSCRIBE, link)


def read(text: str) -> Link | None:
    """Return what such a token stands for; None when it is not one of ours."""
    found = _read(UNSUBSCRIBE, text, 0)
    return found[0] if found else None


def open_token(link: Link) -> str:
    """Return the 64 characters that stand for the picture in a message."""
    return _signed(OPEN, link)


def read_open(text: str) -> Link | None:
    """Return what such a token stands for; None when it is not one of ours."""
    found = _read(OPEN, text, 0)
    return found[0] if found else None


def click_token(click: Click) -> str:
    """Return the 68 characters that stand for one link of a message."""
    return _signed(CLICK, click.link, click.n.to_bytes(_NUMBER_BYTES))


def read_click(text: str) -> Click | None:
    """Return what such a token stands for; None when it is not one of ours."""
    found = _read(CLICK, text, _NUMBER_BYTES)
    return Click(found[0], int.from_bytes(found[1])) if found else None


def unsubscribe_url(base_url: str, link: Link) -> str:
    """Return the address of the page, and of the one-click POST (RFC 8058)."""
    return f"{base_url}/u/{token(link)}"


def inert_url(base_url: str) -> str:
    """Return an address that looks like a link and does nothing, for previews."""
    return f"{base_url}/u/preview"


def _signed(use: str, link: Link, rest: bytes = b"") -> str:
    named = link.tenant_id.bytes + link.message_id.bytes + rest
    return base64.urlsafe_b64encode(named + _mac(use, link, rest)).decode().rstrip("=")


def _read(use: str, text: str, rest_bytes: int) -> tuple[Link, bytes] | None:
    try:
        raw = base64.b64decode((text + "=" * (-len(text) % 4)).encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(raw) != 2 * 16 + rest_bytes + _MAC_BYTES:
        return None
    link, rest = Link(UUID(bytes=raw[:16]), UUID(bytes=raw[16:32])), raw[32:-_MAC_BYTES]
    is_ours = crypto.same(raw[-_MAC_BYTES:], _mac(use, link, rest)) and _signed(use, link, rest) == text
    return (link, rest) if is_ours else None


def _mac(use: str, link: Link, rest: bytes) -> bytes:
    said = f"{link.message_id}{rest.hex()}"
    return crypto.keyed_hash(use, str(link.tenant_id), said)[:_MAC_BYTES]
