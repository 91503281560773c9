"""What a mail is made of: read for those whom the gate let pass, and turned into bytes beside the event loop."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.contents import service as contents
from app.contents.schemas import ContentRead
from app.kit.clock import now
from app.kit.db import Session
from app.sequences import choice, definition, links, outcomes, render, templates, traces, wire
from app.sequences.choice import Taste
from app.sequences.definition import ContentChoice, Send
from app.sequences.gate import Pass, Refused
from app.sequences.kept import Kept
from app.sequences.mailer import Envelope
from app.sequences.render import Facts, Wording
from app.sequences.repository import TemplateRevisionRepository
from app.sequences.tracking import Tracker
from app.sequences.wire import AddressRefused, Mail
from app.tenancy import service as tenancy
from app.touchpoints import service as touchpoints

SENDER_INCOMPLETE: Final = {"code": "sender_incomplete", "detail": "The tenant's sender has no usable from_email."}
NO_CONTENT: Final = {"code": "no_content", "detail": "There is no content that the person has not had."}
Chosen = tuple[UUID | None, Mapping[str, Any] | None]
"""The content of a mail, and why it is that one."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Everything that one mail is made of."""

    message_id: UUID
    wording: Wording
    facts: Facts
    to: str
    message_id_header: str
    mailto: str | None
    tracker: Tracker
    asked_at: datetime
    is_conditional: bool
    """Whether the person leaves by a condition that time alone may fulfil."""

    def envelope(self) -> tuple[Envelope, Sequence[str]]:
        """Return the bytes and their way, and where tracked links lead; raises Refused of liquid, AddressRefused."""
        rendered = render.render(self.wording, self.facts)
        page, urls = self.tracker.track(rendered.html)
        sender = self.facts.sender
        mail = Mail(
            message_id=self.message_id_header,
            at=self.asked_at,
            from_name=sender.get("name") or "",
            from_email=sender["from_email"],
            to=self.to,
            reply_to=sender.get("reply_to"),
            subject=rendered.subject,
            html=page,
            text=rendered.text,
            unsubscribe_url=self.facts.unsubscribe_url,
            unsubscribe_mailto=self.mailto,
        )
        return Envelope(wire.address(mail.from_email), wire.address(self.to), wire.write(mail)), urls


def hash_of(envelope: Envelope) -> str:
    """Return the SHA-256 of a mail's bytes, in hex."""
    return hashlib.sha256(envelope.data).hexdigest()


_wordings: Final = Kept[Wording](256)


async def prepare(
    session: Session, base_url: str, passed: Sequence[tuple[Any, Pass]]
) -> tuple[list[Ready], list[tuple[Any, Refused]]]:
    """Note that the gate let these held messages pass; return what they are made of, and those that lack something."""
    sender = await templates.sender(session)
    try:
        headers = {
            row.id: row.message_id_header or wire.message_id(row.id, sender.get("from_email") or "")
            for row, _ in passed
        }
    except AddressRefused:
        return [], [(row, Refused([SENDER_INCOMPLETE], by.decision)) for row, by in passed]
    chosen = await _choose(session, passed)
    complete = [(row, by) for row, by in passed if row.id in chosen]
    lacking = [(row, Refused([NO_CONTENT], by.decision)) for row, by in passed if row.id not in chosen]
    if not complete:
        return [], lacking
    noted = [
        {
            "id": row.id,
            "to": by.to,
            "header": headers[row.id],
            "decision_id": by.decision.id,
            "consent_id": by.decision.consent_id,
            "content_id": chosen[row.id][0],
            "content_reason": chosen[row.id][1],
        }
        for row, by in complete
    ]
    await outcomes.passed(session, noted, {row.id: row.candidate_id for row, _ in complete})
    wordings = await _wordings_of(session, {(row.template_id, row.template_revision) for row, _ in complete})
    shown = await contents.many(session, {content for content, _ in chosen.values() if content is not None})
    wanted = (await tenancy.read(session)).tracking
    ready = [
        Ready(
            message_id=row.id,
            wording=wordings[row.template_id, row.template_revision],
            facts=Facts(
                candidate=by.person.facts,
                sender=sender,
                unsubscribe_url=links.unsubscribe_url(base_url, links.Link(session.tenant_id, row.id)),
                content=templates.content_facts(shown.get(chosen[row.id][0] or row.id)),
            ),
            to=by.to,
            message_id_header=headers[row.id],
            mailto=sender.get("unsubscribe_mailto"),
            tracker=Tracker(links.Link(session.tenant_id, row.id), base_url, wanted.opens, wanted.links),
            asked_at=now(),
            is_conditional=by.live.definition.exit_if is not None,
        )
        for row, by in complete
    ]
    return ready, lacking


async def _wordings_of(session: Session, wanted: set[tuple[UUID, int]]) -> dict[tuple[UUID, int], Wording]:
    """Return what these (template, revision) pairs say; it never changes, so it is read once."""
    known = {pair: found for pair in wanted if (found := _wordings.get(session.tenant_id, *pair)) is not None}
    for pair, revision in (await TemplateRevisionRepository(session).pairs(wanted - known.keys())).items():
        known[pair] = templates.wording(revision)
        _wordings.put(known[pair], session.tenant_id, *pair)
    return known


async def _choose(session: Session, passed: Sequence[tuple[Any, Pass]]) -> dict[UUID, Chosen]:
    """Return message → its content, chosen now where the step leaves that open; absent where there is none to choose.

    The people are held, so that nobody is sent the same content by two steps at once.
    """
    chosen: dict[UUID, Chosen] = {row.id: (row.content_id, row.content_reason) for row, _ in passed}
    asked = {
        row.id: (row, by, wanted)
        for row, by in passed
        if row.content_id is None and (wanted := _wanted(row, by)) is not None
    }
    if not asked:
        return chosen
    offered = await contents.offered(session, {wanted.kind for _, _, wanted in asked.values()})
    people = [row.candidate_id for row, _, _ in asked.values()]
    seen = await traces.seen(session, people)
    tastes = await _tastes(session, [(row.candidate_id, by) for row, by, _ in asked.values()])
    for message_id, (row, _, wanted) in asked.items():
        left = [each for each in offered if each.kind == wanted.kind and (row.candidate_id, each.id) not in seen]
        found = _pick(left, tastes[row.candidate_id], wanted, row)
        if found is None:
            del chosen[message_id]
        else:
            chosen[message_id] = found
    return chosen


def _wanted(row: Any, by: Pass) -> ContentChoice | None:  # noqa: ANN401 (a row)
    step = definition.find(by.live.definition, row.step)
    return step.content if isinstance(step, Send) and step.content and step.content.pick == "best" else None


def _pick(left: Sequence[ContentRead], taste: Taste, wanted: ContentChoice, row: Any) -> Chosen | None:  # noqa: ANN401 (a row)
    try:
        found, reason = choice.content(left, taste, wanted, row.sequence_id, row.step, row.candidate_id, row.occurrence)
    except LookupError:
        return None
    return found.id, reason


async def _tastes(session: Session, people: Sequence[tuple[UUID, Pass]]) -> dict[UUID, Taste]:
    told = await touchpoints.signals_of(session, [candidate_id for candidate_id, _ in people])
    return {
        candidate_id: Taste(
            interests=by.person.facts.get("interests") or (),
            answered=[
                topic for signal in told.get(candidate_id, ()) if signal.actor == "human" for topic in signal.topics
            ],
            language=by.person.facts.get("language"),
        )
        for candidate_id, by in people
    }
