"""How touchpoints come in, by every door: one by one in their answers, all together in their statements."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeVar
from uuid import UUID

from app.candidates import service as candidates
from app.consent import service as consent
from app.contents import service as contents
from app.kit import outbox
from app.kit.clock import now
from app.kit.db import Session
from app.kit.errors import AppError
from app.kit.ids import new_ids
from app.tenancy import service as tenancy
from app.touchpoints import effects, events, verdicts
from app.touchpoints.attachment import reason_of
from app.touchpoints.draft import draft
from app.touchpoints.errors import PersonNotFound
from app.touchpoints.repository import Located, TouchpointRepository
from app.touchpoints.row import NOBODY, NewTouchpoint
from app.touchpoints.schemas import TouchpointIn
from app.touchpoints.settlement import JUDGED_FIELDS
from app.touchpoints.trust import JUDGED, TELLING, Judgement

Outcome = Literal["created", "repeated", "unmatched", "invalid"]
JUDGED_TOGETHER: Final = JUDGED | TELLING
VISITS: Final = frozenset({"email_clicked", "page_viewed", "content_downloaded"})
TOPICS_MAX: Final = 50
Item = TypeVar("Item", bound=TouchpointIn)


@dataclass(eq=False, slots=True)
class Ingested:
    """What became of one item; `refusal` is why nothing was stored, `stored` is there when it is new."""

    outcome: Outcome
    status: int
    id: UUID | None = None
    candidate_id: UUID | None = None
    refusal: AppError | None = None
    stored: NewTouchpoint | None = None


def refused(refusal: AppError) -> Ingested:
    """Return the answer to an item that cannot be stored."""
    return Ingested("invalid", refusal.status, refusal=refusal)


async def best_named(session: Session, named: Sequence[Sequence[Item]]) -> list[Item]:
    """Return of each touchpoint the first way to name its person by which one person is known; else the first."""
    several = [each for ways in named if len(ways) > 1 for each in ways]
    drafts = await _drafts(session, several) if several else []
    rows = [each for each in drafts if isinstance(each, NewTouchpoint)]
    people = (await _located(session, rows)).people if rows else {}
    known = {
        id(each)
        for each, row in zip(several, drafts, strict=True)
        if isinstance(row, NewTouchpoint) and len(people.get(row.name, ())) == 1
    }
    return [next((each for each in ways if id(each) in known), ways[0]) for ways in named]


async def ingest(
    session: Session,
    items: Sequence[TouchpointIn],
    *,
    connection_id: UUID | None = None,
    delivery_id: UUID | None = None,
) -> list[Ingested]:
    """Store what is new of `items` and answer each, in order; in a bounded number of statements."""
    drafts = await _drafts(session, items)
    rows = [each for each in drafts if isinstance(each, NewTouchpoint)]
    if not rows:
        return [refused(each) for each in drafts if isinstance(each, AppError)]
    if len(drafts) == 1 and connection_id is None and await _tell(session, rows[0]):
        return [Ingested("created", 201, rows[0].id, rows[0].candidate_id, stored=rows[0])]
    answers = _answers(drafts, await _located(session, rows))
    new = [each.stored for each in answers if each.stored is not None]
    for row in new:
        row.connection_id, row.delivery_id = connection_id, delivery_id
    await _forget_erased(session, new)
    await _unite_topics(session, new)
    lost = await _store(session, new) if new else {}
    return [lost.get(each.id, each) if each.id is not None else each for each in answers] if lost else answers


async def _tell(session: Session, row: NewTouchpoint) -> bool:
    """Store in one step what names a person by id and says nothing beyond itself; False where it is not so simple."""
    if row.name.id is None or _is_judged_together(row) or row.type in effects.EFFECTIVE:
        return False
    await _unite_topics(session, [row])
    _judge([row], [])
    row.candidate_id = row.arrived_with = row.name.id
    if await TouchpointRepository(session).tell(row):
        return True
    row.candidate_id = row.arrived_with = None
    return False


async def _drafts(session: Session, items: Sequence[TouchpointIn]) -> list[NewTouchpoint | AppError]:
    national = any(each.phone is not None and not each.phone.startswith("+") for each in items)
    region = (await tenancy.read(session)).country_code if national else "JP"
    moment, tenant_id = now(), session.tenant_id
    found: list[NewTouchpoint | AppError] = []
    for id_, item in zip(new_ids(len(items)), items, strict=True):
        try:
            found.append(draft(item, id_, moment, tenant_id, region))
        except AppError as refusal:
            found.append(refusal)
    return found


async def _located(session: Session, rows: Sequence[NewTouchpoint]) -> Located:
    """Find who is named, and those events that must be known beforehand; what else is a repeat shows when it is stored.

    Beforehand, because a repeat must neither change the verdicts on others nor be refused for one who is gone by now;
    and what comes alone and was not so simple is a repeat more often than not.
    """
    repository = TouchpointRepository(session)
    names = {row.name for row in rows if row.name is not NOBODY}
    asked = rows if len(rows) == 1 else [row for row in rows if row.message_id is not None and row.type in TELLING]
    found = await repository.locate(names, {row.event for row in asked if row.event is not None})
    # Who was merged while this waited for them is somebody else by now, whom the same statement cannot see.
    unseen = {each for each in names - found.people.keys() if each.id is not None}
    while unseen and await candidates.resolve_many(session, [each.id for each in unseen if each.id is not None]):
        found.people.update((await repository.locate(unseen)).people)
        unseen -= found.people.keys()
    if unseen:
        told = {row.event for row in rows if row.event and row.name in unseen}
        found.events.update((await repository.locate((), told)).events)
    return found


def _answers(drafts: Iterable[NewTouchpoint | AppError], found: Located) -> list[Ingested]:
    """Answer each draft by what is stored already and by whom it names; nothing is written yet."""
    first = {event: Ingested("repeated", 200, id_, candidate) for event, (id_, candidate) in found.events.items()}
    answers: list[Ingested] = []
    for each in drafts:
        if isinstance(each, AppError):
            answers.append(refused(each))
            continue
        event = each.event
        if event is not None and (known := first.get(event)) is not None:
            answers.append(replace(known, outcome="repeated", status=200, stored=None))
            continue
        answer = _answer(each, found.people.get(each.name, frozenset()))
        answers.append(answer)
        if event is not None and answer.stored is not None:
            first[event] = answer
    return answers


def _answer(row: NewTouchpoint, people: Iterable[UUID]) -> Ingested:
    named = tuple(people)
    if row.name.id is not None and not named:
        return refused(PersonNotFound())
    row.unmatched_reason = reason_of(named)
    if row.unmatched_reason is not None:
        return Ingested("unmatched", 201, row.id, stored=row)
    row.candidate_id = row.arrived_with = named[0]
    return Ingested("created", 201, row.id, row.candidate_id, stored=row)


async def _forget_erased(session: Session, new: Iterable[NewTouchpoint]) -> None:
    """Drop the identifiers of erased people."""
    hashes = {row.name.hash for row in new if row.candidate_id is None and row.name.hash is not None}
    erased = await consent.erased_of(session, hashes) if hashes else set()
    for row in new:
        if row.name.hash in erased:
            row.name = NOBODY


async def _unite_topics(session: Session, new: Iterable[NewTouchpoint]) -> None:
    """Add what the tenant's own content is about to what is told of its link."""
    visits = [(row, row.url) for row in new if row.type in VISITS and isinstance(row.url, str)]
    topics = await contents.topics_at(session, {url for _, url in visits}) if visits else {}
    for row, url in visits:
        row.topics = list(dict.fromkeys([*row.topics, *topics.get(url, ())]))[:TOPICS_MAX]


