"""Letting people in, moving them on, and letting them out."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.candidates import service as candidates
from app.kit import outbox
from app.kit.clock import now
from app.kit.db import Session
from app.kit.ids import new_id
from app.kit.outbox import Event, Wake
from app.sequences import choice, events, flow, queue
from app.sequences import definition as words
from app.sequences.definition import Branch, Definition, Notify, Send, Step, TagStep, Tree, Wait
from app.sequences.flow import Plan
from app.sequences.kept import Kept
from app.sequences.models import Enrollment, SequenceRevision
from app.sequences.repository import (
    EnrollmentRepository,
    MessageRepository,
    PersonRepository,
    SequenceRevisionRepository,
)
from app.sequences.standing import Standing
from app.tenancy import service as tenancy

DUE: Final = "enrollment"
WATCH: Final = "watch"
FEED: Final = UUID(int=0)
"""The one key of the due work `watch`: a tenant has one feed."""


Way = Enrollment | Standing
"""An enrollment that can go on."""


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

    enrollment: Way
    live: Live
    step: Step | None
    at: datetime


Notice = tuple[str, str, dict[str, Any]]
"""A notify step that was passed: its key, its event, its data."""
_lives: Final = Kept[Live](256)
Tagger = Callable[[Session, UUID, Sequence[str], Sequence[str]], Awaitable[None]]
"""Adds and removes tags of a candidate; the door for people stands above this slice, so the wiring hands it down."""
_taggers: list[Tagger] = []


def use_tagger(tagger: Tagger) -> None:
    """Let tag steps be carried out by `tagger`."""
    _taggers[:] = [tagger]


async def _tag(session: Session, candidate_id: UUID, add: Sequence[str], remove: Sequence[str]) -> None:
    for tagger in _taggers:
        await tagger(session, candidate_id, add, remove)


async def lives(session: Session, enrollments: Sequence[Way]) -> dict[tuple[UUID, int], Live]:
    """Return the revisions that these enrollments are pinned to."""
    return await lives_of(session, {(each.sequence_id, each.sequence_revision) for each in enrollments})


async def lives_of(session: Session, wanted: Collection[tuple[UUID, int]]) -> dict[tuple[UUID, int], Live]:
    """Return these (sequence, revision) pairs as enrollments go through them.

    What was live once never changes, so it is read once.
    """
    known = {pair: live for pair in wanted if (live := _lives.get(session.tenant_id, *pair)) is not None}
    found = await SequenceRevisionRepository(session).of(set(wanted) - known.keys())
    for pair, revision in found.items():
        known[pair] = Live.of(revision)
        if revision.activated_at is not None:
            _lives.put(known[pair], session.tenant_id, *pair)
    return known


def live_of(enrollment: Way, found: Mapping[tuple[UUID, int], Live]) -> Live:
    """Return the revision that an enrollment is pinned to, out of `found`."""
    return found[enrollment.sequence_id, enrollment.sequence_revision]


async def enter(
    session: Session,
    sequence_id: UUID,
    revision: int,
    live: Live,
    occurrences: Mapping[UUID, int],
    start_at: datetime | None,
    by: str | None = None,
) -> dict[UUID, UUID]:
    """Let candidates (with the how manieth time it is) in who are not in; return candidate → enrollment of those.

    `by` says who or what does so, when that is not the caller.
    """
    moment = now()
    rows = [
        {
            "id": new_id(),
            "sequence_id": sequence_id,
            "sequence_revision": revision,
            "candidate_id": candidate_id,
            "occurrence": occurrence,
            "entered_by": by or session.caller.actor,
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


async def look_again(session: Session, candidates: Sequence[UUID]) -> None:
    """Ask anew for these candidates whether what they wait for has come."""
    rows = await EnrollmentRepository(session).conditional_of(candidates)
    found = await lives(session, rows)
    await _go(session, [_onward(each, live_of(each, found), now()) for each in rows])


async def move_on(session: Session, stood: Sequence[tuple[Way, str, datetime]], *news: Event) -> None:
    """Let enrollments go on from their send step, the next wait counting from its moment; others stay where they are.

    They are given as (enrollment, step, moment). `news` are told before what follows.
    """
    there = [(each, at) for each, step, at in stood if each.state == "active" and each.step == step]
    found = await lives(session, [each for each, _ in there])
    await _go(session, [_onward(each, live_of(each, found), at) for each, at in there], news)


async def leave(
    session: Session, enrollment: Way, reason: str, touchpoint_id: UUID | None = None, state: str = "exited"
) -> None:
    """Let an active enrollment out, and cancel what it has not sent."""
    if enrollment.state == "active":
        await leave_all(session, [enrollment], reason, touchpoint_id, state)


async def leave_all(
    session: Session,
    active: Sequence[Way],
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
    await EnrollmentRepository(session).stand(active, moment)
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
        await move_on(session, [(enrollment, message.step, message.sent_at or now())])


def _onward(enrollment: Way, live: Live, at: datetime) -> Move:
    """Return the move from where an enrollment stands; a wait for a condition is not over before it has been asked."""
    if enrollment.limit_at is not None:
        return Move(enrollment, live, words.find(live.definition, enrollment.step or ""), at)
    return Move(enrollment, live, words.following(live.definition, enrollment.step or ""), at)


async def _go(session: Session, moves: Sequence[Move], news: Sequence[Event] = ()) -> None:
    moment = now()
    zones = await _zones(session, [(move.live.definition, move.enrollment.candidate_id) for move in moves])
    moved, told = [], []
    for move in moves:
        enrollment = move.enrollment
        plan, notices = await _plan(session, move, moment, zones.get(enrollment.candidate_id, "UTC"))
        is_new = enrollment.step is None
        for name, value in _standing(plan, moment).items():
            setattr(enrollment, name, value)
        if not is_new:
            enrollment.touch()
        moved.append((enrollment, plan, move.live))
        told += [(enrollment, notice) for notice in notices]
    await EnrollmentRepository(session).stand([move.enrollment for move in moves], moment)
    notified = [events.notified(enrollment, *notice) for enrollment, notice in told]
    await _follow(session, moved)
    changed = [events.enrollment_changed(enrollment) for enrollment, _, _ in moved]
    await outbox.record(session, *news, *notified, *changed)


async def _plan(session: Session, move: Move, moment: datetime, zone: str) -> tuple[Plan, list[Notice]]:
    """Return where a move leads, doing on the way what has to be done first, and what is to be told of it."""
    definition, person = move.live.definition, move.enrollment.candidate_id
    notices: list[Notice] = []
    plan = flow.plan(definition, move.step, move.at, moment, zone)
    while (act := plan.act) is not None:
        if isinstance(act, Wait):
            limit_at = _limit(move, act, plan.at)
            holds = await _meets(session, person, act.until)
            plan = flow.after_condition(definition, act, moment, limit_at, zone, holds=holds)
            continue
        if isinstance(act, Branch):
            step = flow.after_branch(definition, act, holds=await _meets(session, person, act.if_))
        else:
            step = words.following(definition, act.key)
        if isinstance(act, TagStep):
            await _tag(session, person, act.add, act.remove)
        elif isinstance(act, Notify):
            notices.append((act.key, act.event, act.data))
        plan = flow.plan(definition, step, plan.at, moment, zone)
    return plan, notices


def _limit(move: Move, wait: Wait, reached: datetime) -> datetime:
    """Return when a wait for a condition ends: as it was begun, when the enrollment stands at it already."""
    stood = move.enrollment
    if stood.step == wait.key and stood.limit_at is not None:
        return stood.limit_at
    return flow.limit_of(wait, reached)


async def _meets(session: Session, candidate_id: UUID, tree: Tree | None) -> bool:
    return bool(await PersonRepository(session).meeting([candidate_id], tree or {}))


def _standing(plan: Plan, moment: datetime) -> dict[str, Any]:
    is_over = plan.state != "active"
    left = {"reason": plan.reason, "touchpoint_id": None, "at": moment} if plan.reason is not None else None
    return {
        "state": plan.state,
        "step": plan.step,
        "next_at": plan.waits_until,
        "limit_at": plan.limit_at,
        "exit": left,
        "finished_at": moment if is_over else None,
    }


async def _follow(session: Session, moved: Sequence[tuple[Way, Plan, Live]]) -> None:
    """Write what follows from where enrollments stand: their messages, and when to look again."""
    sends = [(enrollment, plan, live, plan.send) for enrollment, plan, live in moved if plan.send is not None]
    if sends:
        await MessageRepository(session).schedule([_message(*each) for each in sends])
        session.wake("sender")
    waits = [Wake(DUE, enrollment.id, plan.waits_until) for enrollment, plan, _ in moved if plan.waits_until]
    watches = [Wake(WATCH, FEED)] if any(plan.limit_at for _, plan, _ in moved) else []
    await outbox.schedule(session, *waits, *watches)


def _message(enrollment: Way, plan: Plan, live: Live, send: Send) -> dict[str, Any]:
    chosen = send.content
    variant, template_id = choice.wording(send, enrollment.sequence_id, enrollment.candidate_id)
    return {
        "id": new_id(),
        "enrollment_id": enrollment.id,
        "sequence_id": enrollment.sequence_id,
        "sequence_revision": enrollment.sequence_revision,
        "step": send.key,
        "occurrence": enrollment.occurrence,
        "candidate_id": enrollment.candidate_id,
        "purpose": live.definition.purpose,
        "template_id": template_id,
        "template_revision": live.templates[str(template_id)],
        "variant": variant,
        "content_id": chosen.content_id if chosen else None,
        "content_reason": {"pick": "id"} if chosen and chosen.pick == "id" else None,
        "due_at": plan.at,
    }


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
