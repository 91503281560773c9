from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.connectors import fetching, polling, reception, service
from app.kit import due, jobs
from app.kit.db import Session
from app.kit.jobs import Claim


@due.drain(service.RAW_DUE)
async def empty_raw(session: Session, keys: Sequence[UUID]) -> Mapping[UUID, datetime]:
    """Forget the bodies of deliveries that are 30 days old, connection by connection."""
    return await service.empty_raw(session, keys)


@due.drain(reception.FETCH_DUE)
async def begin_fetching(session: Session, keys: Sequence[UUID]) -> Mapping[UUID, datetime]:
    """Start reading what notifications name, connection by connection."""
    return await fetching.begin(session, keys)


@jobs.job(fetching.JOB)
async def fetch(claim: Claim) -> Mapping[str, Any]:
    """Read what notifications name."""
    return await fetching.run(claim)


@due.drain(service.POLL_DUE)
async def begin_polling(session: Session, keys: Sequence[UUID]) -> Mapping[UUID, datetime]:
    """Start a round of questions, connection by connection."""
    return await polling.begin(session, keys)


@jobs.job(polling.JOB)
async def poll(claim: Claim) -> Mapping[str, Any]:
    """Ask about each nickname."""
    return await polling.run(claim)
