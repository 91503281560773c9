from uuid import UUID

from app.kit.outbox import Event


def erased(candidate_id: UUID, version: int, erasure_id: UUID) -> Event:
    return Event("candidate.erased", "candidate", candidate_id, version, data={"erasure_id": erasure_id})
