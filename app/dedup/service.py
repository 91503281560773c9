from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from uuid import UUID

from app.candidates import service as candidates
from app.candidates.errors import CandidateNotFound
from app.candidates.features import Features, read_features
from app.dedup import events, repository
from app.dedup.errors import PairNotFound
from app.dedup.matching import Filed, Linked, Opened
from app.dedup.models import CandidatePair, DedupPolicy
from app.dedup.pool import GENERIC_FROM, MET_BY, Found, Keyed, Pool, keyed
from app.dedup.rules import Policy
from app.dedup.schemas import CheckBody, EvidenceRead, Matches, MatchRead, PairRead, PolicyBody, PolicyRead
from app.kit import crypto, outbox
from app.kit.db import Session
from app.kit.errors import FieldError
from app.kit.paging import Paging
from app.kit.schemas import Page
from app.normalise.keys import key_hash
from app.tenancy import service as tenancy

BUCKETS = 4096
"""Locks of matching a tenant: strong keys that fall into one bucket wait for each other."""

LOCKED = ("email", "phone", "url", "external_id")
MOST_MATCHES = 20
ALL_KINDS = (*MET_BY, "sorted_name", "kanji_name", "unsplit_name")


def key(session: Session, features: Features) -> Keyed:
    """File one statement's features under the tenant's keyed hashes."""
    secret = crypto.derive("record-keys", str(session.tenant_id))
    return keyed(features, lambda kind, value: key_hash(secret, kind, value))


async def hold(session: Session, statements: Iterable[Keyed]) -> None:
    """Make everybody else who writes one of these strong keys wait until this transaction ends."""
    hashes = {hashed for statement in statements for hashed in statement.hashes(LOCKED)}
    buckets = sorted({int.from_bytes(hashed[:4]) % BUCKETS for hashed in hashes})
    if buckets:
        await repository.lock(session, int.from_bytes(session.tenant_id.bytes[-4:], signed=True), buckets)


async def policy(session: Session) -> Policy:
    """Return the tenant's policy, or the default one."""
    return _policy(await repository.PolicyRepository(session).get())


async def pool(session: Session, statements: Sequence[Keyed], rules: Policy, kinds: Collection[str] = MET_BY) -> Pool:
    """Return who holds a key of these statements; their records are still to be filled into `people`."""
    found = Pool(rules)
    hashes = sorted({hashed for statement in statements for hashed in statement.hashes(kinds)})
    for row in await repository.holders(session, hashes) if hashes else ():
        found.holders.setdefault(row.key_hash, {})[row.candidate_id] = None
    if found.holders:
        found.generic.update(await repository.generic(session, sorted(found.holders)))
    return found


async def store(
    session: Session, known: Pool, filed: Sequence[Filed], linked: Sequence[Linked], opened: Sequence[Opened]
) -> dict[tuple[UUID, UUID], UUID | None]:
    """Write keys, links and pairs; return each pair's id by its sides, None where `different` was said already."""
    if filed:
        await repository.file_keys(session, [row for each in filed for row in each.rows()])
    if known.turned_generic:
        await repository.mark_generic(session, sorted(known.turned_generic), GENERIC_FROM)
    if linked:
        await repository.decide(session, [each.row() for each in linked])
    if not opened:
        return {}
    first = {each.sides: each for each in reversed(opened)}
    stored = await repository.open_pairs(session, [each.row() for each in first.values()])
    await outbox.record(session, *(events.opened(row.id) for row in stored if row.is_new))
    return {(row.left_id, row.right_id): row.id if row.status == "open" else None for row in stored}


async def check(session: Session, body: CheckBody) -> Matches:
    """Return who this could be, the best first; nothing is written."""
    region = (await tenancy.read(session)).country_code
    statement = key(session, read_features(body.stated(), region))
    known = await pool(session, [statement], await policy(session), ALL_KINDS)
    owners = await candidates.locate_external(session, statement.features.external_ids)
    records = await candidates.records_of(session, sorted({*known.everybody(), *owners.values()}))
    known.people = {each: [record.features for record in said] for each, said in records.items()}
    found = known.meet(statement, await _excluded(session, body), kinds=ALL_KINDS, told=body.include)
    return Matches(data=[read_match(each) for each in found[:MOST_MATCHES]])


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


async def list_pairs(session: Session, paging: Paging, status: str | None) -> Page[PairRead]:
    """Return pairs, the newest first."""
    bound = ("pairs", status)
    rows, total = await repository.PairRepository(session).page(status, paging, *bound)
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


def read_match(found: Found) -> MatchRead:
    """Return a match as it is answered."""
    judgement = found.judgement
    return MatchRead(
        candidate_id=found.candidate_id,
        probability=judgement.probability,
        weight=judgement.weight,
        decision=judgement.decision,
        evidence=[EvidenceRead(**asdict(row)) for row in judgement.evidence],
    )


def _policy(stored: DedupPolicy | None) -> Policy:
    said = PolicyBody.model_validate(stored.policy if stored else {})
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
