"""People who come in by themselves, and waits that end by a condition: both by reading the feed of changes.

An entry asks for a state (to be in a pool, to have a tag). Who is in it is marked; who comes into it is let in, once,
and again only after having left it. So nothing depends on which change was seen when, or on how many there were.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from app.kit.clock import now
from app.kit.db import Session
from app.sequences import enrollments, marks, models, roster
from app.sequences.definition import Entry
from app.sequences.repository import EnrollmentRepository, EntryRepository, PersonRepository

DUE: Final = enrollments.WATCH
KEY: Final = enrollments.FEED
PAUSE: Final = timedelta(seconds=0.5)
BATCH: Final = 1000
MOST: Final = 500

Imported = Callable[[Session, UUID, UUID, str, int], Awaitable[Sequence[UUID]]]
"""Returns people of a committed import (import, sequence, entry, how many) whom that entry has not marked yet."""
_imported: list[Imported] = []


def use_imports(imported: Imported) -> None:
    """Let entries by import be answered by `imported`; imports stand above this slice, so it is handed down."""
    _imported[:] = [imported]


async def read_feed(session: Session) -> bool:
    """Take the next changes of the feed; False when nobody needs that any more."""
    found = await EntryRepository(session).live()
    live = [(sequence, definition) for sequence, definition in found if definition.entry]
    if not live and not await EnrollmentRepository(session).is_any_conditional():
        await marks.end(session)
        return False
    people = await marks.changed(session, BATCH)
    await enrollments.look_again(session, people)
    for sequence, definition in live:
        for entry in definition.entry:
            await _enter(session, sequence, entry, people)
    return True


async def watch(session: Session) -> dict[UUID, datetime]:
    """Read the feed once; answer when to read on."""
    return {KEY: now() + PAUSE} if await read_feed(session) else {}


async def _enter(session: Session, sequence: models.Sequence, entry: Entry, people: Sequence[UUID]) -> None:
    if entry.import_id is not None:
        new = [
            each
            for imported in _imported
            for each in await imported(session, entry.import_id, sequence.id, entry.word, MOST)
        ]
    elif people:
        met = await PersonRepository(session).meeting(people, marks.tree(entry))
        await marks.unmark(session, sequence.id, entry.word, set(people) - met)
        new = sorted(met - await marks.marked(session, sequence.id, entry.word, met))
    else:
        return
    await marks.mark(session, sequence.id, entry.word, new)
    for start in range(0, len(new), MOST):
        await roster.admit(session, sequence, new[start : start + MOST], by=f"entry:{entry.on}")
