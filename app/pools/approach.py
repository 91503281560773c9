"""The approach list: whom of a pool to contact now, in order, with every reason."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from app.candidates import service as candidates
from app.consent import service as consent
from app.consent.contact import Decision, Question
from app.consent.schemas import DecisionRead, LeaseRead
from app.kit.clock import now
from app.kit.db import Session
from app.kit.errors import FieldError
from app.kit.paging import TOTAL_MAX, Paging
from app.pools import reasons, suggestions
from app.pools.errors import LeaseInPast, NotAMember, NotLeased
from app.pools.models import Pool
from app.pools.ranking import RankedRepository
from app.pools.repository import ContentRepository, MemberRepository, PersonRepository
from app.pools.schemas import ApproachPage, ApproachRow, LastTouchpoint
from app.scores import service as scores
from app.tenancy import service as tenancy
from app.touchpoints import service as touchpoints

EXAMINED: Final = 2_000
"""How many members one page looks at when it shows only those with one decision."""


@dataclass(frozen=True, slots=True)
class Place:
    """One member's place in the order; `rank` is how many are listed up to and with them."""

    value: float
    candidate_id: UUID
    rank: int = 0


async def page(
    session: Session, paging: Paging, pool: Pool, answers: Collection[str], accepted: str | None
) -> ApproachPage:
    """Return one page of the list; with `answers` only members whose decision is one of these."""
    bound = ("approach", str(pool.id), sorted(answers))
    keys = paging.after(*bound)
    as_of = datetime.fromisoformat(keys[0]) if keys else now()
    after = Place(keys[1], UUID(keys[2]), rank=keys[3]) if keys else None
    listed, decisions, last = await _listed(session, paging.limit, pool, answers, as_of, after)
    place = None if last is None else [as_of.isoformat(), last.value, last.candidate_id, last.rank]
    total = await _total(session, pool, answers, as_of) if paging.include_total else None
    return ApproachPage(
        data=await _rows(session, pool, listed, decisions, as_of, accepted),
        next_cursor=None if place is None else paging.going_on(place, *bound),
        has_more=place is not None,
        total=None if total is None else min(total, TOTAL_MAX),
        total_is_capped=None if total is None else total > TOTAL_MAX,
        as_of=as_of,
    )


async def _listed(
    session: Session, limit: int, pool: Pool, answers: Collection[str], as_of: datetime, after: Place | None
) -> tuple[list[Place], dict[UUID, Decision], Place | None]:
    """Return what is shown, the decisions, and the place to go on after, None at the end."""
    examined = EXAMINED if answers else limit
    beyond = (after.value, after.candidate_id) if after else None
    ranked = await RankedRepository(session, pool, as_of).page(beyond, examined + 1)
    members = [Place(*row) for row in ranked[:examined]]
    decisions = await _decide(session, pool, [each.candidate_id for each in members])
    met = [each for each in members if not answers or decisions[each.candidate_id].decision in answers]
    first = after.rank + 1 if after else 1
    listed = [replace(each, rank=rank) for rank, each in enumerate(met[:limit], first)]
    if len(met) > limit:
        return listed, decisions, listed[-1]
    last = replace(members[-1], rank=first + len(listed) - 1) if len(ranked) > examined else None
    return listed, decisions, last


async def _total(session: Session, pool: Pool, answers: Collection[str], as_of: datetime) -> int:
    """Count what the list holds, up to a little more than is shown of a total."""
    ranking = RankedRepository(session, pool, as_of)
    if not answers:
        return await ranking.count(TOTAL_MAX)
    found, examined, after = 0, EXAMINED, None
    while found <= TOTAL_MAX and examined == EXAMINED:
        ranked = await ranking.page(after, EXAMINED)
        decisions = await _decide(session, pool, [candidate_id for _, candidate_id in ranked])
        found += sum(each.decision in answers for each in decisions.values())
        examined, after = len(ranked), ranked[-1] if ranked else None
    return found


async def _decide(session: Session, pool: Pool, ids: Sequence[UUID]) -> dict[UUID, Decision]:
    questions = [Question(each, pool.channel, pool.purpose) for each in ids]
    answers = await consent.decide(session, questions, keep=False) if questions else []
    return {each.candidate_id: each for each in answers}


async def _rows(
    session: Session,
    pool: Pool,
    listed: Sequence[Place],
    decisions: Mapping[UUID, Decision],
    as_of: datetime,
    accepted: str | None,
) -> list[ApproachRow]:
    if not listed:
        return []
    ids = [each.candidate_id for each in listed]
    tenant = await tenancy.read(session)
    language, zone = reasons.language_of(accepted, tenant.language), ZoneInfo(tenant.timezone)
    counted = await scores.scores_of(session, ids, pool.score_model, as_of)
    lasting = await touchpoints.last_of(session, ids)
    leases = await consent.leases_of(session, ids)
    known = await PersonRepository(session).interests(ids)
    contents = await ContentRepository(session).current(as_of)

    def row(place: Place) -> ApproachRow:
        person, decision = place.candidate_id, decisions[place.candidate_id]
        last, score = lasting.get(person), counted.get(person)
        return ApproachRow(
            candidate_id=person,
            rank=place.rank,
            score=place.value,
            tier=score.tier if score else "",
            reasons=reasons.sentences(score.contributions, language, zone) if score else [],
            contact=DecisionRead.model_validate(decision),
            last=LastTouchpoint(touchpoint=last, outcome=suggestions.outcome_of(last.type, last.data))
            if last
            else None,
            suggested=None if decision.decision == "deny" else suggestions.suggest(known.get(person, ()), contents),
            lease=leases.get(person),
        )

    return [row(place) for place in listed]


async def take_lease(session: Session, pool: Pool, candidate_id: UUID, expires_at: datetime) -> LeaseRead:
    """Take a member in hand, or renew that; raises CandidateNotFound, NotAMember, LeaseInPast, Leased."""
    live = await _member(session, pool, candidate_id)
    if expires_at <= now():
        raise LeaseInPast(errors=[FieldError("/expires_at", LeaseInPast.code, LeaseInPast.sentence())])
    return await consent.take_lease(session, live, pool.id, session.caller.holder, expires_at)


async def release_lease(session: Session, pool: Pool, candidate_id: UUID) -> None:
    """Let go of a member; raises CandidateNotFound, NotAMember, NotLeased, Leased."""
    live = await _member(session, pool, candidate_id)
    if live not in await consent.leases_of(session, [live]):
        raise NotLeased
    await consent.release_lease(session, live, session.caller.holder)


async def _member(session: Session, pool: Pool, candidate_id: UUID) -> UUID:
    live = await candidates.resolve(session, candidate_id, lock=True)
    if not await MemberRepository(session).holds(pool.id, live):
        raise NotAMember
    return live
