"""A candidate in the hand of one transaction: what records add, before it is stored."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from app.candidates.fields import PROFILE
from app.candidates.person import Profile
from app.candidates.profile import Computed, Record, compute
from app.candidates.retention import DEFAULT_BASIS, expires_on


@dataclass(slots=True)
class Draft:
    """One candidate with all its records; `version` is 0 until the first record makes it somebody."""

    id: UUID
    version: int = 0
    fields: dict[str, Any] = field(default_factory=dict)
    warnings: list[dict[str, Any]] = field(default_factory=list)
    provenance: dict[str, str] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    added: list[Record] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    made_at: datetime | None = None
    """Set for a candidate that is not stored yet."""
    basis: str = DEFAULT_BASIS
    """On what a candidate is kept who is not stored yet."""

    def add(self, record: Record, order: Sequence[str]) -> list[str]:
        """Take one more record in; return the names of the stored fields that it changed."""
        self.records.append(record)
        self.added.append(record)
        return self.take(compute(self.records, order))

    def take(self, computed: Computed) -> list[str]:
        """Replace the profile; the version rises when something of the representation is different."""
        changed = [name for name in PROFILE if _stated(self.fields.get(name)) != _stated(computed.fields[name])]
        if self.warnings != computed.warnings:
            changed.append("warnings")
        self.changed.update(changed)
        self.fields, self.warnings = computed.fields, computed.warnings
        self.provenance = computed.provenance
        if changed or not self.version:
            self.version += 1
        return changed

    def made(self, at: datetime) -> Profile:
        """Return a candidate that is new at this moment as it is read, until more is known of it."""
        return Profile(
            id=self.id,
            version=self.version,
            status="active",
            fields=self.fields,
            warnings=self.warnings,
            provenance=self.provenance,
            bounced=frozenset(),
            merged_ids=[],
            last_interaction_at=None,
            live_selection_at=None,
            rejected_at=None,
            retention_expires_on=expires_on(at.date(), self.basis),
            retention_basis=self.basis,
            created_at=at,
            updated_at=at,
        )

    @property
    def removed_external_ids(self) -> list[tuple[str, str]]:
        """External ids that a record once stated and that the profile does not show any more."""
        shown = {(each["source"], each["id"]) for each in self.fields["external_ids"]}
        return sorted({each for record in self.records for each in record.features.external_ids} - shown)


def _stated(value: Any) -> Any:  # noqa: ANN401 (any JSON value)
    return None if value in ([], {}, "") else value
