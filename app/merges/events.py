from collections.abc import Iterable, Mapping
from uuid import UUID

from app.kit.outbox import Event

RESOURCE = "candidate"


def merged(candidate_id: UUID, version: int, fields: Iterable[str], data: Mapping[str, UUID]) -> Event:
    return Event("candidate.merged", RESOURCE, candidate_id, version, sorted({*fields, "merged_ids"}), data)


def unmerged(candidate_id: UUID, version: int, fields: Iterable[str], data: Mapping[str, UUID]) -> Event:
    return Event("candidate.unmerged", RESOURCE, candidate_id, version, sorted({*fields, "merged_ids"}), data)
