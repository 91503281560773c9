"""Who is in which pool: kept so for one person in all pools, and for one pool with all people.

The first is asked in Python over the facts of a few people, the second in SQL over everybody; a property test holds
the two equal. A rebuild holds its pool against both, so that neither undoes what the other has just seen.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from app.candidates import service as candidates
from app.criteria import flips
from app.criteria.fields import Facts
from app.criteria.predicate import holds
from app.criteria.tree import Node, leaves
from app.kit import json, outbox
from app.kit.clock import now
from app.kit.db import Session
from app.kit.outbox import Wake
from app.kit.statement import Row
from app.pools import criteria_fields, events
from app.pools.criteria_fields import POOL
from app.pools.models import Pool
from app.pools.repository import (
    Change,
    MemberRepository,
    OverrideRepository,
    PersonRepository,
    PoolRepository,
)
from app.pools.successors import SuccessorRepository
from app.scores import service as scores
from app.tenancy import service as tenancy
from app.touchpoints import service as touchpoints
from app.touchpoints.criteria_fields import facts as timeline_facts

CHUNK: Final = 2_000


@lru_cache(maxsize=1_000)
def _parsed(criteria: bytes) -> Node:
    return criteria_fields.read(json.loads(criteria), "/criteria")


def node_of(pool: Pool | Row) -> Node:
    """Return the criteria of a pool as a tree."""
    return _parsed(json.canonical(pool.criteria))


def named(node: Node) -> frozenset[str]:
    """List the pools, by id or key, that criteria ask for."""
    asked = (leaf.value for leaf in leaves(node) if leaf.field is POOL and leaf.op != "exists")
    return frozenset(name for value in asked for name in (value if isinstance(value, tuple) else (value,)))


def in_order(pools: Sequence[Pool]) -> list[Pool]:
    """Order pools so that each comes after those that its criteria name."""
    by_name = {name: pool for pool in pools for name in (str(pool.id), pool.key)}
    placed: dict[UUID, Pool] = {}
    seen: set[UUID] = set()

    def place(pool: Pool) -> None:
        if pool.id not in seen:
            seen.add(pool.id)
            for name in sorted(named(node_of(pool)) & by_name.keys()):
                place(by_name[name])
            placed[pool.id] = pool

    for pool in pools:
        place(pool)
    return list(placed.values())


def constants(node: Node) -> dict[str, set[float]]:
    """Return, by model, the values with which criteria compare scores."""
    found: dict[str, set[float]] = {}
    for leaf in leaves(node):
        steps = leaf.field.name.split(".")
        if leaf.field.adapter == "score" and steps[-1] == "value" and leaf.op != "exists":
            model = steps[1] if len(steps) > len(("score", "value")) else scores.DEFAULT
            found.setdefault(model, set()).update(leaf.value if isinstance(leaf.value, tuple) else (leaf.value,))
    return found


async def moment_of(session: Session, node: Node) -> datetime:
    """Return this moment, in the tenant's zone where the criteria may ask for calendar days."""
    asks = any(leaf.field.kind in {"date", "element"} for leaf in leaves(node))
    return await local_now(session) if asks else now()


async def local_now(session: Session) -> datetime:
    """Return this moment in the tenant's zone, which gives the calendar day."""
    return now().astimezone(ZoneInfo((await tenancy.read(session)).timezone))


def names_of(nodes: Collection[Node], also: Collection[str] = ()) -> set[str]:
    """Name the members of the facts that these criteria ask for, and what else has a name in `also`."""
    asked = (leaf.field.name for node in nodes for leaf in leaves(node))
    return {name.partition(".")[0] for name in (*asked, *also)}


async def facts(
    session: Session, ids: Sequence[UUID], nodes: Collection[Node], at: datetime
) -> dict[UUID, dict[str, Any]]:
    """Return what these criteria ask of live candidates, but no more."""
    return await completed(session, await candidates.facts(session, ids, names_of(nodes)), nodes, at)


async def completed(
    session: Session, people: dict[UUID, dict[str, Any]], nodes: Collection[Node], at: datetime
) -> dict[UUID, dict[str, Any]]:
    """Set beside the facts of candidates what else these criteria ask for: touchpoints, scores, pools."""
    ids, asked = list(people), {leaf.field.adapter for node in nodes for leaf in leaves(node)}
    if "touchpoints" in asked:
        timelines = await touchpoints.signals_of(session, ids)
        people = {each: {**known, **timeline_facts(timelines.get(each, ()))} for each, known in people.items()}
    if "score" in asked:
        scored = await scores.facts(session, ids, at)
        people = {each: {**known, **scored[each]} for each, known in people.items()}
    if POOL.name in asked:
        inside = await MemberRepository(session).names_of(ids)
        people = {each: {**known, POOL.name: inside.get(each, [])} for each, known in people.items()}
    return people


