"""How a sequence is doing: its people, and each step's messages with what came of them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from app.kit.clock import now
from app.kit.db import Session
from app.sequences import definition as words
from app.sequences import models, significance
from app.sequences.definition import Definition, Send, Step
from app.sequences.figures import (
    ByActor,
    Comparison,
    EnrollmentCounts,
    SequenceReport,
    StepReport,
    VariantReport,
)
from app.sequences.models import STATES
from app.sequences.repository import SequenceRevisionRepository
from app.sequences.significance import Arm

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
_VARIANTS: Final = """
select m.step, m.variant, count(*) as sent, count(*) filter (where exists (
    select from touchpoints t where t.message_id = trim(both '<>' from m.message_id_header)
      and (t.type = 'email_replied' and t.actor <> 'machine' or t.type = 'email_clicked' and t.actor = 'human')
  )) as answered, count(*) filter (where exists (
    select from touchpoints t where t.message_id = trim(both '<>' from m.message_id_header)
      and t.type = 'email_unsubscribed')) as unsubscribed
from messages m where m.sequence_id = :id and m.variant is not null and m.state in ('sent', 'unknown')
group by 1, 2 order by 1, 2
"""
_TYPES: Final = ("email_opened", "email_clicked", "email_replied", "email_unsubscribed")


@dataclass(frozen=True, slots=True)
class Counted(Arm):
    """One wording of a step with what is told of it beside."""

    sent: int = 0
    answered: int = 0
    unsubscribed: int = 0


async def report(session: Session, sequence: models.Sequence) -> SequenceReport:
    """Count everything of a sequence, as of now."""
    people = await session.rows(_ENROLLMENTS, id=sequence.id)
    mails = await session.rows(_MESSAGES, id=sequence.id)
    signs = await session.rows(_SIGNS, id=sequence.id, types=list(_TYPES))
    variants = await session.rows(_VARIANTS, id=sequence.id)
    steps = await _steps(session, sequence)
    return SequenceReport(
        sequence_id=sequence.id,
        as_of=now(),
        enrollments=_people(people),
        steps=[
            _step(step, *([row for row in rows if row.step == step.key] for rows in (mails, signs, variants)))
            for step in steps
        ],
    )


async def _steps(session: Session, sequence: models.Sequence) -> list[Step]:
    """Return the steps of every revision, in the order in which they first came, each as it is now."""
    wanted = [(sequence.id, number + 1) for number in range(sequence.revision or 0)]
    found = await SequenceRevisionRepository(session).of(wanted)
    definitions = [Definition.model_validate(found[pair].definition) for pair in wanted if pair in found]
    return list({step.key: step for each in definitions for _, step, _ in words.walk(each.steps)}.values())


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


def _step(step: Step, mails: list[Any], signs: list[Any], variants: list[Any]) -> StepReport:
    states, reasons, delivery = Counter[str](), Counter[str](), Counter[str]()
    arms = _arms(step, variants)
    for row in mails:
        states[row.state] += row.n
        delivery[row.delivery] += row.n
        if row.reason is not None:
            reasons[row.reason] += row.n
    return StepReport(
        key=step.key,
        type=step.type,
        messages={state: states[state] for state in STATES},
        by_reason=dict(reasons),
        delivered=delivery["delivered"],
        bounced=delivery["bounced"],
        complained=delivery["complained"],
        unsubscribed=sum(row.n for row in signs if row.type == "email_unsubscribed"),
        replied=sum(row.n for row in signs if row.type == "email_replied" and row.actor != "machine"),
        opened=_by_actor(signs, "email_opened"),
        clicked=_by_actor(signs, "email_clicked"),
        variants=[VariantReport.model_validate(each) for each in arms],
        comparison=Comparison.model_validate(significance.compare(arms)) if arms else None,
    )


def _arms(step: Step, variants: list[Any]) -> list[Counted]:
    """Return the wordings of a step, those that it has now first, also when they were never sent."""
    found = {row.variant: row for row in variants}
    now_used = [variant.key for variant in step.variants or ()] if isinstance(step, Send) else []
    keys = dict.fromkeys([*now_used, *found])
    return [
        Counted(key, found[key].sent, found[key].answered, found[key].unsubscribed) if key in found else Counted(key)
        for key in keys
    ]


def _by_actor(signs: list[Any], type_: str) -> ByActor:
    found = {row.actor: row.n for row in signs if row.type == type_}
    return ByActor(human=found.get("human", 0), machine=found.get("machine", 0), unknown=found.get("unknown", 0))
