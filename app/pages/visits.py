"""The page of one person behind a link of their own: what a GET shows, and what a POST does.

Preferences are open to who has the link. What is kept of the person is shown only to who also answers with a code that
was mailed to them; the page that is opened so carries a pass with which its own buttons act for a while.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from app.candidates import service as candidates
from app.consent import suppressions
from app.consent.address import hint_of
from app.consent.schemas import SuppressionCheck
from app.kit import crypto, outbox
from app.kit.clock import now
from app.kit.db import Session
from app.kit.outbox import Wake
from app.pages import html, record, tokens, topics
from app.pages.door import Form, one
from app.pages.models import PageToken
from app.pages.reader import Asked, Reader, reader_of
from app.pages.repository import PageTokenRepository
from app.privacy import service as privacy

CODE_DUE: Final = "page_code"
CODE_FOR: Final = timedelta(minutes=15)
PASS_FOR: Final = timedelta(minutes=30)
MOST_USES: Final = 200
MOST_CODES: Final = 5
MOST_TRIES: Final = 5
REASON: Final = "asked by the person on their page"
PREFERENCES: Final = "preferences"
HARMLESS: Final = frozenset({"unsubscribed"})
"""Who wants no more mails still gets the code that they ask for."""


@dataclass(frozen=True, slots=True)
class File:
    """Something to be kept by the person."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Shown:
    """A page; `is_found` is False when there is nothing behind the link."""

    body: str
    is_found: bool = True


Outcome = Shown | File


@dataclass(frozen=True, slots=True)
class Visit:
    """A link that is good, and who reads its page."""

    session: Session
    link: PageToken
    reader: Reader
    person: UUID

    @property
    def page(self) -> str:
        """What statements made here name as where they were made."""
        return f"page:{self.link.kind}:{self.link.id}"


async def show(session: Session, token: str, asked: Asked) -> Outcome:
    """Show the page of a link; nothing is written."""
    visit = await _enter(session, token, asked, lock=False)
    if not isinstance(visit, Visit):
        return visit
    return await (_preferences(visit) if visit.link.kind == PREFERENCES else _door(visit))


async def act(session: Session, token: str, asked: Asked, fields: Form) -> Outcome:
    """Do what a button of a page asks for."""
    visit = await _enter(session, token, asked, lock=True)
    if not isinstance(visit, Visit):
        return visit
    visit.link.uses += 1
    visit.link.used_at = now()
    await session.flush()
    if visit.link.kind == PREFERENCES:
        return await _prefer(visit, fields)
    if one(fields, "action") == "code":
        return await _send_code(visit)
    if one(fields, "action") == "open":
        return await _open(visit, one(fields, "code"))
    if not tokens.is_pass(one(fields, "pass"), session.tenant_id, visit.link.id, now()):
        return await _door(visit, notice="code_old")
    return await _ACTS.get(one(fields, "action"), _record)(visit, fields)


async def _enter(session: Session, token: str, asked: Asked, *, lock: bool) -> Visit | Shown:
    link = await PageTokenRepository(session).by_hash(tokens.hash_of(token), lock=lock)
    if link is None or link.expires_at <= now() or link.uses >= MOST_USES:
        return Shown(html.lost(), is_found=False)
    reader = await reader_of(session, link.candidate_id, asked)
    if reader.person is None:
        return Shown(html.notice(reader, "gone_title", "gone"), is_found=False)
    return Visit(session, link, reader, reader.person)


async def _preferences(visit: Visit) -> Shown:
    return Shown(html.preferences(visit.reader, await topics.topics_of(visit.session, visit.person)))


async def _prefer(visit: Visit, fields: Form) -> Shown:
    person, reader = visit.person, visit.reader
    if one(fields, "action") == "stop":
        await topics.stop(visit.session, person, reader.words, reader.company, visit.page, f"page:{visit.link.id}")
        return Shown(html.notice(reader, "done_title", "done"))
    if one(fields, "action") != "choose":
        return await _preferences(visit)
    await topics.choose(visit.session, person, fields.get("keep", []), reader.words, reader.company, visit.page)
    kept = [topic for topic in await topics.topics_of(visit.session, person) if topic.is_on]
    return Shown(html.chosen(reader, kept))


