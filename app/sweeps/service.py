from typing import Final
from uuid import UUID

from app.kit import jobs
from app.kit.db import Session

SWEEP: Final = "sweep"


async def start(session: Session) -> UUID:
    """Queue a sweep of the whole pool; return the job's id."""
    return await jobs.start(session, SWEEP, "dedup:read", {})
