"""Putting a brief together out of what the slices below know of one person."""

from dataclasses import asdict
from uuid import UUID
from zoneinfo import ZoneInfo

from app.briefs import lines
from app.briefs.schemas import BriefRead, LineRead
from app.candidates import service as candidates
from app.consent import service as consent
from app.consent.contact import Question
from app.consent.schemas import DecisionRead
from app.kit.clock import now
from app.kit.db import Session
from app.pools.reasons import language_of
from app.scores import service as scores
from app.tenancy import service as tenancy
from app.touchpoints import service as touchpoints


async def read(session: Session, asked: UUID, channel: str, purpose: str, accepted: str | None) -> BriefRead:
    """Return the brief of whom `asked` means now; raises CandidateNotFound, CandidateErased."""
    person = await candidates.resolve(session, asked)
    moment, tenant = now(), await tenancy.read(session)
    language, zone = language_of(accepted, tenant.language), ZoneInfo(tenant.timezone)
    profile = (await candidates.profiles(session, [person]))[person]
    said = (await candidates.records_of(session, [person]))[person]
    timeline = (await touchpoints.signals_of(session, [person])).get(person, [])
    score = (await scores.scores_of(session, [person], at=moment))[person]
    [decision] = await consent.decide(session, [Question(person, channel, purpose)], keep=False)
    told = [
        *lines.of_profile(profile.fields, profile.provenance, said, language),
        *lines.of_timeline(timeline, language, zone, moment),
        *lines.of_score(score.contributions, language, zone),
    ]
    return BriefRead(
        candidate_id=person,
        as_of=moment,
        language=language,
        lines=[LineRead.model_validate(asdict(line)) for line in told],
        score=score.value,
        tier=score.tier,
        contact=DecisionRead.model_validate(decision),
        lease=(await consent.leases_of(session, [person])).get(person),
    )