async def _door(visit: Visit, notice: str | None = None) -> Shown:
    """Show the way in: ask for a code, and answer with it once one is on its way."""
    address = await _address(visit)
    is_sent = visit.link.code_expires_at is not None and visit.link.code_expires_at > now()
    return Shown(
        html.door(
            visit.reader,
            hint=hint_of("email", address) if address else None,
            is_sent=is_sent,
            is_spent=visit.link.codes >= MOST_CODES,
            notice=notice,
        )
    )


async def _send_code(visit: Visit) -> Shown:
    if visit.link.codes < MOST_CODES and await _address(visit):
        visit.link.codes += 1
        visit.link.tries = 0
        visit.link.code_expires_at = now() + CODE_FOR
        await visit.session.flush()
        await outbox.schedule(visit.session, Wake(CODE_DUE, visit.link.id))
    return await _door(visit)


async def _open(visit: Visit, code: str) -> Shown:
    link = visit.link
    if link.code_expires_at is None or link.code_expires_at <= now() or link.tries >= MOST_TRIES:
        link.code_expires_at = None
        await visit.session.flush()
        return await _door(visit, notice="code_old")
    right = tokens.code_of(visit.session.tenant_id, link.id, link.codes)
    if not crypto.same(tokens.digits(code).encode(), right.encode()):
        link.tries += 1
        await visit.session.flush()
        return await _door(visit, notice="code_wrong")
    return await _record(visit, {})


async def _record(visit: Visit, _: Form, notice: str | None = None) -> Shown:
    kept = await record.read(visit.session, visit.person)
    found = await topics.topics_of(visit.session, visit.person)
    earned = tokens.pass_of(visit.session.tenant_id, visit.link.id, now() + PASS_FOR)
    return Shown(html.record(visit.reader, visit.link.kind, kept, found, earned, notice))


async def _correct(visit: Visit, fields: Form) -> Shown:
    outcome = await record.correct(visit.session, visit.person, fields)
    if outcome == "corrected":
        await topics.tell(visit.session, visit.person, "profile_updated", None)
        await candidates.interacted(visit.session, {visit.person: now()})
    return await _record(visit, fields, notice=outcome)


async def _choose(visit: Visit, fields: Form) -> Shown:
    reader, kept = visit.reader, fields.get("keep", [])
    await topics.choose(visit.session, visit.person, kept, reader.words, reader.company, visit.page)
    return await _record(visit, fields, notice="chosen_title")


async def _download(visit: Visit, _: Form) -> File:
    return File("my-data.json", await privacy.export_file(visit.session, visit.person, visit.page))


async def _erase(visit: Visit, fields: Form) -> Shown:
    if one(fields, "sure") != "yes":
        earned = tokens.pass_of(visit.session.tenant_id, visit.link.id, now() + PASS_FOR)
        return Shown(html.erase_question(visit.reader, earned))
    await privacy.erase(visit.session, visit.person, REASON)
    return Shown(html.notice(visit.reader, "erased_title", "erased"))


_ACTS: Final[Mapping[str, Callable[[Visit, Form], Awaitable[Outcome]]]] = {
    "correct": _correct,
    "choose": _choose,
    "download": _download,
    "erase": _erase,
}


async def _address(visit: Visit) -> str | None:
    return await address_of(visit.session, visit.link)


async def address_of(session: Session, link: PageToken) -> str | None:
    """Return where a code for a link can be mailed to; None when there is no such address."""
    live = (await candidates.resolve_many(session, [link.candidate_id])).get(link.candidate_id)
    found = await candidates.mail_address(session, live) if live else None
    if found is None or found.state == "bounced":
        return None
    held = await suppressions.check(session, SuppressionCheck(channel="email", value=found.value))
    return None if {each.reason for each in held.data} - HARMLESS else found.value
