from collections.abc import Sequence
from uuid import UUID

from app.kit.db import Session
from app.kit.due import drain
from app.touchpoints import service


@drain("attach")
async def attach(session: Session, candidate_ids: Sequence[UUID]) -> None:
    await service.attach(session, candidate_ids)


@drain("attach_touchpoint", batch=500)
async def attach_touchpoint(session: Session, touchpoint_ids: Sequence[UUID]) -> None:
    await service.attach_touchpoints(session, touchpoint_ids)
