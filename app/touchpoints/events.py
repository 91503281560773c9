from collections.abc import Sequence
from typing import Any, Final, Protocol
from uuid import UUID

from app.kit.outbox import Event


class Told(Protocol):
    """What an event says of a touchpoint."""

    @property
    def id(self) -> UUID: ...
    @property
    def candidate_id(self) -> UUID | None: ...
    @property
    def type(self) -> str: ...


def created(touchpoint: Told) -> Event:
    return Event("touchpoint.created", "touchpoint", touchpoint.id, data=_data(touchpoint))


def updated(touchpoint: Told, changed_fields: Sequence[str]) -> Event:
    """Say that it found its person, or that its actor is judged otherwise now."""
    return Event(
        "touchpoint.updated", "touchpoint", touchpoint.id, changed_fields=changed_fields, data=_data(touchpoint)
    )


DATA: Final = "jsonb_build_object('candidate_id', candidate_id, 'type', type)"
"""What an event says, where it is taken from the row itself."""


def _data(touchpoint: Told) -> dict[str, Any]:
    return {"candidate_id": touchpoint.candidate_id, "type": touchpoint.type}
