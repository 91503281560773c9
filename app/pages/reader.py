"""Who reads a page: in which words, of which company, and as whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from app.candidates import service as candidates
from app.kit.db import Session
from app.pages.wording import Words, words_for
from app.tenancy import service as tenancy


@dataclass(frozen=True, slots=True)
class Asked:
    """Which language the page's own switch asks for, and which the browser prefers, the most wanted first."""

    switched: str | None = None
    preferred: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Reader:
    """The words of the page, the company it is of, and whom to turn to; `person` is None when nobody is left."""

    words: Words
    company: str
    contact: str | None
    person: UUID | None


async def reader_of(session: Session, candidate_id: UUID | None, asked: Asked) -> Reader:
    """Return who reads a page about a candidate: in their own language, unless the page was switched to another."""
    live = (await candidates.resolve_many(session, [candidate_id])).get(candidate_id) if candidate_id else None
    known = await candidates.facts(session, [live]) if live else {}
    own: str | None = known.get(live, {}).get("language") if live else None
    sender = (tenant := await tenancy.read(session)).sender
    return Reader(
        words_for(asked.switched, own, *asked.preferred),
        sender.name or tenant.name,
        sender.complaint_contact or sender.reply_to or sender.from_email,
        live,
    )
