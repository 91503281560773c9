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

    rows: dict[UUID, Row] = field(default_factory=dict)
    gone: set[UUID] = field(default_factory=set)
    changed: dict[UUID, Row] = field(default_factory=dict)
    _partners: dict[UUID, dict[UUID, UUID]] = field(default_factory=dict)
    """Candidate → with whom they are in a pair → its id."""

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "Collapse":
        collapse = cls()
        for row in rows:
            collapse._put(row)
        return collapse

    def merge(self, survivor_id: UUID, loser_id: UUID, decided: Mapping[str, Any]) -> list[Row]:
        """Let the survivor have the loser's pairs; return as they were all pairs that this changes.

        The pair between the two takes `decided`. Of two pairs with the same third person the one that says more stays:
        a decision before a question, then the likelier one.
        """
        before: list[Row] = []
        for other, pair_id in sorted(self._partners.get(loser_id, {}).items(), key=lambda each: each[1]):
            row = self.rows[pair_id]
            if other == survivor_id:
                before.append(row)
                self._write({**row, **decided})
            elif row["status"] != "same":
                before += self._follow(row, survivor_id, other)
        return before

    def _follow(self, row: Row, survivor_id: UUID, other: UUID) -> list[Row]:
        moved = {**row, "left_id": min(survivor_id, other), "right_id": max(survivor_id, other)}
        twin_id = self._partners.get(survivor_id, {}).get(other)
        if twin_id is None:
            self._write(moved)
            return [row]
        twin = self.rows[twin_id]
        if _order(twin) <= _order(row):
            self._drop(row)
        else:
            self._drop(twin)
            self._write(moved)
        return [row, twin]

    def _write(self, row: Row) -> None:
        self._take(row["id"])
        self._put(row)
        self.changed[row["id"]] = row

    def _drop(self, row: Row) -> None:
        self._take(row["id"])
        self.gone.add(row["id"])
        self.changed.pop(row["id"], None)

    def _put(self, row: Row) -> None:
        self.rows[row["id"]] = row
        for own, other in (_sides(row), _sides(row)[::-1]):
            self._partners.setdefault(own, {})[other] = row["id"]

    def _take(self, pair_id: UUID) -> None:
        row = self.rows.pop(pair_id)
        for own, other in (_sides(row), _sides(row)[::-1]):
            del self._partners[own][other]


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