async def recompute(session: Session, ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """Set the memberships of these people right; return when time alone may change them next."""
    pools = in_order(await PoolRepository(session).shared())
    if not pools:
        return {}
    moment = await local_now(session)
    nodes = {pool.id: node_of(pool) for pool in pools}
    people = await facts(session, ids, nodes.values(), moment)
    decided = await _decided(session, ids)
    wanted = {
        (pool_id, person): by
        for person, known in people.items()
        for pool_id, by in _pools_of(pools, nodes, known, decided.get(person, {}), moment)
    }
    await _write(session, ids, wanted)
    await _foresee(session, pools, ids, wanted)
    changes = {person: _next(nodes.values(), known, moment) for person, known in people.items()}
    return {person: at for person, at in changes.items() if at is not None}


async def _decided(session: Session, ids: Sequence[UUID]) -> dict[UUID, dict[UUID, str]]:
    decided: dict[UUID, dict[UUID, str]] = {}
    for each in await OverrideRepository(session).of_people(ids):
        decided.setdefault(each.candidate_id, {})[each.pool_id] = each.membership
    return decided


def _pools_of(
    pools: Sequence[Pool], nodes: Mapping[UUID, Node], known: Facts, decided: Mapping[UUID, str], at: datetime
) -> Iterator[tuple[UUID, str]]:
    """List the pools of one person and by what, in order, so that criteria may ask for the pools before them."""
    inside: list[str] = []
    for pool in pools:
        hand = decided.get(pool.id)
        if hand == "include" or (hand is None and holds(nodes[pool.id], {**known, "pool": inside}, at)):
            inside += (str(pool.id), pool.key)
            yield pool.id, "hand" if hand else "criteria"


def _next(nodes: Collection[Node], known: Facts, at: datetime) -> datetime | None:
    moments = (flips.next_change(node, known, at) for node in nodes)
    return min((moment for moment in moments if moment is not None), default=None)


async def _write(session: Session, ids: Sequence[UUID], wanted: Mapping[tuple[UUID, UUID], str]) -> None:
    members = MemberRepository(session)
    current = {(each.pool_id, each.candidate_id): each.by for each in await members.of_people(ids)}
    added = [(*pair, by) for pair, by in wanted.items() if current.get(pair) != by]
    removed = [pair for pair in current if pair not in wanted]
    changes = [*(await members.leave(removed) if removed else ()), *(await members.enter(added) if added else ())]
    await tell(session, changes)


async def _foresee(
    session: Session, pools: Sequence[Pool], ids: Sequence[UUID], wanted: Mapping[tuple[UUID, UUID], str]
) -> None:
    """Tell the rebuilds that are under way what was found, so that they bring back nothing older."""
    judged = [
        (pool.id, person, wanted.get((pool.id, person)))
        for pool in pools
        if pool.rebuild_job_id is not None
        for person in ids
    ]
    if judged:
        await SuccessorRepository(session).write(judged)


async def rebuild(session: Session, pool: Pool) -> None:
    """Set the members of one pool right, which is held for that, and wake whatever follows from it."""
    moment, node = await local_now(session), node_of(pool)
    changes = await MemberRepository(session).rewrite(pool, node, moment)
    await tell(session, changes)
    if pool.archived_at is None and (waiting := flips.awaiting(node, moment)) is not None:
        await _watch(session, waiting, moment)
    await settle(session, pool, changed=bool(changes))


async def settle(session: Session, pool: Pool, *, changed: bool) -> None:
    """Let follow what follows from new members; an ended pool forgets what was decided by hand."""
    if pool.archived_at is not None:
        await OverrideRepository(session).remove(pool.id)
    if changed:
        await wake_dependents(session, pool)


async def wake_dependents(session: Session, pool: Pool) -> None:
    """Have the pools rebuilt whose criteria name this one."""
    names = {str(pool.id), pool.key}
    dependents = [each.id for each in await PoolRepository(session).live() if names & named(node_of(each))]
    await outbox.schedule(session, *(Wake("pool", each) for each in dependents))


async def _watch(session: Session, waiting: Node, at: datetime) -> None:
    """Have those looked at for whom time will change the answer: that look finds out when."""
    people = PersonRepository(session)
    after: UUID | None = None
    while found := await people.meeting(waiting, at, after, CHUNK):
        await outbox.schedule(session, *(Wake("member", each) for each in found))
        after = found[-1]


async def tell(session: Session, changes: Sequence[Change]) -> None:
    """Write who came and who left to the feed."""
    for start in range(0, len(changes), CHUNK):
        chunk = changes[start : start + CHUNK]
        versions = await candidates.versions(session, {candidate_id for _, _, candidate_id in chunk})
        told = {"added": events.member_added, "removed": events.member_removed}
        await outbox.record(
            session, *(told[change](pool, person, versions.get(person)) for change, pool, person in chunk)
        )
