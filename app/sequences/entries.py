"""Who comes in by themselves, and who waits for or leaves by a condition: all by reading the feed of changes.

An entry asks for a state (to be in a pool, to have a tag). Who is in it is marked; who comes into it is let in, once,
and again only after having left it. So nothing depends on which change was seen when, or on how many there were.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from app.kit import outbox
from app.kit.clock import now
from app.kit.db import Session
from app.kit.outbox import Wake
from app.sequences import enrollments, exits, marks, models, roster
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
    left_by_condition = {sequence.id for sequence, definition in found if definition.exit_if is not None}
    if not live and not left_by_condition and not await EnrollmentRepository(session).is_any_conditional():
        await marks.end(session)
        return False
    people = await marks.changed(session, BATCH)
    await enrollments.look_again(session, people)
    await _ask_to_leave(session, left_by_condition, people)
    for sequence, definition in live:
        for entry in definition.entry:
            await _enter(session, sequence, entry, people)
    return True


async def watch(session: Session) -> dict[UUID, datetime]:
    """Read the feed once; answer when to read on."""
    return {KEY: now() + PAUSE} if await read_feed(session) else {}


async def _ask_to_leave(session: Session, sequences: Collection[UUID], people: Sequence[UUID]) -> None:
    """Have those of these people asked again who are on their way in one of these sequences."""
    ways = await EnrollmentRepository(session).active_now(people) if sequences and people else []
    await outbox.schedule(session, *(Wake(exits.DUE, way.candidate_id) for way in ways if way.sequence_id in sequences))


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
