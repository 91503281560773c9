"""How a sequence is doing: its people, and each step's messages with what came of them."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from app.kit.clock import now
from app.kit.db import Session
from app.sequences import definition as words
from app.sequences import models
from app.sequences.definition import Definition
from app.sequences.models import STATES
from app.sequences.repository import SequenceRevisionRepository
from app.sequences.schemas import ByActor, EnrollmentCounts, SequenceReport, StepReport

_ENROLLMENTS: Final = """
select state, exit->>'reason' as reason, count(*) as n from enrollments where sequence_id = :id group by 1, 2
"""
_MESSAGES: Final = """
select step, state, delivery, reasons->0->>'code' as reason, count(*) as n
from messages where sequence_id = :id group by 1, 2, 3, 4
"""
_SIGNS: Final = """
select m.step, t.type, t.actor, count(distinct m.id) as n
from messages m join touchpoints t on '<' || t.message_id || '>' = m.message_id_header
where m.sequence_id = :id and t.type = any(:types) group by 1, 2, 3
"""
_TYPES: Final = ("email_opened", "email_clicked", "email_replied", "email_unsubscribed")


async def report(session: Session, sequence: models.Sequence) -> SequenceReport:
    """Count everything of a sequence, as of now."""
    people = await session.rows(_ENROLLMENTS, id=sequence.id)
    mails = await session.rows(_MESSAGES, id=sequence.id)
    signs = await session.rows(_SIGNS, id=sequence.id, types=list(_TYPES))
    steps = await _steps(session, sequence)
    return SequenceReport(
        sequence_id=sequence.id,
        as_of=now(),
        enrollments=_people(people),
        steps=[
            _step(key, type_, [row for row in mails if row.step == key], [row for row in signs if row.step == key])
            for key, type_ in steps.items()
        ],
    )


async def _steps(session: Session, sequence: models.Sequence) -> dict[str, str]:
    """Return key → type of the steps of every revision, in the order in which they first came."""
    wanted = [(sequence.id, number + 1) for number in range(sequence.revision or 0)]
    found = await SequenceRevisionRepository(session).of(wanted)
    definitions = [Definition.model_validate(found[pair].definition) for pair in wanted if pair in found]
    return {step.key: step.type for each in definitions for _, step, _ in words.walk(each.steps)}


def _people(rows: Iterable[Any]) -> EnrollmentCounts:
    by_state, by_exit = Counter[str](), Counter[str]()
    for row in rows:
        by_state[row.state] += row.n
        if row.state == "exited":
            by_exit[row.reason] += row.n
    return EnrollmentCounts(
        total=by_state.total(),
        active=by_state["active"],
        completed=by_state["completed"],
        exited=by_state["exited"],
        stopped=by_state["stopped"],
        by_exit=dict(by_exit),
    )


def _step(key: str, type_: str, mails: list[Any], signs: list[Any]) -> StepReport:
    states, reasons, delivery = Counter[str](), Counter[str](), Counter[str]()
    for row in mails:
        states[row.state] += row.n
        delivery[row.delivery] += row.n
        if row.reason is not None:
            reasons[row.reason] += row.n
    return StepReport(
        key=key,
        type=type_,
        messages={state: states[state] for state in STATES},
        by_reason=dict(reasons),
        delivered=delivery["delivered"],
        bounced=delivery["bounced"],
        complained=delivery["complained"],
        unsubscribed=sum(row.n for row in signs if row.type == "email_unsubscribed"),
        replied=sum(row.n for row in signs if row.type == "email_replied" and row.actor != "machine"),
        opened=_by_actor(signs, "email_opened"),
        clicked=_by_actor(signs, "email_clicked"),
    )


def _by_actor(signs: list[Any], type_: str) -> ByActor:
    found = {row.actor: row.n for row in signs if row.type == type_}
    return ByActor(human=found.get("human", 0), machine=found.get("machine", 0), unknown=found.get("unknown", 0))
