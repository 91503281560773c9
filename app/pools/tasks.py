from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.kit import due, jobs
from app.kit.db import Session
from app.pools import membership, rebuilding


@due.drain("pool", batch=1)
async def rebuild_pools(session: Session, pool_ids: Sequence[UUID]) -> None:
    """Set the members of whole pools right."""
    for pool_id in pool_ids:
        await rebuilding.renew(session, pool_id)


@due.drain("member")
async def recompute_members(session: Session, candidate_ids: Sequence[UUID]) -> Mapping[UUID, datetime]:
    """Set the memberships of people right, and look again when time alone may change them."""
    return await membership.recompute(session, candidate_ids)


@jobs.job(rebuilding.KIND)
async def rebuild_large_pool(claim: jobs.Claim) -> Mapping[str, Any]:
    """Find the members of a pool of many people anew."""
    return await rebuilding.run(claim)
