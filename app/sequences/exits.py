"""Letting people out as soon as something says that they have left, not only when the next mail is due."""

from collections.abc import Iterator, Sequence
from typing import Final
from uuid import UUID

from app.consent import service as consent
from app.consent.contact import Question
from app.kit.db import Session
from app.kit.ids import block_of
from app.kit.outbox import Event, Wake
from app.sequences import definition as words
from app.sequences import enrollments, gate, messages
from app.sequences.repository import EnrollmentRepository

DUE: Final = "exit"
_TYPES: Final = frozenset(type_ for types in words.TYPES_OF.values() for type_ in types)


def on_touchpoint(event: Event) -> Iterator[Wake]:
    """A touchpoint may say that its person has left, or what became of a mail of ours."""
    if event.data["type"] in _TYPES and event.data["candidate_id"] is not None:
        yield Wake(DUE, event.data["candidate_id"])
    if event.data["type"] in messages.SIGNS:
        yield Wake(messages.DUE, block_of(event.id))


def on_consent(event: Event) -> Iterator[Wake]:
    """A withdrawal is an exit."""
    if event.data["status"] == "withdrawn":
        yield Wake(DUE, event.id)


async def let_out(session: Session, candidates: Sequence[UUID]) -> None:
    """End the enrollments of these candidates that an exit word applies to."""
    rows = await EnrollmentRepository(session).active_of(candidates)
    found = await enrollments.lives(session, rows)
    definitions = [enrollments.live_of(each, found).definition for each in rows]
    questions = [
        Question(row.candidate_id, definition.channel, definition.purpose)
        for row, definition in zip(rows, definitions, strict=True)
    ]
    decisions = await consent.decide(session, questions, keep=False) if questions else []
    left = await gate.left_by(session, rows, definitions, decisions)
    for place, why in left.items():
        await enrollments.leave(session, rows[place], why.word, why.touchpoint_id)
