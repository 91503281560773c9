"""What matching has decided, as the rows that say so."""

from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from app.dedup.pool import Keyed
from app.dedup.rules import Judgement
from app.kit.ids import new_id


@dataclass(frozen=True, slots=True)
class Filed:
    """A new record of a candidate with its keys."""

    record_id: UUID
    candidate_id: UUID
    statement: Keyed

    def rows(self) -> list[dict[str, Any]]:
        return [
            {"hash": hashed.hex(), "record_id": self.record_id, "candidate_id": self.candidate_id, "kind": known.kind}
            for known, hashed in self.statement.keys
        ]


@dataclass(frozen=True, slots=True)
class Linked:
    """A link by rule between a new record and the record of somebody that it matched."""

    record_id: UUID
    to_record_id: UUID
    judgement: Judgement

    def row(self) -> dict[str, Any]:
        a, b = sorted((self.record_id, self.to_record_id))
        return {"id": new_id(), "a": a, "b": b, "verdict": "same", "by": "rule", **_explained(self.judgement)}


@dataclass(frozen=True, slots=True)
class Opened:
    """A pair to be opened between two candidates, and why."""

    left_id: UUID
    right_id: UUID
    judgement: Judgement

    @property
    def sides(self) -> tuple[UUID, UUID]:
        return min(self.left_id, self.right_id), max(self.left_id, self.right_id)

    def row(self) -> dict[str, Any]:
        left, right = self.sides
        return {
            "id": new_id(),
            "left_id": left,
            "right_id": right,
            "reason": self.judgement.reason,
            "probability": self.judgement.probability,
            **_explained(self.judgement),
        }


def _explained(judgement: Judgement) -> dict[str, Any]:
    return {"weight": judgement.weight, "evidence": [asdict(row) for row in judgement.evidence]}
