"""Forgetting with whom things happened: what is counted stays, on its day, as something that happened with nobody."""

from collections.abc import Collection
from uuid import UUID

from app.kit.db import Session

_FORGOTTEN = """identifier_kind = null, identifier_source = null, identifier_value = null, identifier_hash = null,
  external_id = null, data = '{}', message_id = null"""


async def deliveries_of(session: Session, candidate_id: UUID) -> list[UUID]:
    """Return the calls of hooks that told of a person."""
    rows = await session.rows(
        "select distinct delivery_id from touchpoints where candidate_id = :id and delivery_id is not null",
        id=candidate_id,
    )
    return [row.delivery_id for row in rows]


async def erase(session: Session, candidate_id: UUID, hashes: Collection[bytes], tombstone: UUID) -> int:
    """Give a person's touchpoints to nobody (`tombstone`), with the day and the type only; return how many there were.

    What named them by an identifier (its keyed hash) and never found them forgets that, too.
    """
    given = await session.run(
        f"""update touchpoints set candidate_id = :tombstone, arrived_with = :tombstone, {_FORGOTTEN},
              occurred_at = date_trunc('day', occurred_at)
            where candidate_id = :id""",  # noqa: S608 (constants)
        id=candidate_id,
        tombstone=tombstone,
    )
    await session.run(
        f"update touchpoints set {_FORGOTTEN} where candidate_id is null and identifier_hash = any(:hashes)",  # noqa: S608 (constants)
        hashes=list(hashes),
    )
    return given
