"""In which orders candidates can be listed, and how a place in such an order is written into a cursor."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from app.kit import crypto
from app.kit.errors import CursorInvalid, SortNotAllowed

COLUMNS: Final[dict[str, type[Any]]] = {
    "created_at": datetime,
    "updated_at": datetime,
    "full_name": str,
    "family_name_kana": str,
    "birth_date": date,
    "last_interaction_at": datetime,
    "years_of_experience": float,
}
PERSONAL: Final = frozenset({"full_name", "family_name_kana", "birth_date"})
"""Cursors are in addresses, and addresses in logs: these values are sealed."""
DEFAULT: Final = "-created_at"


@dataclass(frozen=True, slots=True)
class Place:
    """One candidate's place in an order; a value of None is after every other."""

    value: Any
    id: UUID


@dataclass(frozen=True, slots=True)
class Sort:
    """An order of candidates: by a column, then by id; those without a value come last both ways."""

    column: str
    descending: bool

    @property
    def id_descending(self) -> bool:
        """The id follows the index of the column: with the value, but for `created_at`, where it runs against it."""
        return self.descending != (self.column == "created_at")

    def filled(self, after: Place | None) -> tuple[str, str]:
        """Say in SQL who of the candidates `c` has a value, and is after (`:value`, `:id`), and in which order."""
        order = f"{self._value} {_way(self.descending)}, c.id {_way(self.id_descending)}"
        sign = "<" if self.descending else ">"
        if after is None:
            return f"{self._value} is not null", order
        if self.id_descending == self.descending:
            return f"({self._value}, c.id) {sign} (:value, :id)", order
        beyond = f"{self._value} {sign} :value or c.id {'<' if self.id_descending else '>'} :id"
        return f"{self._value} {sign}= :value and ({beyond})", order

    def empty(self, after: Place | None) -> tuple[str, str]:
        """Say the same of who has no value, and is after `:id`."""
        beyond = f"and c.id {'<' if self.id_descending else '>'} :id" if after else ""
        return f"{self._value} is null {beyond}", f"c.id {_way(self.id_descending)}"

    @property
    def _value(self) -> str:
        return f"c.{self.column}"

    def write(self, place: Place, scope: str) -> list[Any]:
        """Return the keys of a cursor; `scope` is the tenant's id."""
        value = place.value.isoformat() if isinstance(place.value, date) else place.value
        if value is not None and self.column in PERSONAL:
            value = crypto.seal("cursor", scope, value.encode()).decode()
        return [value, str(place.id)]

    def read(self, keys: Sequence[Any], scope: str) -> Place:
        """Return the place that a cursor names; raises CursorInvalid."""
        value, candidate_id = keys
        try:
            if value is not None and self.column in PERSONAL:
                value = crypto.unseal("cursor", scope, value.encode()).decode()
            kind = COLUMNS[self.column]
            typed = kind.fromisoformat(value) if value is not None and issubclass(kind, date) else value
        except ValueError as error:
            raise CursorInvalid from error
        return Place(typed, UUID(candidate_id))


def _way(descending: bool) -> str:
    return "desc" if descending else "asc"


def parse_sort(text: str) -> Sort:
    """Read `updated_at` or `-updated_at`; raises SortNotAllowed."""
    column = text.removeprefix("-")
    if column not in COLUMNS:
        raise SortNotAllowed
    return Sort(column, text.startswith("-"))
