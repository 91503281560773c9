"""Secrets of pages: the token of a link, the code that is mailed, and the pass that a right code earns.

Of a token only the SHA-256 is kept, for its 256 bits are random; code and pass are derived, and kept nowhere.
"""

import hashlib
import secrets
import unicodedata
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from app.kit import crypto

_CODE: Final = "page-code"
_PASS: Final = "page-pass"  # noqa: S105 (what a key is for)
_DIGITS: Final = 6


def new_token() -> str:
    """Return 256 random bits, as 43 characters for an address."""
    return secrets.token_urlsafe(32)


def hash_of(token: str) -> bytes:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def code_of(tenant_id: UUID, token_id: UUID, n: int) -> str:
    """Return the `n`th code that is mailed for a link: six digits."""
    drawn = crypto.keyed_hash(_CODE, str(tenant_id), f"{token_id}:{n}")
    return f"{int.from_bytes(drawn[:8]) % 10**_DIGITS:0{_DIGITS}}"


def digits(text: str) -> str:
    """Return the digits of a code as somebody typed it: full-width ones, with spaces."""
    return "".join(str(unicodedata.digit(each)) for each in text if unicodedata.digit(each, None) is not None)


def pass_of(tenant_id: UUID, token_id: UUID, until: datetime) -> str:
    """Return what a page says of itself that was opened by a right code, good until a moment."""
    moment = int(until.timestamp())
    return f"{moment}.{crypto.keyed_hash(_PASS, str(tenant_id), f'{token_id}:{moment}').hex()}"


def is_pass(text: str, tenant_id: UUID, token_id: UUID, now: datetime) -> bool:
    """Whether a page was opened by a right code for this link, and still is."""
    moment, _, _ = text.partition(".")
    if not (moment.isascii() and moment.isdigit() and len(moment) < 12):  # noqa: PLR2004 (digits of a moment)
        return False
    until = datetime.fromtimestamp(int(moment), UTC)
    return now <= until and crypto.same(text.encode(), pass_of(tenant_id, token_id, until).encode())
