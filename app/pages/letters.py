"""Mailing the codes that people ask for on their pages: due rows, taken by a lease, so that a killed worker loses none.

A code may be mailed twice for that, which is harmless; it is never mailed to an address that must not be written to.
"""

import asyncio
import html
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.kit import caller
from app.kit.caller import Caller
from app.kit.clock import now
from app.kit.db import Database, Session
from app.kit.ids import new_id
from app.kit.log import get_logger
from app.pages import repository, tokens
from app.pages.reader import Asked, Reader, reader_of
from app.pages.repository import PageTokenRepository
from app.pages.visits import CODE_DUE, address_of
from app.sequences import wire
from app.sequences.mailer import Envelope, Mailer
from app.sequences.wire import AddressRefused, Mail
from app.tenancy import service as tenancy

log = get_logger(__name__)

LEASE_S: Final = 60
MOST_TRIES: Final = 5
POLL_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Letters:
    """The mailing of codes by one worker."""

    database: Database
    mailer: Mailer

    async def run(self) -> None:
        """Mail what is asked for, for ever."""
        while True:
            if not await self.once():
                await asyncio.sleep(POLL_S)

    async def once(self) -> int:
        """Mail what is asked for now; return how many that was."""
        mailed = 0
        for tenant_id in await repository.tenants_waiting(self.database, CODE_DUE):
            who = caller.system(tenant_id, CODE_DUE)
            async with self.database.transaction(who) as session:
                links = await repository.claim(session, CODE_DUE, LEASE_S)
            for link_id in links:
                await self._mail(who, link_id)
            mailed += len(links)
        return mailed

    async def _mail(self, who: Caller, link_id: UUID) -> None:
        async with self.database.transaction(who) as session:
            envelope = await _write(session, link_id)
        outcome = await self.mailer.send(envelope, _may_begin) if envelope is not None else None
        is_over = outcome is None or outcome.kind != "retry"
        if outcome is not None and outcome.kind != "sent":
            log.warning("page_code.not_sent", link=str(link_id), kind=outcome.kind, code=outcome.code)
        async with self.database.transaction(who) as session:
            await repository.settle(session, CODE_DUE, link_id, None if is_over else MOST_TRIES)


async def _may_begin() -> bool:
    return True


async def _write(session: Session, link_id: UUID) -> Envelope | None:
    """Return the mail with the last code of a link; None when it must not or cannot be written."""
    link = await PageTokenRepository(session).get(link_id)
    if link is None or link.code_expires_at is None or link.code_expires_at <= now():
        return None
    to, sender = await address_of(session, link), (await tenancy.read(session)).sender
    reader = await reader_of(session, link.candidate_id, Asked())
    if to is None or sender.from_email is None:
        return None
    try:
        mail = _mail(reader, tokens.code_of(session.tenant_id, link.id, link.codes), to, sender.from_email)
        return Envelope(wire.address(mail.from_email), wire.address(to), wire.write(mail))
    except AddressRefused:
        return None


def _mail(reader: Reader, code: str, to: str, from_email: str) -> Mail:
    text = f"{reader.words('mail_body', code=code)}\n\n{reader.company}"
    paragraphs = "".join(f"<p>{html.escape(each)}</p>" for each in text.split("\n\n"))
    return Mail(
        message_id=wire.message_id(new_id(), from_email),
        at=now(),
        from_name=reader.company,
        from_email=from_email,
        to=to,
        reply_to=None,
        subject=reader.words("mail_subject", code=code),
        html=f'<html lang="{reader.words.language}"><body>{paragraphs}</body></html>',
        text=text,
        unsubscribe_url=None,
        unsubscribe_mailto=None,
    )
