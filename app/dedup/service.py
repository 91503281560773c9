from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from operator import itemgetter
from typing import Any, Final, Literal
from uuid import UUID

from app.candidates import service as candidates
from app.candidates.errors import CandidateNotFound
from app.candidates.features import Features, Payload, read_features
from app.dedup import events, repository
from app.dedup.errors import PairNotFound
from app.dedup.matching import Filed, Linked, Opened, Spelled, evidence
from app.dedup.model import default_model, read_model
from app.dedup.models import CandidatePair, DedupPolicy
from app.dedup.pool import GENERIC_FROM, SHARED, Asked, Keyed, Met, Pool, asked, keyed
from app.dedup.rules import Knowledge, Policy
from app.dedup.schemas import CheckBody, EvidenceRead, Matches, MatchRead, PairRead, PolicyBody, PolicyRead
from app.dedup.sides import SEPARATOR, Side, read_side, value_hash
from app.dedup.words import Words, read_words, words_of
from app.kit import crypto, json, outbox
from app.kit.clock import now
from app.kit.columns import Part
from app.kit.db import Session
from app.kit.errors import FieldError
from app.kit.ids import new_id
from app.kit.log import get_logger
from app.kit.paging import Paging
from app.kit.schemas import Page
from app.normalise.keys import key_hash
from app.tenancy import service as tenancy

log = get_logger(__name__)

BUCKETS = 2048
"""Locks of matching a tenant: keys that fall into one bucket wait for each other."""

LOCKED: Final[Collection[str]] = ("email", "phone", "url", "external_id", "birth_family", "birth_given")
"""Keys by which a record can be linked: who writes one of these waits for others who do."""
KEY_CAP: Final = 50
"""So many records of one key are looked at; a key that more records share says little."""
MOST_MATCHES = 20
COUNTED_AFTER: Final = timedelta(seconds=30)
"""How long after a write the size of the pool is counted anew."""


def secret_of(session: Session) -> bytes:
    """Return the tenant's secret under which keys and counted values are hashed."""
    return crypto.derive("record-keys", str(session.tenant_id))


def key(session: Session, features: Features, record_id: UUID | None = None) -> Keyed:
    """File one statement's features under the tenant's keyed hashes."""
    return keyed(features, secret_of(session), record_id)


async def hold(session: Session, statements: Sequence[Keyed]) -> Knowledge:
    """Make everybody else who writes one of these keys wait until this transaction ends; return what is known then."""
    hashes = {hashed for statement in statements for hashed in statement.hashes(LOCKED)}
    return await _known(session, statements, sorted({int.from_bytes(each[:4]) % BUCKETS for each in hashes}))


async def hold_people(session: Session, ids: Collection[UUID]) -> None:
    """Make everybody else wait who writes a key under which one of these people is found."""
    await repository.lock_people(session, _lock_of(session), ids, (LOCKED, BUCKETS))


def _lock_of(session: Session) -> int:
    return int.from_bytes(session.tenant_id.bytes[-4:], signed=True)


async def knowledge(session: Session, statements: Sequence[Keyed] = ()) -> Knowledge:
    """Return what matching goes by in this tenant, and what is known of the values of these statements."""
    return await _known(session, statements, [])


async def _known(session: Session, statements: Sequence[Keyed], buckets: Sequence[int]) -> Knowledge:
    counted = {hashed: value for statement in statements for value, hashed in statement.counted}
    shared = {hashed: key.value for each in statements for key, hashed in each.keys if key.kind in SHARED}
    row = await repository.known(session, (_lock_of(session), buckets), list(counted), list(shared))
    model = read_model(row.settings, f"tenant-{row.version}") if row.settings else default_model()
    return Knowledge(
        _policy(row.policy),
        model,
        row.pool or 0,
        holders={value: n for value, n in zip(counted.values(), row.held, strict=True) if n is not None},
        generic={shared[hashed] for hashed in row.generic},
        counting=row.counting or 0,
        region=tenancy.saw(session, row.region),
    )


