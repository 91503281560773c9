"""The last question before a mail leaves: has the person left, may they be written to, and is it the hour.

It is asked for many messages at once, whose rows and whose people are held until the transaction ends, in a number of
statements that does not depend on how many they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

from app.candidates import service as candidates
from app.candidates.service import Reached
from app.consent import service as consent
from app.consent.contact import Decision, Question
from app.consent.window import Window
from app.kit.clock import now
from app.kit.db import Session
from app.sequences import definition as words
from app.sequences import enrollments, queue, schedule, traces
from app.sequences.definition import Definition
from app.sequences.enrollments import Live
from app.sequences.repository import PersonRepository
from app.tenancy import service as tenancy

RATE_LIMITED: Final = {"code": "rate_limited", "detail": "More mails are due than the tenant's rates let out."}
ALREADY_SENT: Final = {"code": "already_sent", "detail": "The person got this step before, under another id."}
BY_DECISION: Final = ("erased", "consent_withdrawn")
NO_ADDRESS: Final = {"code": "no_address", "detail": "No usable address for this channel is known."}


@dataclass(frozen=True, slots=True)
class Pass:
    """It may leave, now, to this address of this person."""

    to: str
    decision: Decision
    live: Live
    person: Reached


@dataclass(frozen=True, slots=True)
class Left:
    """The person has left the sequence: by this word, and by the touchpoint that says so."""

    word: str
    touchpoint_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """It must not leave, for these reasons."""

    reasons: list[dict[str, str]]
    decision: Decision | None = None


@dataclass(frozen=True, slots=True)
class Later:
    """It may leave from `at` on."""

    at: datetime
    reasons: list[dict[str, str]]


Verdict = Pass | Left | Refused | Later


class Way(Protocol):
    """What is asked of an enrollment."""

    @property
    def candidate_id(self) -> UUID: ...
    @property
    def started_at(self) -> datetime: ...


async def ask(session: Session, rows: Sequence[Any], *, is_first: bool) -> list[Verdict]:
    """Answer for messages that `queue.hold` holds, no two of one person, in order.

    Asked for the first time, the decisions are kept as proof and the shared rates are used; again, neither.
    """
    found = await enrollments.lives_of(session, {(row.sequence_id, row.pinned_revision) for row in rows})
    lives = [found[row.sequence_id, row.pinned_revision] for row in rows]
    questions = [
        Question(row.candidate_id, row.channel, row.purpose, None, row.id, windows_of(live.definition))
        for row, live in zip(rows, lives, strict=True)
    ]
    decisions = await consent.decide(session, questions, keep=is_first)
    left = await left_by(session, rows, [live.definition for live in lives], decisions)
    twins = await traces.twins(session, [row.id for row in rows])
    people = await candidates.reached(session, [row.candidate_id for row in rows])
    verdicts = [
        left.get(place) or _verdict(row, decision, live, people.get(row.candidate_id), is_twin=row.id in twins)
        for place, (row, decision, live) in enumerate(zip(rows, decisions, lives, strict=True))
    ]
    return await _as_there_is_room(session, verdicts) if is_first else verdicts


def _verdict(row: Any, decision: Decision, live: Live, person: Reached | None, *, is_twin: bool) -> Verdict:  # noqa: ANN401 (a row)
    if row.sequence_status != "active":
        return Later(row.due_at, [])
    reasons = [{"code": reason.code, "detail": reason.detail} for reason in decision.reasons]
    if decision.decision == "deny":
        return Refused(reasons, decision)
    if decision.decision == "not_before" and decision.not_before is not None:
        is_too_late = decision.not_before > row.due_at + schedule.PATIENCE
        return Refused(reasons, decision) if is_too_late else Later(decision.not_before, reasons)
    if is_twin:
        return Refused([ALREADY_SENT], decision)
    address = person.address if person is not None else None
    if person is None or address is None:
        return Refused([NO_ADDRESS], decision)
    return Pass(address.value, decision, live, person)


async def left_by(
    session: Session, ways: Sequence[Way], definitions: Sequence[Definition], decisions: Sequence[Decision]
) -> dict[int, Left]:
    """Return place → by which exit word a person has left, of those who have.

    An unsubscription that was lifted later is none any more: the decision knows, so it is asked too.
    """
    asked = [_words(definition, decision) for definition, decision in zip(definitions, decisions, strict=True)]
    told = await _told(session, ways, asked)
    meeting = await _meeting(session, ways, definitions)
    left: dict[int, Left] = {}
    for place, (exits, decision) in enumerate(zip(asked, decisions, strict=True)):
        if place in told:
            left[place] = told[place]
        elif word := next((code for code in BY_DECISION if code in decision.codes and code in exits), None):
            left[place] = Left(word)
        elif place in meeting:
            left[place] = Left("exit_if")
    return left


def _words(definition: Definition, decision: Decision) -> list[str]:
    return [word for word in definition.exit_on if word != "unsubscribed" or "unsubscribed" in decision.codes]


async def _told(session: Session, ways: Sequence[Way], asked: Sequence[Sequence[str]]) -> dict[int, Left]:
    types = [{type_: word for word in exits for type_ in words.TYPES_OF.get(word, ())} for exits in asked]
    rows = [
        {
            "place": place,
            "candidate_id": way.candidate_id,
            "types": list(said),
            "since_start": [type_ for type_, word in said.items() if word in words.SINCE_START],
            "started_at": way.started_at,
        }
        for place, (way, said) in enumerate(zip(ways, types, strict=True))
        if said
    ]
    found = await traces.exit_touchpoints(session, rows) if rows else []
    return {row.place: Left(types[row.place][row.type], row.id) for row in found}


async def _meeting(session: Session, ways: Sequence[Way], definitions: Sequence[Definition]) -> set[int]:
    """Return the places of those who meet the `exit_if` of their sequence; each tree is asked once."""
    places: dict[int, list[int]] = {}
    for place, definition in enumerate(definitions):
        if definition.exit_if is not None:
            places.setdefault(id(definition), []).append(place)
    left: set[int] = set()
    for of in places.values():
        ids = [ways[place].candidate_id for place in of]
        met = await PersonRepository(session).meeting(ids, definitions[of[0]].exit_if or {})
        left |= {place for place in of if ways[place].candidate_id in met}
    return left


def windows_of(definition: Definition) -> tuple[Window, ...]:
    """Return the sequence's own window, as it is computed with."""
    own = definition.window
    if own is None:
        return ()
    return (schedule.window_of(own.weekdays, own.from_, own.to, skip_holidays=own.holidays == "skip"),)


async def _as_there_is_room(session: Session, verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Let those pass for whom the shared rates have room now, and the others later."""
    rates = (await tenancy.read(session)).rates
    passes = [verdict for verdict in verdicts if isinstance(verdict, Pass)]
    moment = now()
    asked = [{"": rates.per_minute, each.to.rpartition("@")[2].lower(): rates.per_domain_per_minute} for each in passes]
    ready = iter(await queue.take(session, asked, moment))
    return [
        verdict if not isinstance(verdict, Pass) or (at := next(ready)) <= moment else Later(at, [RATE_LIMITED])
        for verdict in verdicts
    ]
