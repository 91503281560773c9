"""The sender: claims due messages, asks the gate, lets each leave once, and writes down what became of it.

Four short transactions a message: claimed, asked, transmitting, finished. What a worker may still write is fenced by
the attempt and by its own id, so a worker that was taken for dead can do no harm, and a mail that may have left is
never sent again by itself.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from app.candidates import service as candidates
from app.kit import caller, due
from app.kit.caller import Caller
from app.kit.clock import now
from app.kit.db import Database, Session
from app.kit.log import get_logger
from app.kit.presence import Presence, held
from app.sequences import enrollments, gate, links, outcomes, queue, repository, templates, wire
from app.sequences.errors import TemplateInvalid, TemplateLimit
from app.sequences.gate import Later, Left, Pass, Refused
from app.sequences.mailer import Envelope, Mailer, Outcome
from app.sequences.models import Enrollment, Message
from app.sequences.render import Facts, Wording
from app.sequences.repository import TemplateRevisionRepository
from app.sequences.wire import AddressRefused, Mail
from app.settings import Settings

log = get_logger(__name__)

POLL_S: Final = 1.0
GRACE_S: Final = 5.0
FRESH: Final = timedelta(seconds=1)
"""How long the gate's answer is relied on while the mail server is spoken to; after that it is asked again."""
FINISH_PAUSES_S: Final = (0.0, 0.2, 1.0, 5.0, 15.0)
LOST_BATCH: Final = 200
RENDER_FAILED: Final = {"code": "render_failed", "detail": "The template cannot be rendered for this person."}
SENDER_INCOMPLETE: Final = {"code": "sender_incomplete", "detail": "The tenant's sender has no usable from_email."}


@dataclass(frozen=True, slots=True)
class Claim:
    """One message that this worker holds, for one attempt."""

    caller: Caller
    message_id: UUID
    enrollment_id: UUID
    attempt: int


@dataclass(frozen=True, slots=True)
class Ready:
    """What the gate has let pass: everything that the mail is made of."""

    wording: Wording
    facts: Facts
    to: str
    message_id_header: str
    mailto: str | None
    asked_at: datetime

    def envelope(self, rendered_subject: str, html: str, text: str) -> Envelope:
        """Return the bytes and their way; raises AddressRefused."""
        sender = self.facts.sender
        mail = Mail(
            message_id=self.message_id_header,
            at=self.asked_at,
            from_name=sender.get("name") or "",
            from_email=sender["from_email"],
            to=self.to,
            reply_to=sender.get("reply_to"),
            subject=rendered_subject,
            html=html,
            text=text,
            unsubscribe_url=self.facts.unsubscribe_url,
            unsubscribe_mailto=self.mailto,
        )
        return Envelope(wire.address(mail.from_email), wire.address(self.to), wire.write(mail))


