"""Pairs follow people: what becomes of the pairs of somebody who is part of another candidate from now on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

Row = dict[str, Any]
"""A pair as it is stored."""
_RANK = {"different": 0, "same": 1, "open": 2}
_DECIDED = ("status", "decided_by", "decided_at", "note")


@dataclass(slots=True)
class Collapse:
    """The pairs of everybody concerned, in hand; `gone` and `changed` are what is to be written."""

    rows: dict[UUID, Row]
    gone: set[UUID] = field(default_factory=set)
    changed: dict[UUID, Row] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "Collapse":
        return cls({row["id"]: row for row in rows})

    def merge(self, survivor_id: UUID, loser_id: UUID, decided: Mapping[str, Any]) -> list[Row]:
        """Let the survivor have the loser's pairs; return as they were all pairs that this changes.

        The pair between the two takes `decided`. Of two pairs with the same third person the one that says more stays:
        a decision before a question, then the likelier one.
        """
        before: list[Row] = []
        for row in [each for each in self.rows.values() if loser_id in _sides(each)]:
            other = next(each for each in _sides(row) if each != loser_id)
            if other == survivor_id:
                before.append(row)
                self._write({**row, **decided})
            elif row["status"] != "same":
                before += self._follow(row, survivor_id, other)
        return before

    def _follow(self, row: Row, survivor_id: UUID, other: UUID) -> list[Row]:
        left, right = min(survivor_id, other), max(survivor_id, other)
        twin = next((each for each in self.rows.values() if _sides(each) == (left, right)), None)
        moved = {**row, "left_id": left, "right_id": right}
        if twin is None:
            self._write(moved)
            return [row]
        if _order(twin) <= _order(row):
            self._drop(row)
        else:
            self._drop(twin)
            self._write(moved)
        return [row, twin]

    def _write(self, row: Row) -> None:
        self.rows[row["id"]] = self.changed[row["id"]] = row

    def _drop(self, row: Row) -> None:
        self.gone.add(row["id"])
        self.rows.pop(row["id"])
        self.changed.pop(row["id"], None)


def _sides(row: Row) -> tuple[UUID, UUID]:
    return row["left_id"], row["right_id"]


def _order(row: Row) -> tuple[int, float]:
    return _RANK[row["status"]], -row["probability"]


def reopened(before: Iterable[Row], now: Mapping[UUID, Row], between: tuple[UUID, UUID]) -> list[Row]:
    """Return pairs as they were before a merge of `between`, with what a person has decided of them since.

    What was said of a pair with a third person while the two were one was said of both.
    """
    rows = list(before)
    said = {
        _third(row, between): {name: now[row["id"]][name] for name in _DECIDED}
        for row in rows
        if row["id"] in now and now[row["id"]]["status"] == "different" and _third(row, between)
    }
    return [row | said.get(_third(row, between), {}) if row["status"] == "open" else row for row in rows]


def _third(row: Row, between: tuple[UUID, UUID]) -> UUID | None:
    return next((each for each in _sides(row) if each not in between), None)
