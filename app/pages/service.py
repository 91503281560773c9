"""What the links of a mail show and do: the page that unsubscribes, the picture, the links that are led through us."""

from collections.abc import Collection, Sequence
from uuid import UUID

from app.consent import service as consent
from app.kit.clock import now
from app.kit.db import Session
from app.pages import repository, topics
from app.pages.reader import Asked, Reader, reader_of
from app.pages.topics import SOURCE, Topic
from app.sequences import messages
from app.sequences.errors import MessageNotFound
from app.sequences.links import Click
from app.sequences.schemas import MessageRead
from app.touchpoints import service as touchpoints
from app.touchpoints.schemas import EvidenceIn, TouchpointIn


async def show(session: Session, message_id: UUID, asked: Asked) -> tuple[Reader, Sequence[Topic]]:
    """Return who opens the page of a message, and what they may choose; also when they are merged, erased or gone."""
    message = await _message(session, message_id)
    reader = await reader_of(session, _whom(message), asked)
    return reader, await topics.topics_of(session, reader.person) if reader.person else ()


async def unsubscribe(session: Session, message_id: UUID, asked: Asked) -> Reader:
    """Take the person of a message at their word: a withdrawal, a suppression, one touchpoint however often."""
    message = await _message(session, message_id)
    if message is not None:
        source = f"message:{message.id}"
        await consent.unsubscribe(session, message.candidate_id, message.channel, message.purpose, message.to, source)
        await _tell(session, message, "email_unsubscribed", event=f"{message.id}:unsubscribed")
    return await reader_of(session, _whom(message), asked)


async def choose(session: Session, message_id: UUID, kept: Collection[str], asked: Asked) -> tuple[Reader, list[Topic]]:
    """Let the person of a message receive just these topics; return what they receive from now on."""
    message = await _message(session, message_id)
    reader = await reader_of(session, _whom(message), asked)
    if reader.person is None:
        return reader, []
    await topics.choose(session, reader.person, kept, reader.words, reader.company, f"message:{message_id}")
    return reader, [topic for topic in await topics.topics_of(session, reader.person) if topic.is_on]


async def opened(session: Session, message_id: UUID, evidence: EvidenceIn) -> None:
    """Note that the picture of a mail was fetched, by whatever it was that did."""
    message = await _message(session, message_id)
    if message is not None and message.message_id_header is not None:
        await _tell(session, message, "email_opened", evidence=evidence)


async def clicked(session: Session, click: Click, evidence: EvidenceIn) -> str | None:
    """Note that a link of a mail was followed, and return where it leads; None when nobody knows any more."""
    url = await repository.url_of(session, click.link.message_id, click.n)
    message = await _message(session, click.link.message_id) if url is not None else None
    if message is not None:
        await _tell(session, message, "email_clicked", evidence=evidence, url=url)
    return url


async def target(session: Session, click: Click) -> str | None:
    """Return where a link of a mail leads, and note nothing."""
    return await repository.url_of(session, click.link.message_id, click.n)


async def _tell(
    session: Session,
    message: MessageRead,
    type_: str,
    *,
    event: str | None = None,
    evidence: EvidenceIn | None = None,
    **data: str | None,
) -> None:
    told = TouchpointIn(
        candidate_id=message.candidate_id,
        type=type_,
        occurred_at=now(),
        source=SOURCE,
        external_id=event,
        topics=[],
        data={"message_id": message.message_id_header, **data},
        evidence=evidence,
    )
    await touchpoints.ingest(session, [told])


async def _message(session: Session, message_id: UUID) -> MessageRead | None:
    try:
        return MessageRead.model_validate(await messages.find(session, message_id))
    except MessageNotFound:  # its tenant may have removed it; the link stays good for all that
        return None


def _whom(message: MessageRead | None) -> UUID | None:
    return None if message is None else message.candidate_id