class Sender:
    """The sending of one worker."""

    def __init__(self, database: Database, settings: Settings, mailer: Mailer, worker: UUID) -> None:
        self._database, self._settings, self._mailer, self._worker = database, settings, mailer, worker
        self._busy: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Send for ever."""
        async with held(self._database, self._worker) as presence:
            try:
                await self._send_for_ever(presence)
            finally:
                if self._busy:
                    await asyncio.wait(self._busy, timeout=GRACE_S)

    async def _send_for_ever(self, presence: Presence) -> None:
        tended_at = now() - timedelta(days=1)
        while True:
            if now() - tended_at >= timedelta(seconds=POLL_S):
                await presence.check()
                await self.tend()
                tended_at = now()
            await self._fill()
            await self._wait()

    async def once(self) -> int:
        """Do everything that is due now, and wait for it; return how many messages were taken."""
        async with held(self._database, self._worker):
            await self.tend()
            taken = await self._fill()
            while self._busy:
                await asyncio.wait(self._busy)
        return taken

    async def tend(self) -> None:
        """Let waits end, and take care of what dead workers held."""
        await due.run_kind(self._database, enrollments.DUE)
        for tenant_id in await self._tenants():
            async with self._database.transaction(caller.system(tenant_id, "sender")) as session:
                lost = await queue.lost(session, LOST_BATCH)
            for row in lost:
                await self._rescue(Claim(session.caller, row.id, row.enrollment_id, row.attempt), row.state)

    async def _tenants(self) -> Sequence[UUID]:
        async with self._database.outside() as connection:
            return await repository.sender_tenants(connection)

    async def _fill(self) -> int:
        free = self._settings.send_lanes - len(self._busy)
        claims = await self._claim(free) if free > 0 else []
        for claim in claims:
            task = asyncio.create_task(self.deliver(claim))
            self._busy.add(task)
            task.add_done_callback(self._busy.discard)
        return len(claims)

    async def _wait(self) -> None:
        if len(self._busy) == self._settings.send_lanes:
            await asyncio.wait(self._busy, timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED)
        else:
            await asyncio.sleep(POLL_S / 20 if self._busy else POLL_S / 2)

    async def _claim(self, most: int) -> list[Claim]:
        claims: list[Claim] = []
        tenants = await self._tenants()
        share = -(-most // max(len(tenants), 1))
        for tenant_id in tenants:
            if len(claims) >= most:
                break
            who = caller.system(tenant_id, "sender")
            async with self._database.transaction(who) as session:
                rows = await queue.claim(session, self._worker, min(share, most - len(claims)))
            claims += [Claim(who, row.id, row.enrollment_id, row.attempt) for row in rows]
        return claims

    async def deliver(self, claim: Claim) -> None:
        """Bring one claimed message to its outcome."""
        try:
            ready = await self._ask(claim)
            envelope = await self._write(claim, ready) if ready is not None else None
            if ready is None or envelope is None:
                return
            outcome = await self._mailer.send(envelope, lambda: self._begin(claim, ready))
        except Exception as error:  # a bug or a lost database: what is certain of the message stands in its state
            log.error("sender.attempt_failed", message=str(claim.message_id), exc_info=error)
            outcome = None
        await self._finish(claim, outcome)

    async def _ask(self, claim: Claim) -> Ready | None:
        async with self._database.transaction(claim.caller) as session:
            found = await self._held(session, claim, "claimed")
            return await self._pass(session, *found) if found is not None else None

    async def _pass(self, session: Session, enrollment: Enrollment, message: Message) -> Ready | None:
        live = enrollments.live_of(enrollment, await enrollments.lives(session, [enrollment]))
        verdict = await gate.ask(session, message, enrollment, live.definition)
        if isinstance(verdict, Pass):
            return await self._prepare(session, enrollment, message, verdict)
        if isinstance(verdict, Left):
            await outcomes.cancelled(session, enrollment, message, verdict.word, verdict.touchpoint_id)
        elif isinstance(verdict, Refused):
            decision = verdict.decision
            await outcomes.refused(session, enrollment, message, verdict.reasons, decision.id if decision else None)
        elif isinstance(verdict, Later):
            await outcomes.put_off(session, message, verdict.at, verdict.reasons)
        return None

    async def _prepare(self, session: Session, enrollment: Enrollment, message: Message, passed: Pass) -> Ready | None:
        sender = await templates.sender(session)
        try:
            header = message.message_id_header or wire.message_id(message.id, sender.get("from_email") or "")
        except AddressRefused:
            await outcomes.refused(session, enrollment, message, [SENDER_INCOMPLETE], passed.decision.id)
            return None
        await outcomes.passed(session, message, passed, header)
        wordings = await TemplateRevisionRepository(session).of([(message.template_id, message.template_revision)])
        facts = await candidates.facts(session, [message.candidate_id])
        link = links.Link(session.tenant_id, message.id)
        return Ready(
            wording=templates.wording(wordings[message.template_id]),
            facts=Facts(
                candidate=facts.get(message.candidate_id, {}),
                sender=sender,
                unsubscribe_url=links.unsubscribe_url(self._settings.base_url, link),
                content=await enrollments.content_of(session, message),
            ),
            to=passed.to,
            message_id_header=header,
            mailto=sender.get("unsubscribe_mailto"),
            asked_at=now(),
        )

    async def _write(self, claim: Claim, ready: Ready) -> Envelope | None:
        try:
            rendered = await templates.rendered_or_refused(ready.wording, ready.facts)
            return ready.envelope(rendered.subject, rendered.html, rendered.text)
        except (TemplateInvalid, TemplateLimit, AddressRefused):
            async with self._database.transaction(claim.caller) as session:
                if found := await self._held(session, claim, "claimed"):
                    await outcomes.refused(session, *found, [RENDER_FAILED], found[1].decision_id)
            return None

    async def _begin(self, claim: Claim, ready: Ready) -> bool:
        """Write down that the mail may have left from now on; False when it must not any more."""
        async with self._database.transaction(claim.caller) as session:
            found = await self._held(session, claim, "claimed")
            if found is None:
                return False
            if now() - ready.asked_at > FRESH:
                again = await self._pass(session, *found)
                if again is None or again.to != ready.to:
                    return False
            await outcomes.transmitting(session, found[1])
            return True

    async def _finish(self, claim: Claim, outcome: Outcome | None) -> None:
        if outcome is not None and outcome.is_our_fault:
            log.error("sender.refused_by_server", code=outcome.code)
        if outcome is not None and outcome.kind == "withheld":
            return
        for pause in FINISH_PAUSES_S:
            await asyncio.sleep(pause)
            try:
                await self._try_to_finish(claim, outcome)
            except Exception as error:  # the database may be away: what became of the mail must not be lost for that
                log.warning("sender.finish_failed", message=str(claim.message_id), exc_info=error)
            else:
                return

    async def _try_to_finish(self, claim: Claim, outcome: Outcome | None) -> None:
        async with self._database.transaction(claim.caller) as session:
            found = await self._held(session, claim, "claimed", "transmitting", "unknown")
            if found is not None:
                uncertain = Outcome("unknown" if found[1].state == "transmitting" else "retry")
                await self._record(session, found[0], found[1], outcome or uncertain)

    async def _record(self, session: Session, enrollment: Enrollment, message: Message, outcome: Outcome) -> None:
        reply: outcomes.Reply = {"code": outcome.code, "reply": outcome.reply} if outcome.code else None
        if outcome.kind == "sent":
            await outcomes.sent(session, enrollment, message, reply, now())
        elif outcome.kind == "failed":
            await outcomes.failed(session, enrollment, message, reply, outcome.bounce)
        elif message.state == "unknown":
            return
        elif outcome.kind == "unknown":
            await outcomes.unknown(session, enrollment, message)
        else:
            base_s = self._settings.send_retry_base_s
            await outcomes.retry(session, enrollment, message, reply, base_s=base_s)

    async def _rescue(self, claim: Claim, state: str) -> None:
        async with self._database.transaction(claim.caller) as session:
            enrollment, message = await outcomes.hold(session, claim.enrollment_id, claim.message_id)
            if (message.attempt, message.state) != (claim.attempt, state):
                return
            if state == "claimed":
                await outcomes.hand_back(session, message)
            else:
                await outcomes.unknown(session, enrollment, message)

    async def _held(self, session: Session, claim: Claim, *states: str) -> tuple[Enrollment, Message] | None:
        """Lock a claimed message with its enrollment; None when this attempt may not write it any more."""
        enrollment, message = await outcomes.hold(session, claim.enrollment_id, claim.message_id)
        is_ours = message.attempt == claim.attempt and message.state in states
        is_ours = is_ours and message.worker in {self._worker, None}
        return (enrollment, message) if is_ours else None
