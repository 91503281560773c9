from uuid import UUID

from app.kit.outbox import Event


def consent_changed(candidate_id: UUID, version: int | None, purpose: str, channel: str, status: str) -> Event:
    data = {"purpose": purpose, "channel": channel, "status": status}
    return Event("consent.changed", "candidate", candidate_id, version, data=data)


def suppression_changed(suppression_id: UUID, channel: str, reason: str, *, is_active: bool) -> Event:
    data = {"channel": channel, "reason": reason, "active": is_active}
    return Event("suppression.changed", "suppression", suppression_id, data=data)
