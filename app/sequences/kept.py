"""What never changes and is asked for all the time: the last so many of them are kept."""

from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """At most `most` values by their names; the one that was asked for least lately goes first."""

    def __init__(self, most: int) -> None:
        self._most, self._values = most, OrderedDict[tuple[object, ...], T]()

    def get(self, *names: object) -> T | None:
        """Return a value; None when it is not here."""
        found = self._values.get(names)
        if found is not None:
            self._values.move_to_end(names)
        return found

    def put(self, value: T, *names: object) -> None:
        """Keep a value."""
        self._values[names] = value
        if len(self._values) > self._most:
            self._values.popitem(last=False)
