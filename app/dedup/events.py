from uuid import UUID

from app.kit.outbox import Event


def opened(pair_id: UUID) -> Event:
    return Event("pair.opened", "pair", pair_id)


def decided(pair_id: UUID) -> Event:
    return Event("pair.decided", "pair", pair_id, changed_fields=["status"])
