"""Forgetting how interested and how fitting a person was."""

from collections.abc import Collection
from uuid import UUID

from app.kit.db import Session


async def erase(session: Session, ids: Collection[UUID]) -> int:
    """Forget the scores of these candidates; return how many there were."""
    return await session.run("delete from scores where candidate_id = any(:ids)", ids=list(ids))
