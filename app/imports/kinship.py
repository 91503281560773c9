"""Which rows of one file may be about one person: judged together, a dry run sees what a real one would."""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import groupby

from app.candidates.schemas import CandidateFields
from app.normalise.emails import parse_email
from app.normalise.keys import Identity, blocking_keys
from app.normalise.names import NameStatement, parse_name
from app.normalise.phones import parse_phone
from app.normalise.urls import parse_profile_url


def keys_of(fields: CandidateFields, region: str) -> Iterator[int]:
    """Yield what two rows must share to be compared: addresses, numbers, profiles, ids, names, as 64-bit hashes."""
    emails = (parse_email(each.value or each.raw or "") for each in fields.email_addresses)
    phones = (parse_phone(each.value or each.raw or "", region) for each in fields.phone_numbers)
    urls = (parse_profile_url(each.url) for each in fields.links)
    identity = Identity(
        name=parse_name(_name(fields)),
        emails=tuple(email.key for email in emails if email and not email.is_role),
        phones=tuple(phone.e164 for phone in phones if phone and not phone.is_dummy),
        urls=tuple(url.key for url in urls if url),
        external_ids=tuple((each.source, each.id) for each in fields.external_ids),
    )
    for key in blocking_keys(identity):
        yield int.from_bytes(blake2b(f"{key.kind}\x1f{key.value}".encode(), digest_size=8).digest())


def _name(fields: CandidateFields) -> NameStatement:
    return NameStatement(
        full_name=fields.full_name,
        family_name=fields.family_name,
        given_name=fields.given_name,
        full_name_kana=fields.full_name_kana,
        family_name_kana=fields.family_name_kana,
        given_name_kana=fields.given_name_kana,
        family_name_romaji=fields.family_name_romaji,
        given_name_romaji=fields.given_name_romaji,
    )


class Families:
    """Rows joined by shared keys (union-find; a row's root is the first row of its family)."""

    def __init__(self) -> None:
        self._parent: dict[int, int] = {}
        self._first: dict[int, int] = {}

    def add(self, row: int, keys: Iterable[int]) -> None:
        """Take a row; rows are added in rising order."""
        self._parent[row] = row
        for key in keys:
            self._join(self._first.setdefault(key, row), row)

    def chunks(self, size: int) -> list[list[int]]:
        """Return all rows in chunks of about `size`, in file order; families stay whole up to four times that."""
        ordered = sorted(self._parent, key=lambda row: (self._root(row), row))
        found: list[list[int]] = [[]]
        for _, members in groupby(ordered, key=self._root):
            for part in _cut(list(members), 4 * size):
                if len(found[-1]) + len(part) > size and found[-1]:
                    found.append([])
                found[-1] += part
        return [sorted(chunk) for chunk in found if chunk]

    def _join(self, left: int, right: int) -> None:
        low, high = sorted((self._root(left), self._root(right)))
        self._parent[high] = low

    def _root(self, row: int) -> int:
        while self._parent[row] != row:
            self._parent[row] = self._parent[self._parent[row]]
            row = self._parent[row]
        return row


def _cut(rows: Sequence[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(rows), size):
        yield list(rows[start : start + size])
