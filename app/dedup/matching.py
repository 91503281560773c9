"""What matching has decided, as the rows that say so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from uuid import UUID

from app.candidates.features import Payload
from app.dedup.pool import Keyed
from app.dedup.rules import Judgement
from app.dedup.sides import dump_side
from app.dedup.words import NOTHING, Words, words_of
from app.kit.ids import new_id

Spelled = Mapping[UUID, Words]
"""Record → its own spellings."""


@dataclass(frozen=True, slots=True)
class Filed:
    """A new record of a candidate with its keys."""

    record_id: UUID
    candidate_id: UUID
    statement: Keyed
    payload: Payload

    @property
    def words(self) -> Words:
        return words_of(self.payload, self.statement.features)

    def key_rows(self) -> list[tuple[str, UUID, UUID, str]]:
        return [(hashed.hex(), self.record_id, self.candidate_id, key.kind) for key, hashed in self.statement.keys]

    def feature_row(self, generic: set[str]) -> dict[str, Any]:
        """Return the row of `match_features`; `generic` are match keys that too many people share."""
        row = dump_side(replace(self.statement.side, record_id=self.record_id))
        shown = self.statement.side.identifiers
        return {**row, "candidate_id": self.candidate_id, "generic": sorted(shown & generic)}


@dataclass(frozen=True, slots=True)
class Linked:
    """A link between a new record and the record of somebody that it matched."""

    record_id: UUID
    judgement: Judgement

    @property
    def by(self) -> Literal["rule", "model"]:
        """Who links: a possible match is linked on demand only, which is a rule."""
        return self.judgement.by if self.judgement.decision == "same" else "rule"

    @property
    def to_record_id(self) -> UUID:
        """The record that was matched; only records that are stored are ever linked to."""
        [record_id] = [each for each in self.judgement.records[1:] if each]
        return record_id

    def row(self, spelled: Spelled, version: str) -> dict[str, Any]:
        a, b = sorted((self.record_id, self.to_record_id))
        said = {
            "weight": self.judgement.weight,
            "evidence": evidence(self.judgement, self.record_id, spelled, is_turned=a != self.record_id),
        }
        return {"id": new_id(), "a": a, "b": b, "verdict": "same", "by": self.by, "model_version": version, **said}


@dataclass(frozen=True, slots=True)
class Opened:
    """A pair to be opened between two candidates, and why; `record_id` is the record of `left_id` that was judged."""

    left_id: UUID
    right_id: UUID
    judgement: Judgement
    record_id: UUID | None

    @property
    def sides(self) -> tuple[UUID, UUID]:
        return min(self.left_id, self.right_id), max(self.left_id, self.right_id)

    @property
    def records(self) -> Sequence[UUID]:
        """The two records that the evidence is about."""
        return [each for each in (self.record_id, self.judgement.records[1]) if each]

    def row(self, spelled: Spelled) -> dict[str, Any]:
        left, right = self.sides
        return {
            "id": new_id(),
            "left_id": left,
            "right_id": right,
            "reason": self.judgement.reason,
            "probability": self.judgement.probability,
            "weight": self.judgement.weight,
            "evidence": evidence(self.judgement, self.record_id, spelled, is_turned=left != self.left_id),
        }


def evidence(
    judgement: Judgement, record_id: UUID | None, spelled: Spelled, *, is_turned: bool = False
) -> list[dict[str, Any]]:
    """Return the evidence as it is kept and answered, in the words of the two records."""
    own, other = (spelled.get(each, NOTHING) if each else NOTHING for each in (record_id, judgement.records[1]))
    left, right = ("right", "left") if is_turned else ("left", "right")
    return [
        {
            "feature": row.feature,
            "verdict": row.verdict,
            "weight": row.weight,
            left: own.of(row, row.left),
            right: other.of(row, row.right),
        }
        for row in judgement.evidence
    ]
