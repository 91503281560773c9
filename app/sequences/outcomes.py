"""What a message comes to, and what follows: for its person's timeline, for the caps, and for the enrollment.

Everything here works on an enrollment and its message that are locked, in that order (`hold`, or `queue.hold` for
many), so that two of them never wait for each other.
"""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from app.consent import service as consent
from app.kit.clock import now
from app.kit.db import Session
from app.sequences import enrollments, events, queue, schedule
from app.sequences.enrollments import Way
from app.sequences.errors import MessageNotFound
from app.sequences.models import Enrollment, Message
from app.sequences.repository import (
    EnrollmentRepository,
    MessageRepository,
    TemplateRevisionRepository,
)
from app.touchpoints import service as touchpoints
from app.touchpoints.schemas import TouchpointIn

SOURCE: Final = "talentpool"
CHANNEL: Final = "email"
GOES_ON: Final = frozenset({"no_content"})
"""Refusals that say nothing of the person: the enrollment goes on to its next step."""
Reply = dict[str, int | str] | None
Reasons = Sequence[Mapping[str, str]]


async def hold(session: Session, enrollment_id: UUID, message_id: UUID) -> tuple[Enrollment, Message]:
    """Lock an enrollment, then its message; raises MessageNotFound."""
    enrollment = await EnrollmentRepository(session).hold(enrollment_id)
    message = await MessageRepository(session).hold(message_id)
    if enrollment is None or message is None:
        raise MessageNotFound
    return enrollment, message


async def sent(session: Session, mails: Sequence[tuple[Way, Any, Reply]], at: datetime) -> None:
    """Note that mails left at `at`: they are in the timelines, the enrollments go on, and they count from then on.

    They are given as (enrollment, message, the server's reply), both held.
    """
    rows = [row for _, row, _ in mails]
    done = await queue.sent(session, {row.id: reply for _, row, reply in mails}, at)
    await consent.time_uses(session, [*done], at)
    await _tell(session, [(row, "email_sent", {}) for row in rows], at)
    news = [events.message_sent(done[row.id]) for row in rows]
    await enrollments.move_on(session, [(way, row.step, at) for way, row, _ in mails], *news)


async def unknown(session: Session, enrollment: Enrollment, message: Message) -> None:
    """Note that nobody can say whether the mail left: it is not sent again, unless its template says so."""
    begun = message.transmitting_at or now()
    wordings = await TemplateRevisionRepository(session).of([(message.template_id, message.template_revision)])
    if wordings[message.template_id].on_unknown == "resend":
        await retry(session, enrollment, message, None, base_s=1.0)
        return
    await _change(session, message, "unknown")
    await consent.time_uses(session, [message.id], begun)
    await enrollments.move_on(session, [(enrollment, message.step, begun)])


async def retry(session: Session, enrollment: Enrollment, message: Message, reply: Reply, *, base_s: float) -> None:
    """Try again after a pause; after the twelfth time, give it up."""
    message.failures += 1
    message.smtp = _kept(message, reply)
    await consent.uncount_uses(session, [message.id])
    if message.failures >= schedule.MOST_FAILURES:
        await _change(session, message, "dead")
        await enrollments.move_on(session, [(enrollment, message.step, now())])
        return
    message.scheduled_at = schedule.retry_at(now(), message.failures, base_s, random.random())  # noqa: S311 (a spread)
    await _change(session, message, "retry")


async def failed(
    session: Session,
    enrollment: Enrollment,
    message: Message,
    reply: Reply,
    bounce: Literal["hard", "soft"] | None,
) -> None:
    """Note that the receiver refused the mail for good, and how; a hard bounce marks the address."""
    message.smtp = _kept(message, reply)
    if bounce is not None:
        message.delivery = "bounced"
    await _change(session, message, "failed")
    await consent.uncount_uses(session, [message.id])
    told = None
    if bounce is not None:
        code, reason = (reply["code"], reply["reply"]) if reply else (None, None)
        said = {"bounce": {"kind": bounce, "code": code, "reason": reason}}
        [told] = await _tell(session, [(message, "email_bounced", said)], now())
    live = enrollments.live_of(enrollment, await enrollments.lives(session, [enrollment]))
    if bounce == "hard" and "hard_bounce" in live.definition.exit_on:
        await enrollments.leave(session, enrollment, "hard_bounce", told)
    await enrollments.move_on(session, [(enrollment, message.step, now())])


