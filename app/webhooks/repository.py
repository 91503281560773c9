from typing import Any

from app.kit.db import Session


class ChangeRepository:
    """The numbered part of the tenant's feed."""

    def __init__(self, session: Session) -> None:
        self.session = session

    async def bounds(self) -> tuple[int, int]:
        """Return the oldest kept and the last given number."""
        row = await self.session.row("select oldest_seq, last_seq from feed_heads")
        return (row.oldest_seq, row.last_seq) if row else (0, 0)

    async def after(self, seq: int, last: int, limit: int) -> list[Any]:
        """Return the entries with `seq` < number <= `last`, the oldest first."""
        return await self.session.rows(
            """select seq, type, resource, resource_id as id, version, changed_fields, data, at from changes
               where seq > :seq and seq <= :last order by seq limit :limit""",
            seq=seq,
            last=last,
            limit=limit,
        )
