"""Where an enrollment stands, read together with a message of it: light, because they come by the hundred."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(slots=True)
class Standing:
    """The columns of an enrollment that going on reads and writes, under their names."""

    id: UUID
    sequence_id: UUID
    sequence_revision: int
    candidate_id: UUID
    occurrence: int
    version: int
    state: str
    step: str | None
    next_at: datetime | None
    limit_at: datetime | None
    exit: dict[str, Any] | None = None
    finished_at: datetime | None = None

    @classmethod
    def of(cls, row: Any) -> "Standing":  # noqa: ANN401 (a row)
        """Return where the enrollment of a held message stands."""
        return cls(
            row.enrollment_id,
            row.sequence_id,
            row.pinned_revision,
            row.candidate_id,
            row.stood_occurrence,
            row.stood_version,
            row.stood_state,
            row.stood_step,
            row.stood_next_at,
            row.stood_limit_at,
        )

    def touch(self) -> None:
        """Raise `version`; to be called once by whoever changes the row."""
        self.version += 1

    @property
    def row(self) -> dict[str, Any]:
        """What is written of it, by column."""
        return {
            "id": self.id,
            "version": self.version,
            "state": self.state,
            "step": self.step,
            "next_at": self.next_at,
            "limit_at": self.limit_at,
            "exit": self.exit,
            "finished_at": self.finished_at,
        }
