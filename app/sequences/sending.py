"""The sender: claims due messages, asks the gate, lets each leave once, and writes down what became of it.

Four short transactions: claimed, asked, transmitting, finished; each for as many messages as are at that point at the
moment. What a worker may still write is fenced by the attempt and by its own id, so a worker that was taken for dead
can do no harm, and a mail that may have left is never sent again by itself.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from app.kit import caller, due
from app.kit.caller import Caller
from app.kit.clock import now
from app.kit.db import Database, Session
from app.kit.log import get_logger
from app.kit.presence import Presence, held
from app.sequences import enrollments, gate, outcomes, preparing, queue, repository, traces, tracking
from app.sequences.gate import Later, Left, Pass, Refused, Verdict
from app.sequences.liquid import Refused as NotRendered
from app.sequences.mailer import Envelope, Mailer, Outcome
from app.sequences.preparing import Ready
from app.sequences.standing import Standing
from app.sequences.together import Together
from app.sequences.wire import AddressRefused
from app.settings import Settings

log = get_logger(__name__)

POLL_S: Final = 1.0
GRACE_S: Final = 5.0
ROWS_A_LANE: Final = 10
"""How many messages a worker holds for each lane: enough that none waits, few enough to be sent within a lease."""
MOST_AT_ONCE: Final = 100
"""How many messages are claimed and asked for together: their people are held meanwhile."""
FINISH_PAUSES_S: Final = (0.0, 0.2, 1.0, 5.0, 15.0)
GATHER_S: Final = 0.003
"""How long a transaction waits for the lanes that are about to ask for it, too."""
LOST_BATCH: Final = 200
LONGEST_WRITE: Final = timedelta(minutes=2)
"""How long after it was stamped a row may be committed: twice as long as a statement may take."""
RENDER_FAILED: Final = {"code": "render_failed", "detail": "The template cannot be rendered for this person."}


@dataclass(frozen=True, slots=True)
class Claim:
    """One message that this worker holds, for one attempt."""

    caller: Caller
    message_id: UUID
    enrollment_id: UUID
    attempt: int


@dataclass(frozen=True, slots=True)
class Written:
    """A claimed mail with its bytes."""

    claim: Claim
    envelope: Envelope
    ready: Ready
    urls: Sequence[str]
    """Where its tracked links lead."""


class Sender:
    """The sending of one worker."""

    def __init__(self, database: Database, settings: Settings, mailer: Mailer, worker: UUID) -> None:
        self._database, self._settings, self._mailer, self._worker = database, settings, mailer, worker
        self._busy: set[asyncio.Task[None]] = set()
        self._in_hand = 0
        self._lanes = asyncio.Semaphore(settings.send_lanes)
        self._begins = Together(self._begin_all, GATHER_S)
        self._ends = Together(self._finish_all, GATHER_S)

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
            taken = await self._fill()
            await self._wait(is_more=taken > 0)

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
        """Claim as many messages as there is room for, once half of what can be held is gone."""
        most = self._settings.send_lanes * ROWS_A_LANE
        claims = await self._claim(min(most - self._in_hand, MOST_AT_ONCE)) if self._in_hand <= most // 2 else []
        for each in _by_caller(claims):
            self._in_hand += len(each)
            task = asyncio.create_task(self._deliver_all(each))
            self._busy.add(task)
            task.add_done_callback(self._busy.discard)
        return len(claims)

    async def _wait(self, *, is_more: bool) -> None:
        if self._busy:
            await asyncio.sleep(POLL_S / 100 if is_more else POLL_S / 20)
        else:
            await asyncio.sleep(POLL_S / 2)

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
        self._in_hand += 1
        await self._deliver_all([claim])

    async def _deliver_all(self, claims: Sequence[Claim]) -> None:
        """Bring claimed messages of one tenant to their outcomes."""
        settled = 0
        try:
            written = await self._ready(claims)
            settled = len(claims) - len(written)
            self._in_hand -= settled
            await asyncio.gather(*(self._send(each) for each in written))
        except Exception as error:  # the database may be away: what is claimed is free again when its lease ends
            log.error("sender.batch_failed", messages=len(claims), exc_info=error)
            self._in_hand -= len(claims) - settled

    async def _ready(self, claims: Sequence[Claim]) -> list[Written]:
        """Ask the gate, and write those that pass; what fails as a batch is done one by one."""
        try:
            return await self._write(claims, await self._ask(claims))
        except Exception as error:  # one bad message must not stop the others
            if len(claims) == 1:
                log.error("sender.attempt_failed", message=str(claims[0].message_id), exc_info=error)
                await self._finish(claims[0], None)
                return []
        return [written for claim in claims for written in await self._ready([claim])]

    async def _ask(self, claims: Sequence[Claim]) -> list[Ready]:
        ready: list[Ready] = []
        async with self._database.transaction(claims[0].caller) as session:
            rows = await self._held(session, claims, {"claimed"}, is_for_people=True)
            for round_ in _of_different_people(rows.values()):
                verdicts = await gate.ask(session, round_, is_first=True)
                asked = list(zip(round_, verdicts, strict=True))
                passed = [(row, verdict) for row, verdict in asked if isinstance(verdict, Pass)]
                made, lacking = await preparing.prepare(session, self._settings.base_url, passed)
                ready += made
                await _settle(session, [*asked, *lacking])
        return ready

    async def _write(self, claims: Sequence[Claim], ready: Sequence[Ready]) -> list[Written]:
        by_id = {claim.message_id: claim for claim in claims}
        envelopes = await asyncio.to_thread(lambda: [_envelope(each) for each in ready])
        written: list[Written] = []
        for each, envelope in zip(ready, envelopes, strict=True):
            claim = by_id[each.message_id]
            if envelope is None:
                await self._refuse(claim)
            else:
                written.append(Written(claim, envelope[0], each, envelope[1]))
        return written

    async def _refuse(self, claim: Claim) -> None:
        async with self._database.transaction(claim.caller) as session:
            rows = (await self._held(session, [claim], {"claimed"})).values()
            await outcomes.refused(session, [(Standing.of(row), row, [RENDER_FAILED], row.decision_id) for row in rows])

    async def _send(self, written: Written) -> None:
        """Let one mail leave over the next free lane."""
        claim = written.claim
        async with self._lanes:
            try:
                outcome = await self._mailer.send(written.envelope, lambda: self._begins.do(claim.caller, written))
            except Exception as error:  # a bug or a lost database: what is certain stands in the message's state
                log.error("sender.attempt_failed", message=str(claim.message_id), exc_info=error)
                outcome = None
            self._in_hand -= 1
            await self._finish(claim, outcome)

    async def _begin_all(self, who: Caller, asked: Sequence[Written]) -> list[bool]:
        """Write down which mails may have left from now on; False for those that must not any more."""
        wanted = {each.claim.message_id: each for each in asked}
        async with self._database.transaction(who) as session:
            rows = await self._held(session, [each.claim for each in asked], {"claimed"}, is_for_people=True)
            doubtful = await _doubtful(session, rows, {of: wanted[of].ready for of in rows})
            withheld: set[UUID] = set()
            for round_ in _of_different_people(row for of, row in rows.items() if of in doubtful):
                verdicts = await gate.ask(session, round_, is_first=False)
                for row, verdict in zip(round_, verdicts, strict=True):
                    if not isinstance(verdict, Pass) or verdict.to != wanted[row.id].ready.to:
                        await _withhold(session, row, verdict)
                        withheld.add(row.id)
            begun = {of: preparing.hash_of(wanted[of].envelope) for of in rows if of not in withheld}
            await queue.begin(session, begun)
            await tracking.keep(session, {of: wanted[of].urls for of in begun})
        return [each.claim.message_id in begun for each in asked]

    async def _finish(self, claim: Claim, outcome: Outcome | None) -> None:
        if outcome is not None and outcome.is_our_fault:
            log.error("sender.refused_by_server", code=outcome.code)
        if outcome is not None and outcome.kind == "withheld":
            return
        for pause in FINISH_PAUSES_S:
            await asyncio.sleep(pause)
            try:
                await self._ends.do(claim.caller, (claim, outcome))
            except Exception as error:  # the database may be away: what became of the mail must not be lost for that
                log.warning("sender.finish_failed", message=str(claim.message_id), exc_info=error)
            else:
                return

    async def _finish_all(self, who: Caller, done: Sequence[tuple[Claim, Outcome | None]]) -> list[None]:
        said = {claim.message_id: outcome for claim, outcome in done}
        async with self._database.transaction(who) as session:
            rows = await self._held(session, [claim for claim, _ in done], {"claimed", "transmitting", "unknown"})
            sent = {of: outcome for of, outcome in said.items() if outcome and outcome.kind == "sent" and of in rows}
            if sent:
                mails = [(Standing.of(rows[of]), rows[of], _reply(outcome)) for of, outcome in sent.items()]
                await outcomes.sent(session, mails, now())
            for row in (row for row in rows.values() if row.id not in sent):
                uncertain = Outcome("unknown" if row.state == "transmitting" else "retry")
                await self._record(session, row, said[row.id] or uncertain)
        return [None] * len(done)

    async def _record(self, session: Session, row: Any, outcome: Outcome) -> None:  # noqa: ANN401 (a row)
        enrollment, message = await outcomes.hold(session, row.enrollment_id, row.id)
        if outcome.kind == "failed":
            await outcomes.failed(session, enrollment, message, _reply(outcome), outcome.bounce)
        elif message.state == "unknown":
            return
        elif outcome.kind == "unknown":
            await outcomes.unknown(session, enrollment, message)
        else:
            base_s = self._settings.send_retry_base_s
            await outcomes.retry(session, enrollment, message, _reply(outcome), base_s=base_s)

    async def _rescue(self, claim: Claim, state: str) -> None:
        async with self._database.transaction(claim.caller) as session:
            enrollment, message = await outcomes.hold(session, claim.enrollment_id, claim.message_id)
            if (message.attempt, message.state) != (claim.attempt, state):
                return
            if state == "claimed":
                await outcomes.hand_back(session, message)
            else:
                await outcomes.unknown(session, enrollment, message)

    async def _held(
        self, session: Session, claims: Sequence[Claim], states: Collection[str], *, is_for_people: bool = False
    ) -> dict[UUID, Any]:
        """Lock claimed messages; those that their attempt may not write any more are left out."""
        pairs = [(claim.enrollment_id, claim.message_id) for claim in claims]
        rows = await queue.hold(session, pairs, is_for_people=is_for_people)
        attempts = {claim.message_id: claim.attempt for claim in claims}
        return {
            of: row
            for of, row in rows.items()
            if row.attempt == attempts[of] and row.state in states and row.worker in {self._worker, None}
        }


def _by_caller(claims: Iterable[Claim]) -> list[list[Claim]]:
    found: dict[Caller, list[Claim]] = {}
    for claim in claims:
        found.setdefault(claim.caller, []).append(claim)
    return list(found.values())


def _of_different_people(rows: Iterable[Any]) -> list[list[Any]]:
    """Split rows into rounds in which nobody occurs twice: what one mail uses up counts for the next."""
    rounds: list[dict[UUID, Any]] = []
    for row in rows:
        free = next((round_ for round_ in rounds if row.candidate_id not in round_), None)
        if free is None:
            rounds.append(free := {})
        free[row.candidate_id] = row
    return [list(round_.values()) for round_ in rounds]


def _envelope(ready: Ready) -> tuple[Envelope, Sequence[str]] | None:
    try:
        return ready.envelope()
    except (NotRendered, AddressRefused):
        return None


def _reply(outcome: Outcome) -> outcomes.Reply:
    return {"code": outcome.code, "reply": outcome.reply} if outcome.code else None


async def _doubtful(session: Session, rows: Mapping[UUID, Any], held: Mapping[UUID, Ready]) -> set[UUID]:
    """Return the messages for which the gate has to be asked again.

    Its answer holds as long as nothing was written about the person, and within a minute of the clock, for windows
    open and close on the minute. People and sequences are held, so that nothing can be written from here on.
    """
    if not held:
        return set()
    minute = now().replace(second=0, microsecond=0)
    since = min(ready.asked_at for ready in held.values()) - LONGEST_WRITE
    old = {of for of, ready in held.items() if ready.asked_at < minute or ready.is_conditional}
    paused = {of for of, row in rows.items() if row.sequence_status != "active"}
    return old | paused | await traces.changed(session, list(held), since)


async def _settle(session: Session, verdicts: Iterable[tuple[Any, Verdict]]) -> None:
    """Write down why held messages do not leave now; nothing for those that may."""
    left, refused, later = [], [], []
    for row, verdict in verdicts:
        if isinstance(verdict, Left):
            left.append((Standing.of(row), row, verdict.word, verdict.touchpoint_id))
        elif isinstance(verdict, Refused):
            decision = verdict.decision
            refused.append((Standing.of(row), row, verdict.reasons, decision.id if decision else None))
        elif isinstance(verdict, Later):
            later.append((row, verdict.at, verdict.reasons))
    await outcomes.cancelled(session, left)
    await outcomes.refused(session, refused)
    await outcomes.put_off(session, later)


async def _withhold(session: Session, row: Any, verdict: Verdict) -> None:  # noqa: ANN401 (a row)
    """Write down why a mail that was written does not leave; one whose address is another now begins anew."""
    if isinstance(verdict, Pass):
        _, message = await outcomes.hold(session, row.enrollment_id, row.id)
        await outcomes.hand_back(session, message)
    else:
        await _settle(session, [(row, verdict)])
