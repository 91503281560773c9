"""The timeline: one way in for all doors, and how what was unmatched finds its person.

What a touchpoint says of its person is a function of the set: nothing here depends on the order of arrival. What two
transactions cannot see of each other is settled by the due work that each of them leaves behind.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal, get_args
from uuid import UUID

from app.candidates import service as candidates
from app.consent import service as consent
from app.kit import outbox
from app.kit.db import Session
from app.kit.errors import AppError
from app.kit.paging import Paging
from app.kit.schemas import Page, ProblemField
from app.normalise.emails import parse_email
from app.tenancy import service as tenancy
from app.touchpoints import events, verdicts
from app.touchpoints.batch import Item, Refused
from app.touchpoints.draft import Draft, Wanted, draft
from app.touchpoints.errors import PersonNotFound, TouchpointNotFound
from app.touchpoints.kinds import SELECTION
from app.touchpoints.models import Touchpoint
from app.touchpoints.repository import TouchpointRepository
from app.touchpoints.row import NewTouchpoint
from app.touchpoints.schemas import (
    Filter,
    TouchpointBatch,
    TouchpointIn,
    TouchpointItem,
    TouchpointRead,
    TouchpointUpdate,
    UnmatchedRead,
)
from app.touchpoints.signals import TouchpointSignal, signals
from app.touchpoints.trust import JUDGED

Row = NewTouchpoint | Touchpoint
Outcome = Literal["created", "repeated", "unmatched", "invalid"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
JUDGED_FIELDS = ("actor", "actor_reasons")
JUDGED_TOGETHER = JUDGED | {"email_delivered"}
SUPPRESSING = {"email_complained": "complaint", "email_unsubscribed": "unsubscribed"}


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of one item; `refusal` is why nothing was stored, `stored` is there when it is new."""

    outcome: Outcome
    status: int
    id: UUID | None = None
    candidate_id: UUID | None = None
    refusal: AppError | None = None
    stored: NewTouchpoint | None = None


async def ingest(
    session: Session,
    items: Sequence[TouchpointIn],
    *,
    connection_id: UUID | None = None,
    delivery_id: UUID | None = None,
) -> list[Ingested]:
    """Store what is new of `items` and answer each, in order; in a bounded number of statements."""
    drafts = await _drafts(session, items)
    readable = [each for each in drafts if isinstance(each, Draft)]
    for one in readable:
        one.touchpoint.connection_id, one.touchpoint.delivery_id = connection_id, delivery_id
    answers = await _answers(session, readable) if readable else {}
    new = [each.stored for each in answers.values() if each.stored is not None]
    await _forget_erased(session, [each for each in new if each.candidate_id is None])
    lost = await _store(session, new) if new else {}
    return [_refused(each) if isinstance(each, AppError) else _unless_lost(answers[id(each)], lost) for each in drafts]


async def create(session: Session, body: TouchpointIn) -> tuple[TouchpointRead, bool]:
    """Store one touchpoint; return what is stored of it, and whether it is new.

    Raises PersonNotFound, UnknownType, InvalidEmail, InvalidPhone.
    """
    [answer] = await ingest(session, [body])
    if answer.refusal is not None:
        raise answer.refusal
    if answer.stored is not None:
        return read(Touchpoint(**answer.stored.columns())), True
    return read(await get(session, answer.id)), False


async def create_many(session: Session, items: Sequence[Item]) -> TouchpointBatch:
    """Store what is readable of `items`, and answer each by itself."""
    answers = iter(await ingest(session, [each for each in items if isinstance(each, TouchpointIn)]))
    found = [_refused(each.error) if isinstance(each, Refused) else next(answers) for each in items]
    counts = Counter(each.outcome for each in found)
    return TouchpointBatch(
        counts={**{name: counts[name] for name in OUTCOMES}, "total": len(found)},
        items=[_item(place, each, answer) for place, (each, answer) in enumerate(zip(items, found, strict=True))],
    )


async def get(session: Session, touchpoint_id: UUID | None, *, lock: bool = False) -> Touchpoint:
    """Return a touchpoint; raises TouchpointNotFound."""
    found = None if touchpoint_id is None else await TouchpointRepository(session).get(touchpoint_id, lock=lock)
    if found is None:
        raise TouchpointNotFound
    return found


