"""What a person receives by mail, topic by topic, and what becomes of it when they choose."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from app.consent import evidence, gate, ledger
from app.consent import service as consent
from app.consent.contact import Question
from app.consent.schemas import ConsentStatement
from app.kit.clock import now
from app.kit.db import Session
from app.pages.wording import Words
from app.touchpoints import service as touchpoints
from app.touchpoints.schemas import TouchpointIn

CHANNEL: Final = "email"
OFFERED: Final = ("recruiting", "talent_pool", "events", "newsletter")
"""Purposes that everybody can choose; a tenant's own are offered to those who were asked for them once."""
NEEDED: Final = "service"
"""What answers the person themselves is no topic: it goes on."""
SOURCE: Final = "talentpool"


@dataclass(frozen=True, slots=True)
class Topic:
    """One purpose on the channel: whether mails for it arrive now, and whether the ledger has a grant for it."""

    purpose: str
    is_on: bool
    is_granted: bool


async def topics_of(session: Session, person: UUID) -> list[Topic]:
    """Return what a person receives and could receive; nothing for who is gone."""
    facts = await evidence.gather(session, [person])
    if not facts.knows(person):
        return []
    standings = ledger.standings(facts.people[person].statements, now())
    known = [purpose for purpose, channel in standings if channel == CHANNEL and purpose not in (*OFFERED, NEEDED)]
    return [_topic(facts, person, purpose, standings) for purpose in (*OFFERED, *sorted(known))]


def _topic(facts: evidence.Facts, person: UUID, purpose: str, standings: dict[Any, ledger.State]) -> Topic:
    state = standings.get((purpose, CHANNEL))
    is_granted = state is not None and state.standing == "granted"
    stopped = gate.is_unsubscribed(facts.case(Question(person, CHANNEL, purpose), now()))
    return Topic(purpose, is_granted and not stopped, is_granted)


async def choose(session: Session, person: UUID, kept: Collection[str], words: Words, company: str, page: str) -> None:
    """Let a person receive just these topics: what they tick anew is a consent of theirs, by the words of the page.

    A grant lifts an earlier unsubscription for all topics, so those that are not wanted are withdrawn.
    """
    statements = []
    for topic in await topics_of(session, person):
        if topic.purpose in kept and not topic.is_on:
            statements.append(_grant(person, topic.purpose, words, company, page))
        elif topic.purpose not in kept and topic.is_granted:
            statements.append(_statement(person, topic.purpose, "withdrawn", page))
    await consent.record_statements(session, statements)


async def stop(session: Session, person: UUID, words: Words, company: str, page: str, told: str) -> None:
    """Let a person receive nothing any more; `told` names the page's link, whose second press tells nothing new."""
    await choose(session, person, (), words, company, page)
    await consent.unsubscribe(session, person, CHANNEL, OFFERED[1], None, page)
    await tell(session, person, "email_unsubscribed", f"{told}:unsubscribed")


async def tell(
    session: Session, person: UUID, type_: str, event: str | None, data: dict[str, Any] | None = None
) -> None:
    """Write what a person did on a page into their timeline."""
    told = {
        "candidate_id": person,
        "type": type_,
        "occurred_at": now(),
        "source": SOURCE,
        "external_id": event,
        "data": data or {},
        "actor": "human",
    }
    await touchpoints.ingest(session, [TouchpointIn.model_validate(told)])


def label(words: Words, purpose: str) -> str:
    """Return what a topic is called."""
    return words.known(f"topic_{purpose}", purpose.replace("_", " "))


def _grant(person: UUID, purpose: str, words: Words, company: str, page: str) -> ConsentStatement:
    wording = words("grant", topic=label(words, purpose), company=company)
    return _statement(
        person, purpose, "granted", page, basis="consent", wording=wording, obtained_at=now(), lift_suppression=True
    )


def _statement(person: UUID, purpose: str, status: str, page: str, **more: Any) -> ConsentStatement:  # noqa: ANN401 (fields)
    return ConsentStatement.model_validate(
        {
            "candidate_id": person,
            "purpose": purpose,
            "channel": CHANNEL,
            "status": status,
            "evidence": {"kind": "form", "detail": page},
            **more,
        }
    )
