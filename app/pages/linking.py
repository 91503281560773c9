"""Making a link to a person's own page."""

from datetime import timedelta
from typing import Final, Literal
from uuid import UUID

from app.candidates import service as candidates
from app.kit.clock import now
from app.kit.db import Session
from app.kit.ids import new_id
from app.pages import tokens
from app.pages.models import PageToken
from app.pages.repository import PageTokenRepository
from app.pages.schemas import PageLinkRead

GOOD_FOR: Final = timedelta(days=7)
"""Long enough to be found in a mailbox after a holiday, short enough not to lie there for ever."""


async def make(
    session: Session, candidate_id: UUID, kind: Literal["profile", "preferences", "privacy"], base_url: str
) -> PageLinkRead:
    """Make a link to a live candidate's page; the token is told only here."""
    token = tokens.new_token()
    link = PageToken(
        id=new_id(),
        token_hash=tokens.hash_of(token),
        kind=kind,
        candidate_id=candidate_id,
        expires_at=now() + GOOD_FOR,
    )
    await PageTokenRepository(session).add(link)
    return PageLinkRead(url=f"{base_url}/p/{token}", expires_at=link.expires_at)


async def live(session: Session, candidate_id: UUID) -> UUID:
    """Return whom an id means now; raises CandidateNotFound, CandidateErased."""
    return await candidates.resolve(session, candidate_id)
