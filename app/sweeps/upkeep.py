"""What a sweep sees to beside comparing: every record filed, every value counted, every generic one looked at again."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from app.candidates.features import load_features
from app.dedup import service as dedup
from app.dedup.matching import Filed
from app.dedup.pool import GENERIC_FROM, are_many
from app.dedup.rules import Knowledge
from app.kit.db import Session
from app.kit.jobs import Claim
from app.sweeps import repository

FILED: Final = 500
MENDED: Final = 10_000
HOLDERS: Final = 50
"""So many holders of a shared contact are looked at: four that differ are nearly always among the first."""


async def prepare(claim: Claim) -> Knowledge:
    """Bring what matching goes by up to date; return it."""
    await _file_missing(claim)
    async with claim.database.transaction(claim.caller) as session:
        await repository.count_pool(session)
        await repository.renew(session)
    async with claim.step() as session:
        await _settle_generic(session)
        return await dedup.knowledge(session)


async def count(claim: Claim) -> None:
    """Let PostgreSQL count how many candidates hold each value."""
    async with claim.database.transaction(claim.caller) as session:
        await repository.count_values(session, dedup.secret_of(session))


async def mend_counts(claim: Claim, miscounted: Any) -> None:  # noqa: ANN401 (a table of Arrow)
    """Add to the counts of values, by (hash, more), what a bulk engine has counted beyond them."""
    for batch in miscounted.to_batches(MENDED):
        hashes, more = (column.to_pylist() for column in batch.columns)
        async with claim.step() as session:
            await repository.mend_counts(session, hashes, more)


async def _file_missing(claim: Claim) -> None:
    while True:
        async with claim.step() as session:
            rows = await repository.unfiled(session, FILED)
            await dedup.file(session, [_filed(session, row) for row in rows])
        if len(rows) < FILED:
            return


def _filed(session: Session, row: Any) -> Filed:  # noqa: ANN401 (a row)
    return Filed(row.id, row.candidate_id, dedup.key(session, load_features(row.features), row.id), row.payload)


async def _settle_generic(session: Session) -> None:
    """Say of each shared contact whether it is generic: four candidates whose names differ make it so, fewer do not."""
    shared = await repository.shared_keys(session, GENERIC_FROM, HOLDERS)
    people = await dedup.sides_of(session, sorted({each for row in shared for each in row.ids}))
    turned, untrue = [], []
    for row in shared:
        is_generic = are_many([people[each] for each in row.ids if each in people])
        if is_generic and not row.generic:
            turned.append(row.key_hash)
        elif row.generic and not is_generic:
            untrue.append(row.key_hash)
    await _lay_aside(session, turned)
    await _take_up(session, untrue)


async def _lay_aside(session: Session, hashes: Sequence[bytes]) -> None:
    values = await _values(session, hashes)
    await dedup.lay_aside(session, {hashed: value for hashed, _, value in values})


async def _take_up(session: Session, hashes: Sequence[bytes]) -> None:
    values = await _values(session, hashes)
    await repository.unmark_generic(session, hashes)
    await repository.take_up(session, [record for _, record, _ in values], [value for _, _, value in values])


async def _values(session: Session, hashes: Sequence[bytes]) -> list[tuple[bytes, UUID, str]]:
    """Return (key, record, value): what these hashed keys are in each record that shows them."""
    if not hashes:
        return []
    rows = await repository.holders_of(session, hashes)
    people = await dedup.sides_of(session, sorted({row.candidate_id for row in rows}))
    shown = {side.record_id: dedup.contact_keys(session, side) for said in people.values() for side in said}
    return [
        (row.key_hash, row.record_id, value)
        for row in rows
        if (value := shown.get(row.record_id, {}).get(row.key_hash)) is not None
    ]
