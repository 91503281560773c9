from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from app.candidates import definitions, person
from app.candidates import service as candidates
from app.candidates.custom_fields import POINTER
from app.candidates.errors import CandidateNotFound, CustomFieldInvalid
from app.candidates.features import Features, read_features
from app.candidates.schemas import CandidateRead
from app.consent import service as consent
from app.dedup import service as dedup
from app.dedup.matching import Opened
from app.dedup.pool import Keyed, Pool
from app.dedup.rules import Knowledge
from app.dedup.sides import Side
from app.directory import service as directory
from app.directory.schemas import View
from app.directory.service import Shown
from app.intake.errors import BlockedErased, MatchConflict, NothingIdentifies
from app.intake.judge import Item, Judge, completed
from app.intake.schemas import BatchUpserted, BatchUpsertItem, PairOpened, UpsertedItem
from app.intake.statement import Admission, MatchedPair, Statement
from app.kit import outbox
from app.kit.body import Spoilt, client_ref_of
from app.kit.db import Session
from app.kit.edge import field_error
from app.kit.errors import FieldError, Overtaken, TooManyItems
from app.kit.schemas import ProblemField
from app.tenancy import service as tenancy

MAX_ITEMS = 500


async def admit(session: Session, statements: Sequence[Statement], *, door: str) -> list[Admission]:
    """Take statements in through one door; the result is that of one after the other, in a bounded number of steps.

    Raises Overtaken, and what a statement's `expect` raises.
    """
    if not statements:
        return []
    items, asked, known = await _held(session, statements, await tenancy.region(session))
    items = await _suppressed(session, await _held_to_definitions(session, items))
    judge = await _judge(session, items, await dedup.pool(session, asked, known), door)
    admissions = [judge.admit(item) for item in items]
    return await _write(session, judge, admissions)


async def _held(
    session: Session, statements: Sequence[Statement], region: str
) -> tuple[list[Item], list[Keyed], Knowledge]:
    """Read statements and hold their keys; read them anew where the tenant's region is another by now."""
    items = [_item(session, each, region) for each in statements]
    asked = [*(each.keyed for each in items), *await _whole(session, items)]
    known = await dedup.hold(session, asked)
    if known.region in (None, region):
        return items, asked, known
    return await _held(session, statements, known.region)


def _item(session: Session, statement: Statement, region: str) -> Item:
    payload = statement.fields.stated()
    return Item(statement, payload, dedup.key(session, read_features(payload, region)))


async def _held_to_definitions(session: Session, items: Sequence[Item]) -> list[Item]:
    """Note what is wrong with the custom fields of each."""
    found = await definitions.faults(session, [each.payload for each in items])
    return [replace(each, faults=faults) if faults else each for each, faults in zip(items, found, strict=True)]


async def _whole(session: Session, items: Sequence[Item]) -> list[Keyed]:
    """Return what statements about people who are known by an id say, together with what is said of them already.

    By the keys of the whole they can meet others. Read before anything is held, for these keys are held, too.
    """
    owners = {each: owner for each, (owner, _) in (await _externals(session, items)).items() if owner}
    targets = {each.statement.target for each in items if each.statement.target}
    known = await candidates.features_of(session, sorted({*owners.values(), *targets}))
    said: defaultdict[UUID | tuple[str, str], list[Features]] = defaultdict(list, known.items())
    whole = []
    for item in items:
        names = {owners.get(each, each) for each in item.features.external_ids}
        names |= {item.statement.target} if item.statement.target else set()
        if before := [each for name in names for each in said[name]]:
            whole.append(dedup.key(session, completed(item.features, before)))
        for name in names:
            said[name].append(item.features)
    return whole


async def _externals(session: Session, items: Sequence[Item]) -> dict[tuple[str, str], tuple[UUID | None, int]]:
    return await candidates.known_externals(
        session, sorted({each for item in items for each in item.features.external_ids})
    )


async def _suppressed(session: Session, items: Sequence[Item]) -> list[Item]:
    """Note on each statement for which reasons something of it is suppressed."""
    keys = [_addresses(each.features) for each in items]
    found = await consent.suppressed(session, {each for own in keys for each in own})
    if not found:
        return list(items)
    return [
        replace(item, suppressed=set().union(*(found[each] for each in own if each in found)))
        for item, own in zip(items, keys, strict=True)
    ]


def _addresses(stated: Features) -> list[tuple[str, str]]:
    contacts = [(each.kind, each.key) for each in stated.contacts if each.key and each.kind != "url"]
    return [*contacts, *(("external_id", candidates.external_key(*each)) for each in stated.external_ids)]


