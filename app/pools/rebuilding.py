"""The members of a pool of many people, found anew in the background.

A small pool is set right in one statement (see `membership.rebuild`). Where there are many people a job looks at them
chunk by chunk and writes down who is to be a member; until it has seen everybody, the members before are served. Then
they are exchanged at once, and what that changed is told. Who changes meanwhile is judged by the new criteria at once,
in both places, so that the exchange brings back nothing old.
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from app.criteria import flips
from app.kit import jobs, outbox
from app.kit.db import Session
from app.kit.jobs import Claim
from app.kit.outbox import Wake
from app.pools import membership
from app.pools.models import Pool
from app.pools.repository import PersonRepository, PoolRepository
from app.pools.successors import SuccessorRepository

KIND: Final = "pool.rebuild"
SCOPE: Final = "pools:write"
MANY: Final = 50_000
"""From so many people on a pool is rebuilt by a job: one statement over fewer takes about a second."""
CHUNK: Final = 10_000


async def begin(session: Session, pool: Pool) -> None:
    """Have a pool's members found anew: by the next drain, or by a job where there are many people."""
    if not await _start(session, pool):
        await outbox.schedule(session, Wake("pool", pool.id))


async def renew(session: Session, pool_id: UUID) -> None:
    """Find a pool's members anew: here, or by a job where there are many people."""
    pool = await PoolRepository(session).held(pool_id)
    if pool is not None and not await _start(session, pool):
        await membership.rebuild(session, pool)


async def _start(session: Session, pool: Pool) -> bool:
    """Start the job where there are many people; otherwise take back one that was started when there were."""
    is_large = await PersonRepository(session).are_more_than(MANY)
    pool.rebuild_job_id = await jobs.start(session, KIND, SCOPE, {"pool_id": pool.id}) if is_large else None
    await PoolRepository(session).save()
    return is_large


async def run(claim: Claim) -> Mapping[str, Any]:
    """Do the job; raises Cancelled when a later one has taken its place."""
    pool_id = UUID(str(claim.arguments["pool_id"]))
    cursor = dict(claim.cursor or {"phase": "clear"})
    phases = {"clear": _clear, "judge": _judge, "exchange": _exchange, "tell": _tell}
    while (phase := phases.get(cursor["phase"])) is not None:
        async with claim.step() as session:
            cursor = await phase(session, claim, pool_id, cursor)
            done, total = cursor.get("done", 0), cursor.get("total")
            await claim.progress(session, done, total=total, counts=cursor.get("counts"), cursor=cursor)
    return {"pool_id": str(pool_id), **cursor.get("counts", {})}


async def _clear(session: Session, claim: Claim, pool_id: UUID, cursor: dict[str, Any]) -> dict[str, Any]:
    """Take away what a job before has left, and tell what of it was not told."""
    await _ours(session, claim, pool_id)
    if await _take(session, pool_id) or await SuccessorRepository(session).clear(pool_id, CHUNK):
        return cursor
    total = await PersonRepository(session).how_many_live()
    return {"phase": "judge", "done": 0, "total": total, "after": None}


async def _judge(session: Session, claim: Claim, pool_id: UUID, cursor: dict[str, Any]) -> dict[str, Any]:
    """Write down of the next people who is to be a member."""
    pool = await _ours(session, claim, pool_id)
    people = PersonRepository(session)
    after = None if cursor["after"] is None else UUID(cursor["after"])
    last, seen = await people.stretch(after, CHUNK)
    if last is None:
        return {**cursor, "phase": "exchange"}
    moment, node = await membership.local_now(session), membership.node_of(pool)
    await SuccessorRepository(session).judge(people.belonging(pool, node, moment), pool_id, after, last)
    waiting = flips.awaiting(node, moment)
    if waiting is not None and pool.archived_at is None:
        found = await people.meeting(waiting, moment, after, CHUNK, until=last)
        await outbox.schedule(session, *(Wake("member", each) for each in found))
    return {**cursor, "after": str(last), "done": cursor["done"] + seen}


async def _exchange(session: Session, claim: Claim, pool_id: UUID, cursor: dict[str, Any]) -> dict[str, Any]:
    """Make members of those who were found, and of nobody else."""
    pool = await _ours(session, claim, pool_id, shared=False)
    added, removed = await SuccessorRepository(session).exchange(pool_id)
    pool.rebuild_job_id = None
    await PoolRepository(session).save()
    await membership.settle(session, pool, changed=bool(added or removed))
    return {**cursor, "phase": "tell", "counts": {"added": added, "removed": removed}}


async def _tell(session: Session, _: Claim, pool_id: UUID, cursor: dict[str, Any]) -> dict[str, Any]:
    if await _take(session, pool_id) or await SuccessorRepository(session).clear(pool_id, CHUNK):
        return cursor
    return {**cursor, "phase": "done"}


async def _take(session: Session, pool_id: UUID) -> int:
    """Tell some of what an exchange has changed; return how much that was."""
    changes = await SuccessorRepository(session).take_changes(pool_id, membership.CHUNK)
    await membership.tell(session, changes)
    return len(changes)


async def _ours(session: Session, claim: Claim, pool_id: UUID, *, shared: bool = True) -> Pool:
    """Return the pool, held against changes of its criteria, unless `shared` also against looks at single people."""
    pool = await PoolRepository(session).held(pool_id, shared=shared)
    if pool is None or pool.rebuild_job_id != claim.id:
        raise jobs.Cancelled
    return pool
