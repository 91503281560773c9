from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from app.kit.db import Session
from app.kit.due import drain
from app.touchpoints import attachment, settlement


@drain("attach")
async def attach(session: Session, candidate_ids: Sequence[UUID]) -> None:
    await attachment.attach(session, candidate_ids)


@drain("attach_touchpoint")
async def attach_touchpoint(session: Session, blocks: Sequence[UUID]) -> Mapping[UUID, datetime]:
    return await attachment.attach_blocks(session, blocks)


@drain("deeds", batch=1_000)
async def settle(session: Session, candidate_ids: Sequence[UUID]) -> Mapping[UUID, datetime]:
    return await settlement.settle(session, candidate_ids)
