"""What others count of a timeline."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.touchpoints.trust import Actor


@dataclass(frozen=True, slots=True)
class TouchpointSignal:
    """What a score needs of one touchpoint."""

    id: str
    type: str
    occurred_at: datetime
    source: str
    external_id: str | None
    topics: tuple[str, ...]
    actor: Actor
    message_id: str | None
    url: str | None
    event_id: str | None


def signals(rows: Iterable[Any], actors: Mapping[UUID, Actor]) -> dict[UUID, list[TouchpointSignal]]:
    """Group rows by candidate; `actors` are verdicts newer than the rows."""
    found: dict[UUID, list[TouchpointSignal]] = {}
    for row in rows:
        signal = TouchpointSignal(
            id=str(row.id),
            type=row.type,
            occurred_at=row.occurred_at,
            source=row.source,
            external_id=row.external_id,
            topics=tuple(row.topics),
            actor=actors.get(row.id, row.actor),
            message_id=row.message_id,
            url=row.url,
            event_id=row.event_id,
        )
        found.setdefault(row.candidate_id, []).append(signal)
    return found
