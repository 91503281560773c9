from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from app.connectors import service
from app.kit import due
from app.kit.db import Session


@due.drain(service.RAW_DUE)
async def empty_raw(session: Session, keys: Sequence[UUID]) -> Mapping[UUID, datetime]:
    """Forget the bodies of deliveries that are 30 days old, connection by connection."""
    return await service.empty_raw(session, keys)