async def _judge(session: Session, items: Sequence[Item], pool: Pool, door: str) -> Judge:
    """Take in hand everybody whom these statements can change."""
    externals = await _externals(session, items)
    targets = {each.statement.target for each in items if each.statement.target}
    owners = targets | {owner for owner, _ in externals.values() if owner}
    changeable = sorted(owners | _changeable(items, pool))
    drafts = await candidates.drafts(session, changeable, changeable)
    if owners - drafts.keys():
        raise Overtaken
    pool.people = {each: said for each, said in pool.people.items() if each in drafts or each not in changeable}
    missing = sorted(drafts.keys() - pool.people.keys())
    pool.people |= await dedup.sides_of(session, missing)
    return Judge(pool, drafts, externals, door, lambda features: dedup.key(session, features))


def _changeable(items: Sequence[Item], pool: Pool) -> set[UUID]:
    """Return to whom a statement can be linked: by a shared identifier or birth date, by a rule, or by demand.

    An external id of somebody who has just been erased is nobody's already, while their record was still read.
    """
    if pool.known.policy.rules or any(item.statement.on_match == "link" for item in items):
        return set(pool.people)
    shown = {each for item in items for each in _shown(item.keyed.side)}
    births = {item.keyed.side.birth_date for item in items} - {None}
    return {
        each
        for each, said in pool.people.items()
        if any(not shown.isdisjoint(_shown(side)) or side.birth_date in births for side in said)
    }


def _shown(side: Side) -> frozenset[str]:
    return side.identifiers.union(side.external_ids)


async def _write(session: Session, judge: Judge, admissions: Sequence[Admission]) -> list[Admission]:
    touched = [draft for draft in judge.drafts.values() if draft.added]
    if touched:
        filing = dedup.filing(judge.filed, judge.pool)
        await candidates.store(
            session, touched, filing, *outbox.recording(session, judge.events, [dedup.recount(session)])
        )
    if judge.freed:
        await dedup.free(session, judge.freed)
    pairs = await dedup.store(session, judge.pool, judge.filed, judge.linked, judge.opened)
    return [replace(each, pairs=_stored(each, pairs)) for each in admissions]


def _stored(admission: Admission, pairs: dict[tuple[UUID, UUID], UUID | None]) -> list[MatchedPair]:
    """Give each pair the id under which it is kept; pairs that somebody has decided are not asked again."""
    own = admission.candidate_id
    found = ((pairs[min(own, each.candidate_id), max(own, each.candidate_id)], each) for each in admission.pairs if own)
    return [replace(each, pair_id=pair_id) for pair_id, each in found if pair_id]


async def upsert(session: Session, statement: Statement) -> Shown:
    """Take in one statement, and return the members of CandidateMatched.

    Raises MatchConflict, BlockedErased, NothingIdentifies, CustomFieldInvalid and what `expect` raises.
    """
    [admission] = await admit(session, [statement], door="api")
    _refuse(admission)
    pairs = [each.model_dump() for each in _opened(admission)]
    return {**await _read(session, admission), "match": {"outcome": admission.outcome, "pairs": pairs}}


async def patch(session: Session, statement: Statement) -> Shown:
    """Correct a candidate by hand, and return the members of CandidateRead.

    Raises MatchConflict, BlockedErased and what `expect` raises.
    """
    [admission] = await admit(session, [statement], door="manual")
    _refuse(admission)
    return await _read(session, admission)


async def _read(session: Session, admission: Admission) -> Shown:
    """Return the members of CandidateRead: of somebody new they are known."""
    made = admission.made
    if made is not None and made.made_at is not None:
        return person.read(made.made(made.made_at), can_contact=False)
    return (await directory.show(session, [_candidate_of(admission)], View()))[0]


async def batch(session: Session, given: Sequence[Any]) -> BatchUpserted:
    """Take in up to 500 statements, each by itself; raises TooManyItems."""
    if len(given) > MAX_ITEMS:
        raise TooManyItems
    read = [_read_item(index, each) for index, each in enumerate(given)]
    statements = [each for each in read if isinstance(each, Statement)]
    admitted = iter(await admit(session, statements, door="api"))
    results = [next(admitted) if isinstance(each, Statement) else each for each in read]
    refs = map(client_ref_of, given)
    items = [_upserted(index, ref, each) for index, (ref, each) in enumerate(zip(refs, results, strict=True))]
    return BatchUpserted(counts=dict(Counter(item.outcome for item in items)), items=items)


async def owner_of(session: Session, source: str, external_id: str) -> CandidateRead:
    """Return the candidate whom this external id means; raises CandidateNotFound."""
    return await directory.read(session, await _located(session, source, external_id))


async def owners_version(session: Session, source: str, external_id: str) -> int:
    """Return the version of whom this external id means; raises CandidateNotFound, Overtaken."""
    return await _version(session, await _located(session, source, external_id))


