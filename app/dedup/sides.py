"""One record as matching sees it: flat, so that Python and SQL read the same columns."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, Final, Literal
from uuid import UUID

from app.candidates.features import Features, Kind
from app.normalise.name_parts import one_sized
from app.normalise.names import NameFeatures, NamePart, dump_name, load_name

SEPARATOR: Final = "\x1f"
LISTS: Final = ("emails", "mobiles", "fixed_phones", "urls", "nobodys", "generic", "external_ids")
COUNTED: Final = ("name_kanji", "name_key", "employer")
"""Columns of which it is known how many candidates hold each value."""
PARTS: Final = tuple(f"{part}_{script}" for script in ("kanji", "kana", "latin", "key") for part in ("family", "given"))


@dataclass(frozen=True)
class Side:
    """What one record shows of each feature; lists hold match keys.

    `nobodys` are role mailboxes and dummy numbers, `generic` values that too many people share: both are also in their
    lists. `name_kanji` is the whole folded
    name; `name_key` are the romaji keys of both parts in alphabetical order, or that of the whole name.
    """

    name: NameFeatures | None = None
    emails: tuple[str, ...] = ()
    mobiles: tuple[str, ...] = ()
    fixed_phones: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    nobodys: tuple[str, ...] = ()
    generic: tuple[str, ...] = ()
    external_ids: tuple[str, ...] = ()
    birth_date: str | None = None
    employer: str | None = None
    name_kanji: str | None = None
    name_key: str | None = None
    record_id: UUID | None = None
    is_vouched: bool = False
    """Whether a person has linked this record to its candidate."""

    @cached_property
    def identifiers(self) -> frozenset[str]:
        """Match keys of all contacts that can identify somebody."""
        shown = (*self.emails, *self.mobiles, *self.fixed_phones, *self.urls)
        return frozenset(shown).difference(self.nobodys, self.generic)

    def counted(self) -> Iterator[tuple[str, str]]:
        """Yield (column, value) of what is counted over the pool."""
        for column in COUNTED:
            if value := getattr(self, column):
                yield column, value


def value_hash(secret: bytes, column: str, value: str) -> bytes:
    """Hash a counted value to the eight bytes of its frequency; SHA-256, so that PostgreSQL can count by itself."""
    return sha256(secret + f"{column}{SEPARATOR}{value}".encode("utf-8", "surrogatepass")).digest()[:8]


def side_of(features: Features, record_id: UUID | None = None) -> Side:
    """Flatten one statement's features."""

    def keys(kind: Kind, line: str | None = None) -> tuple[str, ...]:
        found = (each for each in features.contacts if each.key and each.kind == kind and line in (None, each.line))
        return tuple(dict.fromkeys(each.key for each in found if each.key))

    return Side(
        name=features.name,
        emails=keys("email"),
        mobiles=keys("phone", "mobile"),
        fixed_phones=keys("phone", "fixed"),
        urls=keys("url"),
        nobodys=tuple(dict.fromkeys(each.key for each in features.contacts if each.key and each.is_nobodys)),
        external_ids=tuple(SEPARATOR.join(each) for each in features.external_ids),
        birth_date=features.birth_date,
        employer=features.employer,
        name_kanji=features.name.whole.kanji if features.name else None,
        name_key=_name_key(features.name) if features.name else None,
        record_id=record_id,
    )


def _name_key(name: NameFeatures) -> str | None:
    if name.family.keys and name.given.keys:
        return SEPARATOR.join(sorted((name.family.keys[0], name.given.keys[0])))
    return next(iter(name.whole.keys), None)


def read_side(row: Any) -> Side:  # noqa: ANN401 (a row)
    """Read one row of `match_features`."""
    name = row["name"]
    return Side(
        load_name(name) if name else None,
        tuple(row["emails"]),
        tuple(row["mobiles"]),
        tuple(row["fixed_phones"]),
        tuple(row["urls"]),
        tuple(row["nobodys"]),
        tuple(row["generic"]),
        tuple(row["external_ids"]),
        row["birth_date"],
        row["employer"],
        row["name_kanji"],
        row["name_key"],
        row["record_id"],
        row["is_vouched"],
    )


def dump_side(side: Side) -> dict[str, Any]:
    """Return the row of `match_features` without its candidate."""
    return {
        "record_id": side.record_id,
        **{column: list(getattr(side, column)) for column in LISTS},
        **{column: getattr(side, column) for column in (*COUNTED, "birth_date")},
        "name": dump_name(side.name) if side.name else None,
        **_parts(side.name),
    }


def _parts(name: NameFeatures | None) -> dict[str, Any]:
    """Spell the parts of a name in columns, for engines that compare many names at once."""
    if name is None:
        return {"is_plain": False}
    return {
        "is_plain": is_plain(name),
        "family_kanji": name.family.kanji,
        "given_kanji": name.given.kanji,
        "family_kana": one_sized(name.family.kana) if name.family.kana else None,
        "given_kana": one_sized(name.given.kana) if name.given.kana else None,
        "family_latin": name.family.latin,
        "given_latin": name.given.latin,
        "family_key": next(iter(name.family.keys), None),
        "given_key": next(iter(name.given.keys), None),
    }


def is_plain(name: NameFeatures) -> bool:
    """Whether the columns of a name's parts say all that the comparison asks of it."""
    return (
        name.family.is_known
        and name.given.is_known
        and name.split_score is None
        and not name.others
        and name.suffix is None
        and _is_plain(name.family)
        and _is_plain(name.given)
        and (name.whole.kana is None) == (name.family.kana is None) == (name.given.kana is None)
    )


def written(name: NameFeatures | None) -> Literal["kanji", "latin"] | None:
    """Return in what a name is written, if two names in it that agree always share a key of whole names; else None.

    Kana have other spellings, and Latin names middle ones. `match_met` says the same of the columns.
    """
    if name is None:
        return None
    if name.family.kanji and name.given.kanji:
        return "kanji"
    return "latin" if is_plain(name) and name.family.kana is None else None


def _is_plain(part: NamePart) -> bool:
    return len(part.keys) <= 1 and " " not in (part.latin or "")
