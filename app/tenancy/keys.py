"""The form of an API key: `tp_live_<id>_<secret><checksum>`, all of `[A-Za-z0-9]`."""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from app.kit.crypto import checksum_text, random_text

ID_LENGTH: Final = 16
SECRET_LENGTH: Final = 40
CHECKSUM_LENGTH: Final = 6
_PART = "([A-Za-z0-9]{%d})"
_FORM = re.compile(f"tp_live_{_PART % ID_LENGTH}_{_PART % SECRET_LENGTH}{_PART % CHECKSUM_LENGTH}")

AREAS: Final = (
    "candidates", "dedup", "touchpoints", "connectors", "scores", "pools", "sequences", "consents", "privacy",
    "webhooks", "imports", "analytics",
)  # fmt: skip
SCOPES: Final = frozenset(f"{area}:{verb}" for area in AREAS for verb in ("read", "write", "*")) | {"admin"}


@dataclass(frozen=True, slots=True)
class KeyText:
    """A key as its holder sends it."""

    id_text: str
    text: str

    @property
    def sha256(self) -> bytes:
        """What is stored: a SHA-256, for the secret has 238 random bits and needs no slow hash."""
        return hashlib.sha256(self.text.encode()).digest()

    @property
    def prefix(self) -> str:
        """What may be shown of the key."""
        return f"tp_live_{self.id_text}"


def make() -> KeyText:
    """Return a new key."""
    id_text, secret = random_text(ID_LENGTH), random_text(SECRET_LENGTH)
    return KeyText(id_text, f"tp_live_{id_text}_{secret}{checksum_text(id_text + secret, CHECKSUM_LENGTH)}")


def parse(text: str) -> KeyText | None:
    """Return the key that `text` is, or None when its form or checksum is wrong."""
    match = _FORM.fullmatch(text)
    if match is None or checksum_text(match[1] + match[2], CHECKSUM_LENGTH) != match[3]:
        return None
    return KeyText(match[1], text)


def narrower(asked: set[str], held: frozenset[str]) -> bool:
    """Whether every asked scope is granted by `held`."""
    if "admin" in held:
        return True
    return all(scope in held or f"{scope.partition(':')[0]}:*" in held for scope in asked)
