"""Who was deleted is hidden, and forgotten when nobody has taken that back in time."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from app.kit.clock import now
from app.kit.outbox import Event, Wake

DUE: Final = "hidden"
HIDDEN_FOR: Final = timedelta(days=30)
"""How long a deletion can be taken back."""


def on_deleted(event: Event) -> Iterator[Wake]:
    """Look again when the time is over."""
    yield Wake(DUE, event.id, now() + HIDDEN_FOR)