async def judge(session: Session, touchpoint: Touchpoint, body: TouchpointUpdate) -> TouchpointRead:
    """Take a person's verdict, for ever; the score follows."""
    if (touchpoint.actor, touchpoint.actor_by) != (body.actor, "person"):
        touchpoint.actor, touchpoint.actor_by = body.actor, "person"
        touchpoint.actor_reasons, touchpoint.actor_rule_version = ["person"], None
        await session.flush()
        await outbox.record(session, events.updated(touchpoint, JUDGED_FIELDS))
    return read(touchpoint)


async def last_of(session: Session, ids: Sequence[UUID]) -> dict[UUID, TouchpointRead]:
    """Return the newest touchpoint of each candidate that has one."""
    found = [read(each) for each in await TouchpointRepository(session).newest_of(ids)]
    return {each.candidate_id: each for each in found if each.candidate_id is not None}


async def signals_of(session: Session, ids: Sequence[UUID]) -> dict[UUID, list[TouchpointSignal]]:
    """Return what scores count, of each candidate that has touchpoints."""
    return signals(await TouchpointRepository(session).of_candidates(ids), {})


async def attach(session: Session, ids: Sequence[UUID]) -> None:
    """Look again at the unmatched touchpoints that name these candidates by an identifier of theirs."""
    hashes = {each for found in (await candidates.hashes_of(session, ids)).values() for each in found}
    if hashes:
        await _match(session, await TouchpointRepository(session).unmatched_of(hashes))


async def attach_touchpoints(session: Session, ids: Sequence[UUID]) -> None:
    """Look again for the people of these touchpoints: one may have come while they were being stored.

    Hardly ever one has, so only those with news are locked and read whole; who comes after this look finds them.
    """
    repository = TouchpointRepository(session)
    seen = await repository.unmatched_reasons(ids)
    people = await _people(session, seen)
    news = [row.id for row, found in zip(seen, people, strict=True) if _reason(found) != row.unmatched_reason]
    await _match(session, await repository.unmatched(news) if news else [])


def read(touchpoint: Touchpoint) -> TouchpointRead:
    """Return a touchpoint as it is answered."""
    return TouchpointRead.model_validate(touchpoint)


async def list_newest(
    session: Session, paging: Paging, narrowed: Filter, candidate_ids: Sequence[UUID]
) -> Page[TouchpointRead]:
    """Return touchpoints in the order in which they came, the last first."""
    repository = TouchpointRepository(session)
    live = await candidates.resolve_many(session, candidate_ids)
    asked = replace(narrowed, candidate_ids=tuple(live.get(each, each) for each in candidate_ids))
    after = paging.after("touchpoints", asdict(asked))
    rows = await repository.all(repository.newest_first(asked, _last(after)).limit(paging.limit + 1))
    total = await repository.total(repository.newest_first(asked, None)) if paging.include_total else None
    return paging.page(rows, read, lambda row: [row.id], "touchpoints", asdict(asked), total=total)


async def list_unmatched(session: Session, paging: Paging) -> Page[UnmatchedRead]:
    """Return the touchpoints without a person, the last that came first."""
    repository = TouchpointRepository(session)
    after = paging.after("unmatched")
    rows = await repository.all(repository.unknown(_last(after)).limit(paging.limit + 1))
    total = await repository.total(repository.unknown(None)) if paging.include_total else None
    return paging.page(rows, UnmatchedRead.model_validate, lambda row: [row.id], "unmatched", total=total)


async def list_timeline(session: Session, paging: Paging, narrowed: Filter, candidate_id: UUID) -> Page[TouchpointRead]:
    """Return the touchpoints of one candidate, the last that happened first."""
    repository = TouchpointRepository(session)
    asked = replace(narrowed, candidate_ids=(candidate_id,))
    keys = paging.after("timeline", asdict(asked))
    after = (datetime.fromisoformat(keys[0]), UUID(keys[1])) if keys else None
    rows = await repository.all(repository.timeline(asked, after).limit(paging.limit + 1))
    total = await repository.total(repository.timeline(asked, None)) if paging.include_total else None
    return paging.page(
        rows, read, lambda row: [row.occurred_at.isoformat(), row.id], "timeline", asdict(asked), total=total
    )


