"""What a record said, in its own spelling: evidence shows people what they wrote, not what was compared."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.candidates.features import Features, Payload
from app.dedup.rules import Evidence
from app.dedup.sides import SEPARATOR

_NAMES: Final = (
    ("full_name",),
    ("family_name", "given_name"),
    ("full_name_kana",),
    ("family_name_kana", "given_name_kana"),
    ("given_name_romaji", "family_name_romaji"),
)
_EMPLOYER: Final = "current_company"
SPELLED: Final = (*(part for parts in _NAMES for part in parts), _EMPLOYER)
"""The fields of a statement in which names and the employer are spelled."""


@dataclass(frozen=True, slots=True)
class Words:
    """The name and the employer as one record wrote them, and match key → value as it came."""

    name: str | None
    employer: str | None
    values: Mapping[str, str]

    def of(self, row: Evidence, value: str | None) -> str | None:
        """Return a compared value in this record's spelling."""
        if row.feature == "name":
            return self.name or value
        if row.feature == "employer":
            return self.employer or value
        if value is None:
            return None
        return self.values.get(value, value.replace(SEPARATOR, ":"))


NOTHING = Words(None, None, {})


def words_of(payload: Payload, features: Features) -> Words:
    """Collect one record's spellings."""
    return _words(payload, ((each.key, each.raw) for each in reversed(features.contacts)))


def read_words(row: Any) -> Words:  # noqa: ANN401 (a row)
    """Read one record's spellings from a row of its `SPELLED` fields and its contacts as features keep them."""
    return _words(row, ((each["key"], each["raw"]) for each in reversed(row["contacts"])))


def _words(said: Payload, contacts: Iterable[tuple[str | None, str]]) -> Words:
    """Collect the spellings of what is said; of contacts with one key the last is shown."""
    names = (" ".join(filter(None, map(said.get, parts))) for parts in _NAMES)
    return Words(next(filter(None, names), None), said.get(_EMPLOYER), {key: raw for key, raw in contacts if key})
