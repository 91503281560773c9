"""Forgetting what a person was found and compared by, and what was decided of them."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from app.dedup.service import COUNTED_AFTER, secret_of
from app.dedup.sides import read_side, value_hash
from app.kit import outbox
from app.kit.clock import now
from app.kit.db import Session


async def erase(session: Session, ids: Collection[UUID], records: Sequence[UUID]) -> Mapping[str, int]:
    """Forget the keys, features, links and pairs of these candidates and their records; return how many pairs."""
    people, said = {"ids": list(ids)}, {"records": list(records)}
    await _uncount(session, ids)
    for table in ("record_keys", "match_features"):
        await session.run(f"delete from {table} where record_id = any(:records)", **said)  # noqa: S608 (constants)
    await session.run("delete from link_decisions where a = any(:records) or b = any(:records)", **said)
    pairs = await session.run("delete from candidate_pairs where left_id = any(:ids) or right_id = any(:ids)", **people)
    await outbox.schedule(session, outbox.Wake("count_pool", session.tenant_id, now() + COUNTED_AFTER))
    return {"pairs": pairs}


async def _uncount(session: Session, ids: Collection[UUID]) -> None:
    """Let these people hold none of the counted values any more."""
    secret = secret_of(session)
    held = {
        value_hash(secret, *counted)
        for row in await session.rows("select * from match_features where candidate_id = any(:ids)", ids=list(ids))
        for counted in read_side(row).counted()
    }
    await session.run(
        "update term_frequencies set n = greatest(n - 1, 0) where value_hash = any(:hashes)", hashes=sorted(held)
    )
