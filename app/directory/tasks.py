from collections.abc import Sequence
from uuid import UUID

from app.directory import service
from app.kit.db import Session
from app.kit.due import drain


@drain("facet", batch=1000)
async def facet(session: Session, candidate_ids: Sequence[UUID]) -> None:
    await service.count(session, candidate_ids)
