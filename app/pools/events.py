from uuid import UUID

from app.kit.outbox import Event


def member_added(pool_id: UUID, candidate_id: UUID, version: int | None) -> Event:
    return Event("pool.member_added", "candidate", candidate_id, version, data={"pool_id": str(pool_id)})


def member_removed(pool_id: UUID, candidate_id: UUID, version: int | None) -> Event:
    return Event("pool.member_removed", "candidate", candidate_id, version, data={"pool_id": str(pool_id)})
