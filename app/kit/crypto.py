"""Keys derived from one root secret, keyed hashes, and sealed values."""

import base64
import hashlib
import hmac
import os
import secrets
import tempfile
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.settings import get_settings

_KEY_BYTES = 32
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def ensure_secret_file(data_dir: Path) -> str:
    """Return the root secret of `data_dir`, made (mode 600) when it is not there yet."""
    path = data_dir / "secret-key"
    if not path.exists():
        handle, whole = tempfile.mkstemp(dir=data_dir)  # mode 600; linked whole, so that nobody reads half of it
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(_KEY_BYTES))
        with suppress(FileExistsError):
            os.link(whole, path)
        Path(whole).unlink()
    return path.read_text().strip()


@lru_cache
def _root() -> bytes:
    settings = get_settings()
    return (settings.secret_key or ensure_secret_file(settings.data_dir)).encode()


@lru_cache(maxsize=4096)
def derive(purpose: str, scope: str = "") -> bytes:
    """Return 32 bytes that belong to one purpose and one scope (a tenant's id, say), by HKDF-SHA256 (RFC 5869)."""
    info = f"{purpose}\x00{scope}".encode()
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=info).derive(_root())


def keyed_hash(purpose: str, scope: str, value: str) -> bytes:
    """Return HMAC-SHA256 of `value` under the derived key, 32 bytes."""
    return hmac.digest(derive(purpose, scope), value.encode(), "sha256")


def same(left: bytes, right: bytes) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(left, right)


def seal(purpose: str, scope: str, value: bytes) -> bytes:
    """Encrypt and authenticate (Fernet) with the derived key."""
    return _box(purpose, scope).encrypt(value)


def unseal(purpose: str, scope: str, token: bytes) -> bytes:
    """Undo `seal`; raises ValueError when the token was altered or sealed for somebody else."""
    try:
        return _box(purpose, scope).decrypt(token)
    except InvalidToken as error:
        raise ValueError from error


def _box(purpose: str, scope: str) -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(derive(purpose, scope)))])


def random_text(length: int) -> str:
    """Return `length` random characters of `[A-Za-z0-9]` (5.95 bits each)."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def checksum_text(text: str, length: int = 6) -> str:
    """Return a checksum of `[A-Za-z0-9]`, so that a mistyped key is known without a look-up."""
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(digits)
