"""What comes in, and what becomes of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from uuid import UUID

from app.candidates.draft import Draft
from app.candidates.schemas import CandidateFields, CandidatePatch
from app.kit.errors import FieldError

OnMatch = Literal["policy", "link", "review", "create"]
Outcome = Literal["created", "linked", "review", "updated", "unchanged", "conflict", "invalid", "blocked_erased"]
STATUS: Final[dict[Outcome, int]] = {
    "created": 201,
    "review": 201,
    "linked": 200,
    "updated": 200,
    "unchanged": 200,
    "conflict": 409,
    "blocked_erased": 409,
    "invalid": 422,
}


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody says about one person.

    `target` is whom a correction is about, whatever it matches; `basis` is on what a new person is kept; `expect` is
    called with the version that is about to change, and may refuse it.
    """

    fields: CandidateFields | CandidatePatch
    on_match: OnMatch = "policy"
    client_ref: str | None = None
    basis: str | None = None
    target: UUID | None = None
    expect: Callable[[int], None] | None = None


@dataclass(frozen=True, slots=True)
class MatchedPair:
    """A pair that a statement opened, or found open; it has its id once it is stored."""

    candidate_id: UUID
    probability: float
    decision: str
    pair_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Admission:
    """What became of one statement; `candidate_ids` are those between which a conflict is.

    `made` is a new candidate of whom nothing else is on file.
    """

    outcome: Outcome
    candidate_id: UUID | None = None
    record_id: UUID | None = None
    version: int | None = None
    pairs: list[MatchedPair] = field(default_factory=list)
    errors: list[FieldError] = field(default_factory=list)
    warnings: list[dict[str, Any]] = field(default_factory=list)
    candidate_ids: list[UUID] = field(default_factory=list)
    made: Draft | None = None

    @property
    def status(self) -> int:
        return STATUS[self.outcome]
