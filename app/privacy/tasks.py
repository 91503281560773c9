from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from app.kit.db import Session
from app.kit.due import drain
from app.privacy import hiding, service


@drain(hiding.DUE, batch=20)
async def erase_hidden(session: Session, candidate_ids: Sequence[UUID]) -> Mapping[UUID, datetime]:
    return await service.erase_hidden(session, candidate_ids)
