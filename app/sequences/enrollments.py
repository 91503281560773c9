"""Letting people in, moving them on, and letting them out."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.candidates import service as candidates
from app.contents import service as contents
from app.kit import outbox
from app.kit.clock import now
from app.kit.db import Session
from app.kit.ids import new_id
from app.kit.outbox import Wake
from app.sequences import definition as words
from app.sequences import events, flow, queue
from app.sequences.definition import Branch, Definition, Send, Step, Wait
from app.sequences.flow import Plan
from app.sequences.models import Enrollment, Message, SequenceRevision
from app.sequences.repository import (
    EnrollmentRepository,
    MessageRepository,
    PersonRepository,
    SequenceRevisionRepository,
)
from app.tenancy import service as tenancy

DUE = "enrollment"


@dataclass(frozen=True, slots=True)
class Live:
    """A revision as enrollments go through it."""

    definition: Definition
    templates: Mapping[str, int]

    @classmethod
    def of(cls, revision: SequenceRevision) -> "Live":
        return cls(Definition.model_validate(revision.definition), revision.templates)


@dataclass(frozen=True, slots=True)
class Move:
    """An enrollment that goes on to `step`, reached at `at`."""

    enrollment: Enrollment
    live: Live
    step: Step | None
    at: datetime


Tagger = Callable[[Session, UUID, Sequence[str], Sequence[str]], Awaitable[None]]
"""Adds and removes tags of a candidate; the door for people stands above this slice, so the wiring hands it down."""
_taggers: list[Tagger] = []


def use_tagger(tagger: Tagger) -> None:
    """Let tag steps be carried out by `tagger`."""
    _taggers[:] = [tagger]


async def _tag(session: Session, candidate_id: UUID, add: Sequence[str], remove: Sequence[str]) -> None:
    for tagger in _taggers:
        await tagger(session, candidate_id, add, remove)


async def lives(session: Session, enrollments: Sequence[Enrollment]) -> dict[tuple[UUID, int], Live]:
    """Return the revisions that these enrollments are pinned to."""
    wanted = {(each.sequence_id, each.sequence_revision) for each in enrollments}
    found = await SequenceRevisionRepository(session).of(wanted)
    return {pair: Live.of(revision) for pair, revision in found.items()}


def live_of(enrollment: Enrollment, found: Mapping[tuple[UUID, int], Live]) -> Live:
    """Return the revision that an enrollment is pinned to, out of `found`."""
    return found[enrollment.sequence_id, enrollment.sequence_revision]


async def enter(
    session: Session,
    sequence_id: UUID,
    revision: int,
    live: Live,
    occurrences: Mapping[UUID, int],
    start_at: datetime | None,
) -> dict[UUID, UUID]:
    """Let candidates (with the how manieth time it is) in who are not in; return candidate → enrollment of those."""
    moment = now()
    rows = [
        {
            "id": new_id(),
            "sequence_id": sequence_id,
            "sequence_revision": revision,
            "candidate_id": candidate_id,
            "occurrence": occurrence,
            "entered_by": session.caller.actor,
            "started_at": moment,
        }
        for candidate_id, occurrence in occurrences.items()
    ]
    entered = await EnrollmentRepository(session).many(await EnrollmentRepository(session).enter(rows))
    at, first = max(start_at or moment, moment), words.first(live.definition)
    await _go(session, [Move(each, live, first, at) for each in entered])
    return {each.candidate_id: each.id for each in entered}


async def advance(session: Session, ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """Let enrollments go on whose wait is over; return when to look again at those whose is not."""
    moment = now()
    rows = [each for each in await EnrollmentRepository(session).many(ids, lock=True) if each.next_at is not None]
    found = await lives(session, rows)
    ready = [each for each in rows if each.state == "active" and each.next_at is not None and each.next_at <= moment]
    await _go(session, [_onward(each, live_of(each, found), each.next_at or moment) for each in ready])
    return {each.id: each.next_at for each in rows if each.state == "active" and each.next_at and each.next_at > moment}


async def move_on(session: Session, enrollment: Enrollment, step: str, at: datetime) -> None:
    """Let an enrollment go on from its send step, the next wait counting from `at`; others stay where they are."""
    if enrollment.state == "active" and enrollment.step == step:
        found = await lives(session, [enrollment])
        await _go(session, [_onward(enrollment, live_of(enrollment, found), at)])


async def leave(
    session: Session, enrollment: Enrollment, reason: str, touchpoint_id: UUID | None = None, state: str = "exited"
) -> None:
    """Let an active enrollment out, and cancel what it has not sent."""
    if enrollment.state == "active":
        await leave_all(session, [enrollment], reason, touchpoint_id, state)


async def leave_all(
    session: Session,
    active: Sequence[Enrollment],
    reason: str,
    touchpoint_id: UUID | None = None,
    state: str = "exited",
) -> None:
    """Let active enrollments out for one reason, and cancel what they have not sent."""
    moment = now()
    for each in active:
        waited_until = {"next_at": each.next_at} if each.next_at else {}
        each.exit = {"reason": reason, "touchpoint_id": touchpoint_id, "at": moment, **waited_until}
        each.state, each.next_at, each.finished_at = state, None, moment
        each.touch()
    await session.flush()
    await queue.cancel(session, [each.id for each in active], reason, "The enrollment ended before this was sent.")
    await outbox.record(session, *map(events.enrollment_changed, active))


async def revive(session: Session, ended: Sequence[Enrollment], reason: str) -> None:
    """Let enrollments that left for `reason` go on where they stood, with the mail that was cancelled for it."""
    for each in ended:
        waited_until = (each.exit or {}).get("next_at")
        each.state, each.exit, each.finished_at = "active", None, None
        each.next_at = datetime.fromisoformat(waited_until) if waited_until else None
        each.touch()
    await session.flush()
    await queue.uncancel(session, [each.id for each in ended], reason)
    await outbox.schedule(session, *(Wake(DUE, each.id, each.next_at) for each in ended if each.next_at))
    await outbox.record(session, *map(events.enrollment_changed, ended))
    for message in await MessageRepository(session).settled_at([each.id for each in ended]):
        [enrollment] = [each for each in ended if each.id == message.enrollment_id]
        await move_on(session, enrollment, message.step, message.sent_at or now())


def _onward(enrollment: Enrollment, live: Live, at: datetime) -> Move:
    return Move(enrollment, live, words.following(live.definition, enrollment.step or ""), at)


async def _go(session: Session, moves: Sequence[Move]) -> None:
    moment = now()
    zones = await _zones(session, [(move.live.definition, move.enrollment.candidate_id) for move in moves])
    moved = []
    for move in moves:
        enrollment = move.enrollment
        plan = await _plan(session, move, moment, zones.get(enrollment.candidate_id, "UTC"))
        is_new = enrollment.step is None
        for name, value in _standing(plan, moment).items():
            setattr(enrollment, name, value)
        if not is_new:
            enrollment.touch()
        moved.append((enrollment, plan, move.live))
    await session.flush()
    await _follow(session, moved)


async def _plan(session: Session, move: Move, moment: datetime, zone: str) -> Plan:
    """Return where a move leads, doing on the way what has to be done first."""
    definition, person = move.live.definition, move.enrollment.candidate_id
    plan = flow.plan(definition, move.step, move.at, moment, zone)
    while (act := plan.act) is not None:
        if isinstance(act, Branch):
            holds = bool(await PersonRepository(session).meeting([person], act.if_))
            step = flow.after_branch(definition, act, holds=holds)
        else:
            await _tag(session, person, act.add, act.remove)
            step = words.following(definition, act.key)
        plan = flow.plan(definition, step, plan.at, moment, zone)
    return plan


def _standing(plan: Plan, moment: datetime) -> dict[str, Any]:
    is_over = plan.state != "active"
    left = {"reason": plan.reason, "touchpoint_id": None, "at": moment} if plan.reason is not None else None
    return {
        "state": plan.state,
        "step": plan.step,
        "next_at": plan.waits_until,
        "exit": left,
        "finished_at": moment if is_over else None,
    }


async def _follow(session: Session, moved: Sequence[tuple[Enrollment, Plan, Live]]) -> None:
    """Write what follows from where enrollments stand: their messages, when to look again, and the news."""
    sends = [(enrollment, plan, live, plan.send) for enrollment, plan, live in moved if plan.send is not None]
    if sends:
        await MessageRepository(session).schedule([_message(*each) for each in sends])
        session.wake("sender")
    waits = [Wake(DUE, enrollment.id, plan.waits_until) for enrollment, plan, _ in moved if plan.waits_until]
    await outbox.schedule(session, *waits)
    await outbox.record(session, *(events.enrollment_changed(enrollment) for enrollment, _, _ in moved))


def _message(enrollment: Enrollment, plan: Plan, live: Live, send: Send) -> dict[str, Any]:
    chosen = send.content
    return {
        "id": new_id(),
        "enrollment_id": enrollment.id,
        "sequence_id": enrollment.sequence_id,
        "sequence_revision": enrollment.sequence_revision,
        "step": send.key,
        "occurrence": enrollment.occurrence,
        "candidate_id": enrollment.candidate_id,
        "purpose": live.definition.purpose,
        "template_id": send.template_id,
        "template_revision": live.templates[str(send.template_id)],
        "content_id": chosen.content_id if chosen else None,
        "content_reason": {"pick": chosen.pick} if chosen else None,
        "due_at": plan.at,
    }


async def content_of(session: Session, message: Message) -> Mapping[str, Any] | None:
    """Return what the mail's content says of itself."""
    if message.content_id is None:
        return None
    return (await contents.read(session, message.content_id)).model_dump(mode="json")


async def _zones(session: Session, people: Sequence[tuple[Definition, UUID]]) -> dict[UUID, str]:
    """Return the zones of those whose waits depend on it."""
    ids = [candidate_id for definition, candidate_id in people if _asks_for_zone(definition)]
    if not ids:
        return {}
    default = (await tenancy.read(session)).timezone
    facts = await candidates.facts(session, ids)
    return {each: facts.get(each, {}).get("timezone") or default for each in ids}


def _asks_for_zone(definition: Definition) -> bool:
    return any(isinstance(step, Wait) and step.until_local for _, step, _ in words.walk(definition.steps))
