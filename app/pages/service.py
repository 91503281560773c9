"""What the pages show, and what their buttons do."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.candidates import service as candidates
from app.consent import service as consent
from app.kit.clock import now
from app.kit.db import Session
from app.pages.wording import Words, words_for
from app.sequences import messages
from app.sequences.errors import MessageNotFound
from app.sequences.schemas import MessageRead
from app.tenancy import service as tenancy
from app.touchpoints import service as touchpoints
from app.touchpoints.schemas import TouchpointIn

SOURCE: Final = "talentpool"


@dataclass(frozen=True, slots=True)
class Reader:
    """In which words the page speaks, and for which company."""

    words: Words
    company: str


async def reader(session: Session, message_id: UUID) -> Reader:
    """Return who opens the page of a message; also when the person is merged, erased or gone."""
    message = await _message(session, message_id)
    tenant = await tenancy.read(session)
    return Reader(words_for(await _language(session, message)), tenant.sender.name or tenant.name)


async def unsubscribe(session: Session, message_id: UUID) -> Reader:
    """Take the person of a message at their word: a withdrawal, a suppression, one touchpoint however often."""
    message = await _message(session, message_id)
    if message is not None:
        await consent.unsubscribe(
            session, message.candidate_id, message.channel, message.purpose, message.to, f"message:{message.id}"
        )
        told = TouchpointIn.model_validate(
            {
                "candidate_id": message.candidate_id,
                "type": "email_unsubscribed",
                "occurred_at": now(),
                "source": SOURCE,
                "external_id": f"{message.id}:unsubscribed",
                "data": {"message_id": message.message_id_header},
            }
        )
        await touchpoints.ingest(session, [told])
    return await reader(session, message_id)


async def _message(session: Session, message_id: UUID) -> MessageRead | None:
    try:
        return MessageRead.model_validate(await messages.find(session, message_id))
    except MessageNotFound:  # its tenant may have removed it; the link stays good for all that
        return None


async def _language(session: Session, message: MessageRead | None) -> str | None:
    if message is None:
        return None
    known = await candidates.facts(session, [message.candidate_id])
    language: str | None = known.get(message.candidate_id, {}).get("language")
    return language
