from typing import Final
from uuid import UUID

from app.kit import jobs
from app.kit.db import Session
from app.sweeps.engines import Engine

SWEEP: Final = "sweep"


async def start(session: Session, engine: Engine | None = None) -> UUID:
    """Queue a sweep of the whole pool, by the engine that suits its size unless one is named; return the job's id."""
    return await jobs.start(session, SWEEP, "dedup:read", {"engine": engine} if engine else {})
