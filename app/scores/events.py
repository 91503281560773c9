from uuid import UUID

from app.kit.outbox import Event


def tier_changed(candidate_id: UUID, version: int | None, model: str, before: str, after: str) -> Event:
    data = {"model": model, "from": before, "to": after}
    return Event("score.tier_changed", "candidate", candidate_id, version, data=data)