def _last(keys: Sequence[str] | None) -> UUID | None:
    return UUID(keys[0]) if keys else None


def _item(index: int, sent: Item, answer: Ingested) -> TouchpointItem:
    problems = () if answer.refusal is None else answer.refusal.errors
    return TouchpointItem(
        index=index,
        client_ref=sent.client_ref,
        status=answer.status,
        outcome=answer.outcome,
        id=answer.id,
        errors=[ProblemField.model_validate(each) for each in problems],
    )


async def _drafts(session: Session, items: Sequence[TouchpointIn]) -> list[Draft | AppError]:
    national = any(each.phone is not None and not each.phone.startswith("+") for each in items)
    region = (await tenancy.read(session)).country_code if national else "JP"
    found: list[Draft | AppError] = []
    for item in items:
        try:
            found.append(draft(item, session.tenant_id, region))
        except AppError as refusal:
            found.append(refusal)
    return found


async def _answers(session: Session, drafts: Sequence[Draft]) -> dict[int, Ingested]:
    """Answer each draft by what is stored already and by whom it names; nothing is written yet."""
    people: list[set[UUID]] = [set() for _ in drafts]
    seen: dict[int, Ingested] = {}
    for row in await TouchpointRepository(session).locate([each.wanted for each in drafts]):
        if row.touchpoint_id is None:
            people[row.place].add(row.candidate_id)
        else:
            seen[row.place] = Ingested("repeated", 200, row.touchpoint_id, row.candidate_id)
    answers: dict[int, Ingested] = {}
    first: dict[tuple[str, str], Ingested] = {}
    for place, one in enumerate(drafts):
        event = (one.touchpoint.source, one.touchpoint.external_id or "")
        answer = seen.get(place) or first.get(event) or _answer(one, people[place])
        answers[id(one)] = answer
        if one.touchpoint.external_id is not None and answer.stored is not None and event not in first:
            first[event] = Ingested("repeated", 200, answer.id, answer.candidate_id)
    return answers


def _answer(one: Draft, people: set[UUID]) -> Ingested:
    row = one.touchpoint
    if one.wanted.candidate_id is not None and not people:
        return _refused(PersonNotFound())
    _place(row, people)
    outcome: Outcome = "unmatched" if row.candidate_id is None else "created"
    return Ingested(outcome, 201, row.id, row.candidate_id, stored=row)


def _place(row: Row, people: set[UUID]) -> None:
    """Give it its person, or the reason why it has none."""
    if len(people) == 1:
        [row.candidate_id] = people
        row.arrived_with = row.candidate_id
    row.unmatched_reason = _reason(people)


def _reason(people: set[UUID]) -> str | None:
    """Return why somebody of `people` is not the person; None where there is one."""
    if len(people) == 1:
        return None
    return "ambiguous" if people else "unknown"


def _refused(refusal: AppError) -> Ingested:
    return Ingested("invalid", refusal.status, refusal=refusal)


def _unless_lost(answer: Ingested, lost: Mapping[UUID, Ingested]) -> Ingested:
    return lost.get(answer.id, answer) if answer.id is not None else answer


async def _store(session: Session, new: Sequence[NewTouchpoint]) -> dict[UUID, Ingested]:
    """Write new rows with all that follows; return the answers of those that another transaction stored first."""
    repository = TouchpointRepository(session)
    together = [each for each in new if each.message_id is not None and each.type in JUDGED_TOGETHER]
    stored = await repository.of_messages(together) if together else []
    changes = verdicts.changed([*stored, *new])
    for each in new:
        if (verdict := changes.pop(each.id, None)) is not None:
            each.actor, each.actor_reasons = verdict.actor, list(verdict.reasons)
            each.seconds_since_delivery = verdict.seconds_since_delivery
    kept = await repository.insert(new)
    created = [each for each in new if each.id in kept]
    if changes:
        await repository.write_verdicts(changes)
    rejudged = [events.updated(row, JUDGED_FIELDS) for row in stored if row.id in changes]
    await outbox.record(session, *map(events.created, created), *rejudged)
    await _act(session, created)
    return await _repeats(session, [each for each in new if each.id not in kept])