async def _located(session: Session, source: str, external_id: str) -> UUID:
    owner = (await candidates.locate_external(session, [(source, external_id)])).get((source, external_id))
    if owner is None:
        raise CandidateNotFound
    return owner


async def version_of(session: Session, candidate_id: UUID) -> tuple[UUID, int]:
    """Return whom this id means and in which version; raises CandidateNotFound, CandidateErased, Overtaken."""
    live = await candidates.resolve(session, candidate_id)
    return live, await _version(session, live)


async def _version(session: Session, live: UUID) -> int:
    found = await candidates.versions(session, [live])
    if live not in found:
        raise Overtaken
    return found[live]


async def demands_if_match(session: Session) -> bool:
    """Whether this tenant asks for If-Match on every change of a candidate."""
    return (await tenancy.read(session)).require_if_match


async def delete(session: Session, candidate_id: UUID, expect: Callable[[int], None]) -> None:
    """Hide a candidate for as long as it can be restored; raises CandidateNotFound and what `expect` raises."""
    live = await candidates.resolve(session, candidate_id, lock=True)
    expect((await candidates.profiles(session, [live]))[live].version)
    await candidates.hide(session, live)


async def restore(session: Session, candidate_id: UUID) -> CandidateRead:
    """Take a deletion back and match again; raises CandidateNotFound, MatchConflict."""
    live = await candidates.resolve(session, candidate_id, hidden=True)
    said = await candidates.records_of(session, [live])
    statements = [dedup.key(session, record.features, UUID(record.id)) for record in said[live]]
    known = await dedup.hold(session, statements)
    if await candidates.resolve(session, live, lock=True, hidden=True) != live:
        raise Overtaken
    found = (await candidates.profiles(session, [live]))[live]
    if found.status == "hidden":
        await _refuse_taken(session, [(each["source"], each["id"]) for each in found.fields["external_ids"]])
        await candidates.unhide(session, live)
        await _match_again(session, live, statements, known)
    return await directory.read(session, live)


async def _refuse_taken(session: Session, external_ids: Sequence[tuple[str, str]]) -> None:
    taken = set((await candidates.locate_external(session, external_ids)).values())
    if taken:
        raise MatchConflict(candidate_ids=sorted(map(str, taken)))


async def _match_again(session: Session, candidate_id: UUID, statements: Sequence[Keyed], known: Knowledge) -> None:
    pool = await dedup.pool(session, statements, known)
    opened = [
        Opened(candidate_id, found.candidate_id, found.judgement, statement.side.record_id)
        for statement in statements
        for found in pool.meet(statement, candidate_id)
    ]
    await dedup.store(session, pool, [], [], opened)


def _read_item(index: int, given: Any) -> Statement | Admission:  # noqa: ANN401 (any JSON value)
    if isinstance(given, Spoilt):
        return Admission("invalid", errors=[given.error])
    try:
        item = BatchUpsertItem.model_validate(given)
    except ValidationError as error:
        wrong = [field_error({**each, "loc": ("body", "items", index, *each["loc"])}) for each in error.errors()]
        return Admission("invalid", errors=wrong)
    return Statement(item, item.on_match, item.client_ref)


def _upserted(index: int, ref: str | None, admission: Admission) -> UpsertedItem:
    return UpsertedItem(
        index=index,
        client_ref=ref,
        status=admission.status,
        outcome=admission.outcome,
        id=admission.candidate_id,
        version=admission.version,
        errors=[ProblemField(**each.as_dict()) for each in _problems(index, admission)],
        pairs=_opened(admission),
    )


def _problems(index: int, admission: Admission) -> list[FieldError]:
    if admission.outcome == "conflict":
        return [FieldError(f"/items/{index}/external_ids", MatchConflict.code, MatchConflict.sentence())]
    if admission.outcome == "blocked_erased":
        return [FieldError(f"/items/{index}", BlockedErased.code, BlockedErased.sentence())]
    inside = f"/items/{index}"
    return [
        each if each.pointer.startswith(inside) else replace(each, pointer=inside + each.pointer)
        for each in admission.errors
    ]


def _refuse(admission: Admission) -> None:
    if admission.outcome == "conflict":
        raise MatchConflict(candidate_ids=[str(each) for each in admission.candidate_ids])
    if admission.outcome == "blocked_erased":
        raise BlockedErased
    if admission.outcome == "invalid":
        is_custom = any(each.pointer.startswith(POINTER) for each in admission.errors)
        raise (CustomFieldInvalid if is_custom else NothingIdentifies)(errors=admission.errors)


def _candidate_of(admission: Admission) -> UUID:
    if admission.candidate_id is None:
        raise CandidateNotFound
    return admission.candidate_id


def _opened(admission: Admission) -> list[PairOpened]:
    return [PairOpened.model_validate(each) for each in admission.pairs]
