"""Keeping pools, and saying who is in them and why."""

from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

from app.candidates import service as candidates
from app.candidates.fields import PROFILE
from app.criteria.tree import Node, leaves
from app.kit import outbox
from app.kit.clock import now
from app.kit.db import Session
from app.kit.errors import FieldError
from app.kit.outbox import Wake
from app.kit.paging import Paging
from app.kit.schemas import Page
from app.pools import criteria_fields, membership, rebuilding
from app.pools.criteria_fields import FIELDS, POOL
from app.pools.errors import CriteriaCycle, CriteriaInvalid, NotDecided, PoolNotFound
from app.pools.merging import absorb, counts, erase, opposed, release
from app.pools.models import Pool
from app.pools.question import Question, remember, remembered
from app.pools.repository import MemberRepository, OverrideRepository, PoolRepository
from app.pools.schemas import (
    OverrideRead,
    OverrideWrite,
    PoolCreate,
    PoolRead,
    PoolReadOnly,
    PoolUpdate,
)
from app.scores import service as scores
from app.scores.errors import ScoreModelNotFound

__all__ = (
    "absorb",
    "change",
    "check_criteria",
    "check_model",
    "counts",
    "create",
    "decide",
    "erase",
    "find",
    "members",
    "opposed",
    "page",
    "release",
    "remove",
    "undecide",
)

READ_ONLY: Final = set(PoolReadOnly.model_fields)
DECIDES_MEMBERS: Final = {"key", "criteria"}
JUDGED: Final = DECIDES_MEMBERS | {"required_fields", "score_model"}
"""What names others: a pool whose others are gone can still be changed in all else."""


async def find(session: Session, pool_id: UUID, *, lock: bool = False) -> Pool:
    """Return a pool, with `lock` its row, which can be changed; raises PoolNotFound."""
    pools = PoolRepository(session)
    pool = await (pools.get(pool_id, lock=True) if lock else pools.read(pool_id))
    if pool is None:
        raise PoolNotFound
    return pool


async def page(session: Session, paging: Paging, keys: Sequence[str] | None = None) -> Page[PoolRead]:
    """Return the pools, or those with one of these keys, the newest first."""
    repository = PoolRepository(session)
    bound = ("pools", keys)
    rows, total = await repository.newest(repository.called(keys), paging, *bound)
    return paging.page(rows, PoolRead.model_validate, lambda row: [row.id], *bound, total=total)


async def create(session: Session, body: PoolCreate) -> PoolRead:
    """Make a pool; its members come with the next drain. Raises CriteriaInvalid, CriteriaCycle, PoolKeyTaken."""
    pool = Pool(**body.model_dump(exclude=READ_ONLY))
    await _check(session, pool)
    await PoolRepository(session).add(pool)
    await _compare(session, pool)
    await rebuilding.begin(session, pool)
    return PoolRead.model_validate(pool)


async def change(session: Session, pool: Pool, patch: PoolUpdate) -> PoolRead:
    """Change what `patch` holds; raises CriteriaInvalid, CriteriaCycle, PoolKeyTaken."""
    kept = patch.model_dump(include=patch.model_fields_set - READ_ONLY)
    if patch.required_fields is not None:
        kept["required_fields"] = patch.required_fields.applied(pool.required_fields)
    if kept.get("key", pool.key) != pool.key:
        await membership.wake_dependents(session, pool)
    changed = pool.change(kept)
    if not changed:
        return PoolRead.model_validate(pool)
    if changed & JUDGED:
        await _check(session, pool)
    await PoolRepository(session).save()
    if changed & DECIDES_MEMBERS:
        await _compare(session, pool)
        await rebuilding.begin(session, pool)
    return PoolRead.model_validate(pool)


async def remove(session: Session, pool: Pool) -> None:
    """End a pool; its members leave with the next drain."""
    pool.archived_at = now()
    pool.touch()
    await PoolRepository(session).save()
    await scores.set_thresholds(session, _user(pool), {})
    await rebuilding.begin(session, pool)


async def members(session: Session, paging: Paging, pool_id: UUID) -> Page[dict[str, Any]]:
    """Return the members of a pool, the newest person first, each with why (MemberRead); raises PoolNotFound."""
    bound = ("members", str(pool_id))
    after = paging.after(*bound)
    repository = MemberRepository(session)
    question, rows = await _asked(session, pool_id, UUID(after[0]) if after else None, paging.limit + 1)
    total = await repository.how_many(repository.of_pool(pool_id)) if paging.include_total else None
    moment = await membership.moment_of(session, question.node)
    live = {row["id"]: row for row in rows if row["id"] is not None}
    known = await membership.completed(session, live, [question.node], moment)
    answer = question.answerer(moment)

    def read(row: Any) -> dict[str, Any]:  # noqa: ANN401 (a row)
        person, by, since = row[:3]
        why, missing = answer(known.get(person) or {"id": person})
        return {"candidate_id": person, "by": by, "since": since, "why": why, "missing": missing}

    return paging.page(rows, read, lambda row: [row["candidate_id"]], *bound, total=total)


