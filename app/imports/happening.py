"""What a row says that happened, and the event at which it did."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """The event that a list of people is of; `day` is that of its beginning where the tenant is."""

    id: str
    title: str | None = None
    starts_at: datetime | None = None
    day: date | None = None
    url: str | None = None
    topics: tuple[str, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """Return `data.event` of a touchpoint."""
        begun = self.starts_at and self.starts_at.isoformat()
        named = {"id": self.id, "title": self.title, "starts_at": begun, "url": self.url}
        return {name: value for name, value in named.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened on a day; `at` is the moment where it is known, `key` what it is once a person of."""

    type: str
    on: date
    data: Mapping[str, Any] = field(default_factory=dict)
    at: datetime | None = None
    key: str | None = None
    topics: tuple[str, ...] = ()
