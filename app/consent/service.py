"""The face of consent: what was said, what is suppressed, whether a contact is permitted, who holds whom."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from app.consent import consents, evidence, gate, ledger, repository, suppressions
from app.consent.address import KIND_OF, target
from app.consent.consents import record_statements
from app.consent.contact import Decision, Question, Reach
from app.consent.errors import CandidateUnknown, Leased
from app.consent.evidence import Facts, read_window
from app.consent.evident import last_day
from app.consent.gate import RULE_VERSION, Verdict
from app.consent.merging import absorb, carried, counts, erase, lift_erasure, release
from app.consent.outlook import Outlook
from app.consent.reasons import explain
from app.consent.schemas import (
    ConsentCreate,
    ContactQuestion,
    ContactQuestions,
    DecisionList,
    DecisionRead,
    LeaseRead,
)
from app.consent.suppressions import erased_of, suppress, suppressed
from app.consent.window import Window
from app.kit.clock import now
from app.kit.db import Session
from app.kit.errors import TooManyItems
from app.kit.ids import new_id
from app.kit.schemas import Problem

__all__ = [
    "Decision",
    "Question",
    "Reach",
    "absorb",
    "carried",
    "counts",
    "erase",
    "erased_of",
    "lift_erasure",
    "read_window",
    "record_statements",
    "release",
    "suppress",
    "suppressed",
]

MAX_ITEMS: Final = 500


async def decide(session: Session, questions: Sequence[Question], *, keep: bool, lock: bool = False) -> list[Decision]:
    """Answer each question, in order, in a bounded number of statements.

    With `keep` the decisions are stored as proof. With `lock` the candidates are held until the transaction ends, so
    that no withdrawal and no second contact comes between. Who is not known is denied as `erased`.
    """
    facts = await evidence.gather(session, {each.candidate_id for each in questions}, lock=lock)
    return await answer(session, facts, questions, keep=keep)


async def answer(session: Session, facts: Facts, questions: Sequence[Question], *, keep: bool) -> list[Decision]:
    """Answer questions about people whose facts were gathered."""
    moment = now()
    asked = [(each, each.at or moment) for each in questions]
    decisions = [
        _decision(facts, question, gate.judge(replace(facts.case(question, at), **delay)), at)
        for (question, at), delay in zip(asked, await evidence.delays(session, facts, asked), strict=True)
    ]
    known = {person.row.id for person in facts.people.values()}
    kept = [each for each in decisions if each.candidate_id in known] if keep else []
    if kept:
        await repository.keep_decisions(session, kept)
    return decisions


async def ask(session: Session, asked: ContactQuestion | ContactQuestions) -> DecisionRead | DecisionList:
    """Answer one question, or many with a problem for those about nobody; raises CandidateUnknown, TooManyItems."""
    items = asked.items if isinstance(asked, ContactQuestions) else [asked]
    if len(items) > MAX_ITEMS:
        raise TooManyItems
    facts = await evidence.gather(session, {each.candidate_id for each in items})
    known = [each for each in items if facts.knows(each.candidate_id)]
    if isinstance(asked, ContactQuestion) and not known:
        raise CandidateUnknown(asked.candidate_id, "/candidate_id")
    questions = [Question(each.candidate_id, each.channel, each.purpose, each.at) for each in known]
    answers = iter(await answer(session, facts, questions, keep=True))
    if isinstance(asked, ContactQuestion):
        return DecisionRead.model_validate(next(answers))
    return DecisionList(
        data=[
            DecisionRead.model_validate(next(answers)) if facts.knows(each.candidate_id) else _problem(session, place)
            for place, each in enumerate(items)
        ]
    )


async def outlook(
    session: Session, candidate_id: UUID, channel: str, purpose: str, windows: Sequence[Window] = ()
) -> Outlook:
    """Return how contacts of one candidate would be answered from now on, for forecasts; nothing is kept."""
    facts = await evidence.gather(session, {candidate_id})
    question = Question(candidate_id, channel, purpose, None, None, windows)
    [delay] = await evidence.delays(session, facts, [(question, now() + gate.NEVER)])
    return Outlook(facts, question, delay)


async def reach(session: Session, ids: Sequence[UUID]) -> Reach:
    """Say who of these can be contacted at all, and which of their e-mail addresses must not be written to.

    Of most people nothing is on file that could forbid it: these are told by one statement.
    """
    if not ids:
        return Reach(frozenset(), frozenset())
    moment = now()
    plain = {row.id: row.contactable for row in await repository.evident(session, ids, last_day(moment), moment)}
    judged = await judged_reach(session, [each for each in ids if plain.get(each) is None], moment)
    contactable = (each for each, is_contactable in plain.items() if is_contactable)
    return Reach(judged.contactable.union(contactable), judged.suppressed)


async def judged_reach(session: Session, ids: Sequence[UUID], at: datetime) -> Reach:
    """Let the gate say what `reach` says."""
    if not ids:
        return Reach(frozenset(), frozenset())
    facts = await evidence.gather(session, ids)
    contactable = frozenset(
        asked
        for asked, person in facts.people.items()
        for (purpose, channel), state in ledger.standings(person.statements, at).items()
        if state.standing == "granted" and not gate.denials_of(facts.case(Question(asked, channel, purpose), at))
    )
    return Reach(contactable, facts.suppressed("email"))


async def unsubscribe(
    session: Session, candidate_id: UUID, channel: str, purpose: str, address: str | None, source: str
) -> bool:
    """Write down that a person wants no more of this: a withdrawal, and a suppression of the address.

    Suppressed is the address that was written to, and the one that would be now. False when all stood already.
    A person who is not known any more leaves the suppression of the address.
    """
    facts = await evidence.gather(session, [candidate_id], lock=True)
    is_withdrawn = await _withdraw(session, facts, candidate_id, channel, purpose, source)
    if gate.is_unsubscribed(facts.case(Question(candidate_id, channel, purpose), now())):
        return is_withdrawn
    kind = KIND_OF[channel]
    person = facts.people.get(candidate_id)
    aim = target(person.addresses, kind) if person else None
    values = {value for value in (address, aim and aim.key) if value}
    added = [await suppressions.add(session, channel, kind, value, "unsubscribed", source) for value in values]
    return is_withdrawn or aim is not None or any(is_new for _, is_new in added)


async def count_uses(session: Session, contacts: Mapping[UUID, UUID], channel: str, at: datetime) -> None:
    """Count contacts (message → live candidate); a later attempt of the same message moves its moment."""
    await repository.count_uses(session, contacts, channel, at)


async def time_uses(session: Session, messages: Sequence[UUID], at: datetime) -> None:
    """Let the contacts of these messages count from `at` on, when they really left."""
    await repository.time_uses(session, messages, at)


async def uncount_uses(session: Session, messages: Sequence[UUID]) -> None:
    """Take back the contacts of messages that did not happen."""
    await repository.uncount_uses(session, messages)


async def human_signs(session: Session, moments: Mapping[UUID, datetime]) -> None:
    """Note when people answered messages in a human way: message id → moment."""
    if moments:
        await repository.sign_uses(session, moments)


async def take_lease(
    session: Session, candidate_id: UUID, pool_id: UUID | None, holder: str, expires_at: datetime
) -> LeaseRead:
    """Hold a live candidate until `expires_at`; the holder renews. Raises Leased."""
    if not await repository.take_lease(session, candidate_id, pool_id, holder, expires_at):
        raise Leased
    return LeaseRead(holder=holder, expires_at=expires_at)


async def release_lease(session: Session, candidate_id: UUID, holder: str) -> None:
    """Let go of a candidate; raises Leased when somebody else holds them."""
    lease = (await leases_of(session, [candidate_id])).get(candidate_id)
    if lease is not None and lease.holder != holder:
        raise Leased
    await repository.release_lease(session, candidate_id)


async def leases_of(session: Session, ids: Sequence[UUID]) -> dict[UUID, LeaseRead]:
    """Return the leases of these candidates that have not ended."""
    rows = await repository.leases(session, ids) if ids else []
    return {row.candidate_id: LeaseRead.model_validate(row) for row in rows if row.expires_at > now()}


async def _withdraw(
    session: Session, facts: Facts, candidate_id: UUID, channel: str, purpose: str, source: str
) -> bool:
    person = facts.people.get(candidate_id)
    if person is None or person.row.is_gone:
        return False
    if ledger.state(person.statements, purpose, channel, now()).standing == "withdrawn":
        return False
    statement = ConsentCreate.model_validate(
        {
            "purpose": purpose,
            "channel": channel,
            "status": "withdrawn",
            "evidence": {"kind": "mail", "detail": source},
        }
    )
    await consents.append(session, [(person.row.id, statement)])
    return True


def _problem(session: Session, place: int) -> Problem:
    error = CandidateUnknown(pointer=f"/items/{place}/candidate_id")
    return Problem.model_validate(error.problem(session.caller.request_id or str(new_id())))


def _decision(facts: Facts, question: Question, verdict: Verdict, at: datetime) -> Decision:
    person = facts.people.get(question.candidate_id)
    return Decision(
        id=new_id(),
        candidate_id=person.row.id if person else question.candidate_id,
        channel=question.channel,
        purpose=question.purpose,
        at=at,
        decision=verdict.answer,
        not_before=verdict.not_before,
        reasons=explain(verdict.codes),
        rule_version=RULE_VERSION,
        expires_at=verdict.expires_at,
        consent_id=verdict.consent_id,
    )
