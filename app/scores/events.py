from uuid import UUID

from app.kit.outbox import Event


def tier_changed(candidate_id: UUID, model: str, before: str, after: str) -> Event:
    return Event("score.tier_changed", "candidate", candidate_id, data={"model": model, "from": before, "to": after})
