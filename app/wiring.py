"""Where knowledge travels up: which due work follows from which event."""

from collections.abc import Mapping, Sequence
from typing import Final

from app.kit import outbox
from app.kit.outbox import Reaction

REACTIONS: Final[Mapping[str, Sequence[Reaction]]] = {}


def wire() -> None:
    """Join the slices; called once by each process before its first transaction."""
    outbox.react(REACTIONS)