async def pool(
    session: Session, statements: Sequence[Keyed], known: Knowledge, *, told: Literal["all"] | None = None
) -> Pool:
    """Return who holds a key of these statements, with all that their records say; only live candidates.

    `known` is what is known of these statements. Who shares too little to weigh enough is left out, unless all are to
    be told.
    """
    found = Pool(known)
    asks = asked(statements, known) if told is None else _all(statements)
    employers = {each.side.employer for each in statements if each.side.employer}
    births = {each.side.birth_date for each in statements if each.side.birth_date}
    rows = await repository.met(session, asks, employers, births, KEY_CAP) if asks else []
    told_of = [row for row in rows if row["candidate_id"]]
    for row in sorted(told_of, key=itemgetter("record_id")):
        candidate_id = row["candidate_id"]
        found.people.setdefault(candidate_id, []).append(read_side(row))
        for hashed in row["led_by"]:
            found.holders.setdefault(hashed, {})[candidate_id] = None
    if capped := len(rows) - len(told_of):
        log.info("match_keys.capped", keys=capped, cap=KEY_CAP)
    return found


def _all(statements: Sequence[Keyed]) -> dict[bytes, int]:
    return {hashed: Asked.NOTHING for statement in statements for hashed in statement.hashes()}


async def sides_of(session: Session, ids: Sequence[UUID]) -> dict[UUID, list[Side]]:
    """Return live candidate → what its records say, the oldest first."""
    people: dict[UUID, list[Side]] = {}
    for row in await repository.sides(session, ids) if ids else ():
        people.setdefault(row.candidate_id, []).append(read_side(row))
    return people


async def shown_by(session: Session, ids: Sequence[UUID]) -> tuple[dict[UUID, list[Side]], dict[UUID, Words]]:
    """Return live candidate → what its records say, the oldest first, but no names; and record → its spellings."""
    people: dict[UUID, list[Side]] = {}
    spelled: dict[UUID, Words] = {}
    for row in await repository.shown(session, ids) if ids else ():
        people.setdefault(row["candidate_id"], []).append(read_side(row))
        spelled[row["record_id"]] = read_words(row)
    return people, spelled


async def learn(session: Session, known: Knowledge, sides: Sequence[Side]) -> None:
    """Learn how many candidates hold the counted values of these records, and their shipped shares; forget others."""
    secret = secret_of(session)
    wanted = {value_hash(secret, *counted): counted for side in sides for counted in side.counted()}
    row = await repository.known(session, (0, []), list(wanted), [])
    counted = zip(wanted.values(), row.held, strict=True)
    known.holders, known.shipped = {value: n for value, n in counted if n is not None}, {}
    for side in sides:
        known.learn(side)


def contact_keys(session: Session, side: Side) -> dict[bytes, str]:
    """Return key hash → match key of a record's contacts."""
    shown = {"email": side.emails, "phone": (*side.mobiles, *side.fixed_phones), "url": side.urls}
    return {key_hash(secret_of(session), kind, value): value for kind, values in shown.items() for value in values}


async def store(
    session: Session, known: Pool, filed: Sequence[Filed], linked: Sequence[Linked], opened: Sequence[Opened]
) -> dict[tuple[UUID, UUID], UUID | None]:
    """Write links and pairs of records that were filed; return each pair's id by its sides.

    It is None where `different` was said already.
    """
    values = {hashed: key.value for each in filed for key, hashed in each.statement.keys}
    await lay_aside(session, {each: values[each] for each in known.turned_generic if each in values})
    spelled = await _spelled(session, filed, linked, opened)
    if linked:
        version = known.known.version
        await repository.decide(session, [each.row(spelled, version) for each in linked])
    stored = await _open(session, opened, spelled)
    return {(row.left_id, row.right_id): row.id if row.status == "open" else None for row in stored}