async def refused(session: Session, mails: Sequence[tuple[Way, Any, Reasons, UUID | None]]) -> None:
    """Note that mails must not leave; the enrollment ends with the first reason.

    They are given as (enrollment, message, reasons, decision), both held.
    """
    await _settle(session, [_end(row, "refused", reasons, decision_id=of) for _, row, reasons, of in mails])
    onward = [(way, row.step, now()) for way, row, reasons, _ in mails if reasons[0]["code"] in GOES_ON]
    if onward:
        await enrollments.move_on(session, onward)
    leaving: dict[str, list[Way]] = {}
    for way, row, reasons, _ in mails:
        if reasons[0]["code"] not in GOES_ON and way.step == row.step:
            leaving.setdefault(reasons[0]["code"], []).append(way)
    for reason, ways in leaving.items():
        await enrollments.leave_all(session, [way for way in ways if way.state == "active"], reason)


async def cancelled(session: Session, mails: Sequence[tuple[Way, Any, str, UUID | None]]) -> None:
    """Note that people left the sequence before their mails did.

    They are given as (enrollment, message, by which word, by which touchpoint), both held.
    """
    said = "The person left the sequence before this was sent."
    await _settle(session, [_end(row, "cancelled", [{"code": word, "detail": said}]) for _, row, word, _ in mails])
    for way, _, word, touchpoint_id in mails:
        await enrollments.leave(session, way, word, touchpoint_id)


async def put_off(session: Session, mails: Sequence[tuple[Any, datetime, Reasons]]) -> None:
    """Let claimed messages wait until their moment; what did not begin is no attempt."""
    await _settle(session, [_end(row, "scheduled", reasons, scheduled_at=at) for row, at, reasons in mails])


async def passed(session: Session, rows: Sequence[Mapping[str, Any]], contacts: Mapping[UUID, UUID]) -> None:
    """Note that the gate let claimed messages pass; they count at once, so that no other passes in their shadow."""
    await queue.passed(session, rows)
    await consent.count_uses(session, contacts, CHANNEL, now())


async def hand_back(session: Session, message: Message) -> None:
    """Let another worker have a message whose worker is gone."""
    await _change(session, message, "scheduled")


def _kept(message: Message, reply: Reply) -> Reply:
    """Return what is kept of a server's reply: it may name the address, so nothing of one to somebody erased since."""
    return reply if message.to is not None else None


async def _settle(session: Session, ends: Sequence[Mapping[str, Any]]) -> None:
    if ends:
        await queue.settle(session, ends)
        await consent.uncount_uses(session, [end["id"] for end in ends])


def _end(row: Any, state: str, reasons: Reasons, **more: object) -> dict[str, Any]:  # noqa: ANN401 (a row)
    return {"id": row.id, "state": state, "reasons": reasons, **more}


async def _change(session: Session, message: Message, state: str) -> None:
    message.state, message.worker, message.lease_until = state, None, None
    message.touch()
    await MessageRepository(session).save()


async def _tell(
    session: Session, told: Sequence[tuple[Any, str, Mapping[str, object]]], at: datetime
) -> list[UUID | None]:
    """Write our own mails into the timelines, each once, given as (message, type, what is said); return the ids."""
    items = [
        TouchpointIn.model_validate(
            {
                "candidate_id": message.candidate_id,
                "type": type_,
                "occurred_at": at,
                "source": SOURCE,
                "external_id": f"{message.id}:{message.attempt}:{type_}",
                "data": {"message_id": message.message_id_header, **said},
            }
        )
        for message, type_, said in told
    ]
    return [ingested.id for ingested in await touchpoints.ingest(session, items)]
