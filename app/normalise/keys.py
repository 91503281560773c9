"""Blocking keys: what two records must share to be compared at all."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from itertools import product
from typing import Literal, NamedTuple

from app.normalise.name_lists import family_readings
from app.normalise.names import NameFeatures, NamePart

KeyKind = Literal[
    "email", "phone", "url", "external_id", "sorted_name", "kanji_name", "unsplit_name",
    "family_employer", "given_employer", "birth_family", "birth_given",
]  # fmt: skip

_SEPARATOR = "\x1f"
_HASH_BYTES = 8
_FEWEST_SECRET_BYTES = 16
_MOST_SECRET_BYTES = 64


class BlockingKey(NamedTuple):
    kind: KeyKind
    value: str


@dataclass(frozen=True, slots=True)
class Identity:
    """What identifies one record, normalised; generic values, dummies and role mailboxes are left out by the caller.

    `emails`, `urls` and `employers` are match keys, `phones` E.164, `external_ids` (source, id) as written.
    """

    name: NameFeatures | None = None
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    external_ids: tuple[tuple[str, str], ...] = ()
    employers: tuple[str, ...] = ()
    birth_date: date | None = None


def blocking_keys(identity: Identity) -> frozenset[BlockingKey]:
    """List the keys under which a record is filed and looked up."""
    return frozenset((*_identifier_keys(identity), *_name_keys(identity.name), *_context_keys(identity)))


def _identifier_keys(identity: Identity) -> Iterator[BlockingKey]:
    for value in identity.emails:
        yield BlockingKey("email", value)
    for value in identity.phones:
        yield BlockingKey("phone", value)
    for value in identity.urls:
        yield BlockingKey("url", value)
    for source_and_id in identity.external_ids:
        yield BlockingKey("external_id", _SEPARATOR.join(source_and_id))


def _name_keys(name: NameFeatures | None) -> Iterator[BlockingKey]:
    if name is None:
        return
    for pair in name.sorted_pairs:
        yield BlockingKey("sorted_name", _SEPARATOR.join(pair))
    if name.whole.kanji:
        yield BlockingKey("kanji_name", name.whole.kanji)
    if name.family.kanji and name.given.kanji and name.split_score is None:
        yield BlockingKey("kanji_name", name.given.kanji + name.family.kanji)
    for key in name.whole_keys:
        yield BlockingKey("unsplit_name", key)


def _context_keys(identity: Identity) -> Iterator[BlockingKey]:
    if identity.name is None:
        return
    family, given = identity.name.family, identity.name.given
    born = (identity.birth_date.isoformat(),) if identity.birth_date else ()
    pairs: tuple[tuple[KeyKind, tuple[str, ...], tuple[str, ...]], ...] = (
        ("family_employer", family.spellings, identity.employers),
        ("given_employer", given.spellings, identity.employers),
        ("birth_family", family.spellings + _guessed(family), born),
        ("birth_given", given.spellings, born),
    )
    for kind, spellings, values in pairs:
        for spelling, value in product(spellings, values):
            yield BlockingKey(kind, spelling + _SEPARATOR + value)


def _guessed(family: NamePart) -> tuple[str, ...]:
    """Guess how a family name in kanji alone is read: to be found by, never as evidence.

    With an employer it would find whom nothing but that employer speaks for.
    """
    return family_readings(family.kanji) if family.kanji and not family.keys else ()


def key_hash(secret: bytes, kind: str, value: str) -> bytes:
    """Hash a key to the eight bytes of a tenant's table: BLAKE2b keyed with the tenant's secret (RFC 7693).

    Raises ValueError unless the secret has 16 to 64 bytes.
    """
    if not _FEWEST_SECRET_BYTES <= len(secret) <= _MOST_SECRET_BYTES:
        raise ValueError("a secret has 16 to 64 bytes")
    message = f"{kind}{_SEPARATOR}{value}".encode("utf-8", "surrogatepass")
    return blake2b(message, digest_size=_HASH_BYTES, key=secret).digest()
