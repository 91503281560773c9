from collections.abc import Iterable
from uuid import UUID

from app.kit.outbox import Event

RESOURCE = "candidate"


def created(candidate_id: UUID, version: int, fields: Iterable[str]) -> Event:
    return Event("candidate.created", RESOURCE, candidate_id, version, sorted(fields))


def updated(candidate_id: UUID, version: int, fields: Iterable[str]) -> Event:
    return Event("candidate.updated", RESOURCE, candidate_id, version, sorted(fields))


def deleted(candidate_id: UUID, version: int) -> Event:
    return Event("candidate.deleted", RESOURCE, candidate_id, version, ["status"])


def restored(candidate_id: UUID, version: int) -> Event:
    return Event("candidate.restored", RESOURCE, candidate_id, version, ["status"])