async def _repeats(session: Session, lost: Sequence[NewTouchpoint]) -> dict[UUID, Ingested]:
    if not lost:
        return {}
    rows = await TouchpointRepository(session).events([(each.source, each.external_id) for each in lost])
    first = {(row.source, row.external_id): Ingested("repeated", 200, row.id, row.candidate_id) for row in rows}
    return {each.id: first[each.source, each.external_id] for each in lost}


async def _forget_erased(session: Session, unmatched: Sequence[NewTouchpoint]) -> None:
    """Drop the identifiers of erased people; found by halves, because there is hardly ever one."""
    if not unmatched or not await _names_erased(session, unmatched):
        return
    if len(unmatched) == 1:
        [row] = unmatched
        row.identifier_kind = row.identifier_source = row.identifier_value = row.identifier_hash = None
        return
    middle = len(unmatched) // 2
    await _forget_erased(session, unmatched[:middle])
    await _forget_erased(session, unmatched[middle:])


async def _names_erased(session: Session, unmatched: Sequence[NewTouchpoint]) -> bool:
    named = {(each.identifier_kind, each.identifier_source, each.identifier_value or "") for each in unmatched}
    emails, phones = ({value for kind, _, value in named if kind == asked} for asked in ("email", "phone"))
    people = {(source, value) for _, source, value in named if source is not None}
    return await consent.is_blocked(session, emails, phones, people)


async def _match(session: Session, unmatched: Sequence[Touchpoint]) -> None:
    """Give those their person whose identifier names exactly one by now."""
    if not unmatched:
        return
    for touchpoint, found in zip(unmatched, await _people(session, unmatched), strict=True):
        _place(touchpoint, found)
    await session.flush()
    matched = [each for each in unmatched if each.candidate_id is not None]
    await outbox.record(session, *(events.updated(each, ["candidate_id"]) for each in matched))
    await _act(session, matched)


async def _people(session: Session, unmatched: Sequence[Any]) -> list[set[UUID]]:
    """Return whom each of these names by now."""
    people: list[set[UUID]] = [set() for _ in unmatched]
    if unmatched:
        for row in await TouchpointRepository(session).locate([_named_by(each) for each in unmatched]):
            people[row.place].add(row.candidate_id)
    return people


def _named_by(row: Any) -> Wanted:  # noqa: ANN401 (a row, whole or in part)
    return Wanted(
        kind=row.identifier_kind,
        hash=row.identifier_hash,
        person_source=row.identifier_source,
        value=row.identifier_value,
    )


async def _act(session: Session, touchpoints: Iterable[Row]) -> None:
    """Do what some types say beyond themselves: selections begin and end, addresses bounce or are given up."""
    listed = list(touchpoints)
    selecting = {each.candidate_id for each in listed if each.candidate_id is not None and each.type in SELECTION}
    if selecting:
        await TouchpointRepository(session).settle_selections(sorted(selecting))
    bounced = {await _address(session, each) for each in listed if _is_hard_bounce(each)}
    for key in sorted({email.key for address in bounced if address and (email := parse_email(address))}):
        await candidates.mark_bounced(session, key)
    told = [each for each in listed if each.type in SUPPRESSING]
    said = {(await _address(session, each) or "", SUPPRESSING[each.type], each.source) for each in told}
    for address, reason, source in sorted(said):
        if address:
            await consent.suppress(session, "email", "email", address, reason, source)


def _is_hard_bounce(touchpoint: Row) -> bool:
    bounce = touchpoint.data.get("bounce")
    return touchpoint.type == "email_bounced" and isinstance(bounce, dict) and bounce.get("kind") == "hard"


async def _address(session: Session, touchpoint: Row) -> str | None:
    """Return which address it is about: the one that was named, else the person's own."""
    if touchpoint.identifier_kind == "email":
        return touchpoint.identifier_value
    if touchpoint.candidate_id is None:
        return None
    address = await candidates.mail_address(session, touchpoint.candidate_id)
    return None if address is None else address.value