async def _store(session: Session, new: Sequence[NewTouchpoint]) -> dict[UUID, Ingested]:
    """Write new rows with all that follows; return the answers of those that another transaction stored first."""
    repository = TouchpointRepository(session)
    together = [each for each in new if _is_judged_together(each)]
    stored = await repository.of_messages(together) if together else []
    changes = _judge(new, stored)
    kept = await repository.insert(new)
    if changes:
        await repository.write_verdicts(changes)
    created = new if kept is None else [row for row in new if row.id in kept]
    await outbox.record(session, *(events.updated(row, JUDGED_FIELDS) for row in stored if row.id in changes))
    await effects.follow(session, created)
    return {} if kept is None else await _repeats(session, [row for row in new if row.id not in kept])


def _is_judged_together(row: NewTouchpoint) -> bool:
    return row.message_id is not None and row.type in JUDGED_TOGETHER


def _judge(new: Sequence[NewTouchpoint], stored: Sequence[Any]) -> dict[UUID, Judgement]:
    """Give what is new its verdicts; return those on what is stored that are others now."""
    changes = verdicts.changed([*stored, *new])
    for row in new:
        if (verdict := changes.pop(row.id, None)) is not None:
            row.actor, row.actor_reasons = verdict.actor, verdict.reasons
            row.seconds_since_delivery = verdict.seconds_since_delivery
    return changes


async def _repeats(session: Session, lost: Sequence[NewTouchpoint]) -> dict[UUID, Ingested]:
    known = await TouchpointRepository(session).locate((), [row.event for row in lost if row.event is not None])
    return {row.id: Ingested("repeated", 200, *known.events[row.event]) for row in lost if row.event is not None}