async def open_pairs(session: Session, opened: Sequence[Opened]) -> int:
    """Open pairs between candidates that are there; return how many are new."""
    stored = await _open(session, opened, await _spelled(session, (), (), opened))
    return sum(row.is_new for row in stored)


async def open_told(session: Session, rows: Sequence[Mapping[str, Any]]) -> int:
    """Open pairs that differ, each told by `Opened.row`, between candidates that are there; return how many are new."""
    return sum(row.is_new for row in await _write(session, rows))


async def said_of(session: Session, pairs: Sequence[tuple[UUID, UUID]]) -> set[tuple[UUID, UUID]]:
    """Return those of these pairs, the smaller id first, of which something is said already, whatever it is."""
    return {(row.left_id, row.right_id) for row in await repository.stored_pairs(session, pairs)}


async def _open(session: Session, opened: Sequence[Opened], spelled: Spelled) -> list[Any]:
    first = {each.sides: each for each in reversed(opened)}
    return await _write(session, [each.row(spelled) for each in first.values()])


async def _write(session: Session, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    if not rows:
        return []
    stored = await repository.open_pairs(session, rows)
    await outbox.record(session, *(events.opened(row.id) for row in stored if row.is_new))
    return stored


async def lay_aside(session: Session, values: Mapping[bytes, str]) -> None:
    """Let contacts, match key by key hash, be generic from now on; the links that used them are judged again soon."""
    if values:
        hashes = sorted(values)
        await repository.mark_generic(session, hashes, GENERIC_FROM)
        await repository.lay_aside(session, [values[each] for each in hashes], hashes)
        await outbox.schedule(session, outbox.Wake("generic", session.tenant_id))


async def free(session: Session, freed: Collection[tuple[UUID, tuple[str, str]]]) -> None:
    """Forget external ids that their candidates do not have any more: they identify nobody."""
    owners, values = zip(*((owner, SEPARATOR.join(each)) for owner, each in sorted(freed)), strict=True)
    hashes = [key_hash(secret_of(session), "external_id", value) for value in values]
    await repository.free(session, owners, values, hashes)


async def file(session: Session, filed: Sequence[Filed]) -> None:
    """Write what records are found and compared by."""
    await repository.file(session, filing(filed))


def filing(filed: Sequence[Filed], known: Pool | None = None) -> Part:
    """Return what new records are found and compared by, and how many more candidates now hold each counted value."""
    keys = [row for each in filed for row in each.key_rows()]
    hashes, records, owners, kinds = map(list, zip(*keys, strict=True)) if keys else ([], [], [], [])
    gained, generic = (known.gained, known.known.generic) if known else ({}, set())
    return repository.filing(
        {
            "key_hashes": hashes,
            "key_records": records,
            "key_owners": owners,
            "key_kinds": kinds,
            "features": json.dumps([each.feature_row(generic) for each in filed]),
            "gained": [hashed.hex() for hashed in gained],
            "gained_by": list(gained.values()),
        }
    )


def recount(session: Session) -> outbox.Wake:
    """Return the due work of whoever files new records: the pool's size is to be counted anew."""
    return outbox.Wake("count_pool", session.tenant_id, now() + COUNTED_AFTER)


async def _spelled(
    session: Session, filed: Sequence[Filed], linked: Sequence[Linked], opened: Sequence[Opened]
) -> dict[UUID, Words]:
    """Return record → its own spellings, of all records that links and pairs are about."""
    if not (linked or opened):
        return {}
    shown = {each.record_id: each.words for each in filed}
    about = {record for each in opened for record in each.records} | {each.to_record_id for each in linked}
    return {**await spellings(session, about - shown.keys()), **shown}


async def spellings(session: Session, record_ids: Collection[UUID]) -> dict[UUID, Words]:
    """Return record → its own spellings."""
    return {row.id: read_words(row) for row in await repository.spellings(session, record_ids)} if record_ids else {}


async def check(session: Session, body: CheckBody) -> Matches:
    """Return who this could be, the best first; nothing is written."""
    stated = body.stated()
    statement, known = await _asked(session, stated, await tenancy.region(session))
    people = await pool(session, [statement], known, told=body.include)
    found = people.meet(statement, await _excluded(session, body), told=body.include)[:MOST_MATCHES]
    spelled = await spellings(session, {each for met in found for each in met.judgement.records[1:] if each})
    own = new_id()
    spelled[own] = words_of(stated, statement.features)
    return Matches(data=[read_match(each, own, spelled) for each in found])


async def _asked(session: Session, stated: Payload, region: str) -> tuple[Keyed, Knowledge]:
    """Return what is asked for, and what is known of it; read anew where the tenant's region is another by now."""
    statement = key(session, read_features(stated, region))
    known = await knowledge(session, [statement])
    if known.region in (None, region):
        return statement, known
    return await _asked(session, stated, known.region)


async def _excluded(session: Session, body: CheckBody) -> UUID | None:
    if body.exclude_id is None:
        return None
    live = (await candidates.resolve_many(session, [body.exclude_id])).get(body.exclude_id)
    if live is None:
        raise CandidateNotFound(errors=[FieldError("/exclude_id", "not_found", CandidateNotFound.sentence())])
    return live


async def find_pair(session: Session, pair_id: UUID) -> CandidatePair:
    """Return a pair; raises PairNotFound."""
    found = await repository.PairRepository(session).get(pair_id)
    if found is None:
        raise PairNotFound
    return found


async def list_pairs(session: Session, paging: Paging, statuses: Collection[str]) -> Page[PairRead]:
    """Return pairs, the newest first; with statuses, those in one of them."""
    bound = ("pairs", sorted(statuses))
    rows, total = await repository.PairRepository(session).page(statuses, paging, *bound)
    return paging.page(rows, PairRead.model_validate, lambda row: [row.id], *bound, total=total)


async def read_policy(session: Session) -> PolicyRead:
    """Return the policy as it is answered; version 0 is the default one."""
    return _read_policy(await repository.PolicyRepository(session).get())


async def lock_policy(session: Session) -> DedupPolicy:
    """Return the policy's row, locked; a new one, not yet stored, where the default holds."""
    found = await repository.PolicyRepository(session).get(lock=True)
    return found or DedupPolicy(version=0, policy={})


async def replace_policy(session: Session, stored: DedupPolicy, body: PolicyBody) -> PolicyRead:
    """Put the policy in the place of what was there."""
    wanted = body.model_dump(mode="json", exclude={"version", "updated_at"})
    if stored.policy != wanted:
        stored.policy = wanted
        stored.touch()
        await repository.PolicyRepository(session).add(stored)
    return _read_policy(stored)


def read_match(met: Met, own: UUID, spelled: Spelled) -> MatchRead:
    """Return a match as it is answered; `own` is under which the asked person's spellings are."""
    judgement = met.judgement
    return MatchRead(
        candidate_id=met.candidate_id,
        probability=judgement.probability,
        weight=judgement.weight,
        decision=judgement.decision,
        evidence=[EvidenceRead(**row) for row in evidence(judgement, own, spelled)],
    )


def _policy(stored: dict[str, Any] | None) -> Policy:
    if stored is None:
        return Policy()
    said = PolicyBody.model_validate(stored)
    return Policy(
        auto_threshold=said.auto_threshold,
        review_threshold=said.review_threshold,
        min_agreeing=said.min_agreeing,
        automatic=said.automatic,
        rules=tuple(rule.model_dump() for rule in said.rules),
        unique_sources=tuple(said.unique_sources),
        source_order=tuple(said.source_order),
    )


def _read_policy(stored: DedupPolicy | None) -> PolicyRead:
    said = PolicyBody.model_validate(stored.policy if stored else {})
    return PolicyRead(
        version=stored.version if stored else 0,
        **said.model_dump(exclude={"version", "updated_at", "rules"}),
        rules=said.rules,
    )