async def _asked(session: Session, pool_id: UUID, after: UUID | None, limit: int) -> tuple[Question, list[Any]]:
    """Return what a pool asks, and a page of its members with the facts for that; raises PoolNotFound.

    What it asked the last time is asked at once, of the same version only: where nobody is found, it is looked up.
    """
    repository, question = MemberRepository(session), remembered(pool_id)
    if question is not None:
        rows = await repository.page(pool_id, after, limit, question.names, question.version)
        if rows:
            return question, rows
    pool = await PoolRepository(session).asked(pool_id)
    if pool is None:
        raise PoolNotFound
    question = remember(pool_id, Question.of(pool))
    return question, await repository.page(pool_id, after, limit, question.names)


async def decide(session: Session, pool: Pool, candidate_id: UUID, body: OverrideWrite) -> OverrideRead:
    """Include or exclude one person by hand; raises CandidateNotFound."""
    live = await candidates.resolve(session, candidate_id)
    override = await OverrideRepository(session).write(pool.id, live, body.membership, body.note)
    await _reconsider(session, live)
    return OverrideRead.model_validate(override)


async def undecide(session: Session, pool: Pool, candidate_id: UUID) -> None:
    """Take back what was decided by hand, so that the criteria decide again; raises CandidateNotFound, NotDecided."""
    live = await candidates.resolve(session, candidate_id)
    if not await OverrideRepository(session).remove(pool.id, live):
        raise NotDecided
    await _reconsider(session, live)


async def _reconsider(session: Session, candidate_id: UUID) -> None:
    again = await membership.recompute(session, [candidate_id])
    await outbox.schedule(session, *(Wake("member", each, at) for each, at in again.items()))


async def _compare(session: Session, pool: Pool) -> None:
    """Have scores looked at in the moment in which they cross what the criteria compare them with."""
    await scores.set_thresholds(session, _user(pool), membership.constants(membership.node_of(pool)))


def _user(pool: Pool) -> str:
    return f"pool:{pool.id}"


async def _check(session: Session, pool: Pool) -> None:
    """Hold a pool's criteria to what may be asked; raises CriteriaInvalid, CriteriaCycle, PoolNotFound."""
    node = criteria_fields.read(pool.criteria, "/criteria")
    await check_model(session, pool.score_model)
    unknown = [
        FieldError(f"/required_fields/{place}", "unknown_field", criteria_fields.SENTENCES["unknown_field"])
        for place, name in enumerate(pool.required_fields)
        if FIELDS.find(name) is None and name not in PROFILE
    ]
    if unknown:
        raise CriteriaInvalid(errors=unknown)
    if membership.named(node):
        await PoolRepository(session).lock_names()
        others = [each for each in await PoolRepository(session).live() if each.id != pool.id]
        _refuse_unknown(node, {*_by_name(others), str(pool.id), pool.key}, "/criteria")
        _check_cycle(pool, node, others)


def _check_cycle(pool: Pool, node: Node, others: Sequence[Pool]) -> None:
    by_name = _by_name(others)
    own = {str(pool.id), pool.key}
    reached, ahead = set[str](), set(membership.named(node))
    while ahead:
        name = ahead.pop()
        if name in own:
            raise CriteriaCycle(errors=[FieldError("/criteria", CriteriaCycle.code, CriteriaCycle.sentence())])
        reached.add(name)
        ahead |= membership.named(membership.node_of(by_name[name])) - reached if name in by_name else set()


def _refuse_unknown(node: Node, known: Collection[str], pointer: str) -> None:
    for leaf in leaves(node):
        if leaf.field is POOL and leaf.op != "exists":
            asked = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
            if any(name not in known for name in asked):
                place = f"{pointer}{leaf.pointer}/value"
                raise PoolNotFound(errors=[FieldError(place, PoolNotFound.code, PoolNotFound.sentence())])


def _by_name(pools: Sequence[Pool]) -> dict[str, Pool]:
    return {name: each for each in pools for name in (str(each.id), each.key)}


async def check_criteria(session: Session, criteria: object, pointer: str) -> Node:
    """Read criteria that others keep, at `pointer` of a body; raises CriteriaInvalid, PoolNotFound."""
    node = criteria_fields.read(criteria, pointer)
    if membership.named(node):
        _refuse_unknown(node, _by_name(await PoolRepository(session).live()), pointer)
    return node


async def check_model(session: Session, key: str) -> None:
    """Hold a body's `score_model` to those that there are; raises ScoreModelNotFound."""
    try:
        await scores.read_model(session, key)
    except ScoreModelNotFound as error:
        found = FieldError("/score_model", error.code, error.sentence())
        raise ScoreModelNotFound(errors=[found]) from error
