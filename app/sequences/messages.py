"""The messages over the API, and what later signs say of them."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from app.candidates import service as candidates
from app.consent import service as consent
from app.kit.clock import now
from app.kit.db import Session
from app.kit.paging import Paging
from app.kit.schemas import Page
from app.sequences import outcomes, repository
from app.sequences.errors import MessageNotFound, MessageState
from app.sequences.models import Message
from app.sequences.repository import MessageFilter, MessageRepository
from app.sequences.schemas import MessageRead

DUE: Final = "sign"
DEAD: Final = frozenset({"dead"})
RESENDABLE: Final = frozenset({"unknown", "failed", "dead"})
ARRIVED: Final = frozenset({"email_delivered", "email_opened", "email_clicked", "email_replied"})
SIGNS: Final = frozenset({*ARRIVED, "email_bounced", "email_complained"})
BY_A_HUMAN: Final = frozenset({"email_opened", "email_clicked", "email_replied"})
DELIVERY: Final = {
    "email_delivered": "delivered",
    "email_bounced": "bounced",
    "email_complained": "complained",
}
RANK: Final = ("none", "delivered", "bounced", "complained")
"""A later word of these wins: a complaint is never forgotten for a delivery that is told late."""


async def find(session: Session, message_id: UUID) -> Message:
    """Return a message's row; raises MessageNotFound."""
    message = await MessageRepository(session).get(message_id)
    if message is None:
        raise MessageNotFound
    return message


async def page(session: Session, paging: Paging, by: MessageFilter) -> Page[MessageRead]:
    """Return messages, the newest first."""
    live = await candidates.resolve_many(session, by.candidate_id)
    asked = replace(by, candidate_id=[live.get(each, each) for each in by.candidate_id])
    bound = ("messages", *(sorted(map(str, values)) for values in vars_of(asked)))
    repository = MessageRepository(session)
    rows, total = await repository.newest(repository.narrowed(asked), paging, *bound)
    return paging.page(rows, MessageRead.model_validate, lambda row: [row.id], *bound, total=total)


def vars_of(by: MessageFilter) -> tuple[Sequence[object], ...]:
    """Return the filters in their order, for binding a cursor to them."""
    return by.sequence_id, by.enrollment_id, by.candidate_id, by.state, by.step


async def topics_of(session: Session, message_ids: Collection[str]) -> dict[str, list[str]]:
    """Return what the content is about in those of our mails that have these Message-IDs, without angle brackets."""
    rows = await repository.topics(session, [f"<{each}>" for each in message_ids])
    return {row.message_id_header.strip("<>"): list(row.topics) for row in rows}


async def resend(session: Session, message: Message, states: frozenset[str] = RESENDABLE) -> MessageRead:
    """Let the same message go again, through the gate; raises MessageState."""
    _, held = await outcomes.hold(session, message.enrollment_id, message.id)
    if held.state not in states:
        raise MessageState
    moment = now()
    held.state, held.reasons, held.failures = "scheduled", [], 0
    held.attempt, held.resent = held.attempt + 1, True
    held.due_at = held.scheduled_at = moment
    held.touch()
    await MessageRepository(session).save()
    session.wake("sender")
    return MessageRead.model_validate(held)


async def settle(session: Session, message: Message, outcome: Literal["sent", "not_sent"]) -> MessageRead:
    """Say what became of an unknown message; raises MessageState."""
    enrollment, held = await outcomes.hold(session, message.enrollment_id, message.id)
    if held.state != "unknown":
        raise MessageState
    if outcome == "sent":
        await outcomes.sent(session, [(enrollment, held, held.smtp)], held.transmitting_at or now())
    else:
        await outcomes.failed(session, enrollment, held, held.smtp, None)
    return MessageRead.model_validate(await MessageRepository(session).hold(held.id))


async def take_signs(session: Session, blocks: Sequence[UUID]) -> None:
    """Let touchpoints of these blocks of ids that carry the Message-ID of a mail of ours say what became of it."""
    answered: dict[UUID, datetime] = {}
    for sign in await repository.signs(session, blocks, sorted(SIGNS)):
        enrollment, message = await outcomes.hold(session, sign.enrollment_id, sign.id)
        told = DELIVERY.get(sign.type, "delivered")
        if RANK.index(told) > RANK.index(message.delivery):
            message.delivery = told
            message.touch()
            await session.flush()
        if message.state == "unknown" and sign.type in ARRIVED:
            await outcomes.sent(session, [(enrollment, message, message.smtp)], message.transmitting_at or now())
        elif message.state == "unknown" and sign.type == "email_bounced":
            await outcomes.failed(session, enrollment, message, message.smtp, None)
        if sign.actor == "human" and sign.type in BY_A_HUMAN:
            answered[message.id] = max(sign.occurred_at, answered.get(message.id, sign.occurred_at))
    await consent.human_signs(session, answered)
