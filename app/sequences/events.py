from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

from app.kit.outbox import Event


class EnrollmentSays(Protocol):
    """What the feed tells of an enrollment."""

    @property
    def id(self) -> UUID: ...
    @property
    def version(self) -> int: ...
    @property
    def candidate_id(self) -> UUID: ...
    @property
    def sequence_id(self) -> UUID: ...
    @property
    def state(self) -> str: ...


class MessageSays(Protocol):
    """What the feed tells of a message."""

    @property
    def id(self) -> UUID: ...
    @property
    def version(self) -> int: ...
    @property
    def candidate_id(self) -> UUID: ...
    @property
    def sequence_id(self) -> UUID: ...


def enrollment_changed(enrollment: EnrollmentSays) -> Event:
    data = {
        "candidate_id": enrollment.candidate_id,
        "sequence_id": enrollment.sequence_id,
        "state": enrollment.state,
    }
    return Event("enrollment.changed", "enrollment", enrollment.id, enrollment.version, data=data)


def notified(enrollment: EnrollmentSays, step: str, event: str, said: Mapping[str, Any]) -> Event:
    """A notify step says `event` to whoever reads the feed or listens to webhooks."""
    data = {
        "candidate_id": enrollment.candidate_id,
        "sequence_id": enrollment.sequence_id,
        "step": step,
        "event": event,
        "data": dict(said),
    }
    return Event("enrollment.notified", "enrollment", enrollment.id, enrollment.version, data=data)


def message_sent(message: MessageSays) -> Event:
    data = {"candidate_id": message.candidate_id, "sequence_id": message.sequence_id}
    return Event("message.sent", "message", message.id, message.version, data=data)
