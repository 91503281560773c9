"""The last question before a mail leaves: has the person left, may they be written to, and is it the hour."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.candidates import service as candidates
from app.consent import service as consent
from app.consent.contact import Decision, Question
from app.consent.window import Window
from app.kit.clock import now
from app.kit.db import Session
from app.sequences import definition as words
from app.sequences import queue, repository, schedule
from app.sequences.definition import Definition, Tree
from app.sequences.models import Enrollment, Message
from app.sequences.repository import MessageRepository, PersonRepository
from app.tenancy import service as tenancy

RATE_LIMITED: Final = {"code": "rate_limited", "detail": "More mails are due than the tenant's rates let out."}

ALREADY_SENT: Final = {"code": "already_sent", "detail": "The person got this step before, under another id."}


@dataclass(frozen=True, slots=True)
class Pass:
    """It may leave, now, to this address."""

    to: str
    decision: Decision


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
    """It may leave from `at` on; `is_ours` says that nothing about the person is in the way."""

    at: datetime
    reasons: list[dict[str, str]]
    is_ours: bool = False


Verdict = Pass | Left | Refused | Later


async def ask(session: Session, message: Message, enrollment: Enrollment, definition: Definition) -> Verdict:
    """Answer for one message, holding its candidate until the transaction ends."""
    windows = _windows(definition)
    question = Question(message.candidate_id, message.channel, message.purpose, None, message.id, windows)
    [decision] = await consent.decide(session, [question], keep=True, lock=True)
    if left := await left_by(session, enrollment, definition, decision):
        return left
    reasons = [{"code": reason.code, "detail": reason.detail} for reason in decision.reasons]
    if decision.decision == "deny":
        return Refused(reasons, decision)
    if decision.decision == "not_before" and decision.not_before is not None:
        return _later(message, decision.not_before, reasons, decision)
    return await _passed(session, message, decision)


async def _passed(session: Session, message: Message, decision: Decision) -> Verdict:
    """Answer for a person who may be written to: not twice, to an address that is good, and as there is room."""
    if await MessageRepository(session).twin(message) is not None:
        return Refused([ALREADY_SENT], decision)
    address = await candidates.mail_address(session, message.candidate_id)
    if address is None:
        return Refused([{"code": "no_address", "detail": "No usable address for this channel is known."}], decision)
    ready = await _room(session, address.value)
    if ready > now():
        return Later(ready, [RATE_LIMITED], is_ours=True)
    return Pass(address.value, decision)


async def left_by(session: Session, enrollment: Enrollment, definition: Definition, decision: Decision) -> Left | None:
    """Return by which exit word the person has left; None when they have not.

    An unsubscription that was lifted later is none any more: the decision knows, so it is asked too.
    """
    asked = [word for word in definition.exit_on if word != "unsubscribed" or "unsubscribed" in decision.codes]
    types = {type_: word for word in asked for type_ in words.TYPES_OF.get(word, ())}
    if types:
        since_start = [type_ for type_, word in types.items() if word in words.SINCE_START]
        found: Any = await repository.exit_touchpoint(
            session, enrollment.candidate_id, list(types), since_start, enrollment.started_at
        )
        if found is not None:
            return Left(types[found.type], found.id)
    by_decision = ("erased", "consent_withdrawn")
    said: str | None = next((code for code in by_decision if code in decision.codes and code in asked), None)
    if said is None and definition.exit_if is not None and await _meets(session, enrollment, definition.exit_if):
        said = "exit_if"
    return Left(said) if said is not None else None


async def _meets(session: Session, enrollment: Enrollment, tree: Tree) -> bool:
    return bool(await PersonRepository(session).meeting([enrollment.candidate_id], tree))


def _later(message: Message, at: datetime, reasons: list[dict[str, str]], decision: Decision) -> Verdict:
    if at > message.due_at + schedule.PATIENCE:
        return Refused(reasons, decision)
    return Later(at, reasons)


def _windows(definition: Definition) -> tuple[Window, ...]:
    own = definition.window
    if own is None:
        return ()
    return (schedule.window_of(own.weekdays, own.from_, own.to, skip_holidays=own.holidays == "skip"),)


async def _room(session: Session, address: str) -> datetime:
    rates = (await tenancy.read(session)).rates
    domain = address.rpartition("@")[2].lower()
    return await queue.take(session, {"": rates.per_minute, domain: rates.per_domain_per_minute}, now())
