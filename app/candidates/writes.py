"""What a set of drafts means for the tables: rows, collected."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from app.candidates.draft import Draft
from app.candidates.features import dump_features
from app.candidates.keys import identifier_hash
from app.candidates.profile import DECISIVE, Record
from app.candidates.retention import expires_on
from app.candidates.terms import terms_of
from app.kit import json
from app.kit.ids import new_id


@dataclass(slots=True)
class Writes:
    """The rows to be written for people of one tenant."""

    tenant_id: UUID
    candidates: list[dict[str, Any]] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)
    identifiers: list[dict[str, Any]] = field(default_factory=list)
    external_ids: list[dict[str, Any]] = field(default_factory=list)
    freed: list[dict[str, Any]] = field(default_factory=list)
    terms: list[tuple[UUID, str]] = field(default_factory=list)
    superseded: set[tuple[str, str]] = field(default_factory=set)

    def add(self, draft: Draft) -> None:
        """Collect the rows of one draft."""
        self.candidates.append(
            {
                "id": draft.id,
                "created_at": draft.made_at,
                "version": draft.version,
                "changed": sorted(draft.changed),
                **draft.fields,
                "provenance": draft.provenance,
                "warnings": draft.warnings,
                "retention_basis": draft.basis,
                "retention_expires_on": expires_on(draft.made_at.date(), draft.basis) if draft.made_at else None,
            }
        )
        newest = {record.chain: record.id for record in draft.added}
        removed = draft.removed_external_ids
        for record in draft.added:
            self._add_record(draft.id, record, removed, is_current=newest[record.chain] == record.id)
        self.freed += [{"source": of, "external_id": each, "candidate_id": draft.id} for of, each in removed]
        names = {record.features.name for record in draft.records} - {None}
        self.terms += [(draft.id, term) for term in terms_of(draft.fields, filter(None, names))]

    def _add_record(
        self, candidate_id: UUID, record: Record, removed: Collection[tuple[str, str]], *, is_current: bool
    ) -> None:
        if record.external_id and record.source and record.version > 1:
            self.superseded.add((record.source, record.external_id))
        self.records.append(
            {
                "id": record.id,
                "candidate_id": candidate_id,
                "source": record.source,
                "external_id": record.external_id,
                "record_version": record.version,
                "door": record.door,
                "payload": record.payload,
                "features": dump_features(record.features),
                "is_current": is_current or record.door in DECISIVE,
            }
        )
        points = {"candidate_id": candidate_id, "record_id": record.id}
        self.identifiers += [
            {
                "id": new_id(),
                **points,
                "kind": each.kind,
                "value": each.key,
                "raw": each.raw,
                "hash": identifier_hash(self.tenant_id, each.kind, each.key or each.raw).hex(),
                "type": each.type,
                "is_primary": each.is_primary,
            }
            for each in record.features.contacts
        ]
        self.external_ids += [
            {"source": source, "external_id": each, **points}
            for source, each in record.features.external_ids
            if (source, each) not in removed
        ]

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of the one statement that writes all this."""
        lists = ("candidates", "records", "identifiers", "freed")
        owned = {(row["source"], row["external_id"]): row for row in self.external_ids}
        return {
            **{name: json.dumps(getattr(self, name)) for name in lists},
            "external_ids": json.dumps([owned[each] for each in sorted(owned)]),
            "term_candidates": [candidate for candidate, _ in self.terms],
            "terms": [term for _, term in self.terms],
            "refiled": [row["id"] for row in self.candidates if row["created_at"] is None],
        }
