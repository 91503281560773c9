from uuid import UUID

from app.kit.outbox import Event


def opened(pair_id: UUID) -> Event:
    return Event("pair.opened", "pair", pair_id)
