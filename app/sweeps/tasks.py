from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from app.kit.clock import now
from app.kit.db import Session
from app.kit.due import drain
from app.kit.jobs import job
from app.sweeps import generic, repository, service, sweep

job(service.SWEEP)(sweep.run)


@drain("count_pool", batch=1)
async def count_pool(session: Session, _tenant: Sequence[UUID]) -> None:
    """Count the pool anew: what the prior goes by."""
    await repository.count_pool(session)


@drain("generic", batch=1)
async def judge_again(session: Session, tenant: Sequence[UUID]) -> Mapping[UUID, datetime]:
    """Judge links anew whose value became generic; come back at once while there are more."""
    return dict.fromkeys(tenant, now()) if await generic.judge_again(session) else {}
