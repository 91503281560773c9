"""Undoing an import: who it made goes, what it said of others is taken back.

People whom it made are hidden, as by a deletion: nobody reads or matches them any more, and nothing suppresses them.
Others get the profile that their remaining records add up to. Consents and touchpoints are histories: they stay.
"""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from app.candidates import events
from app.candidates import service as candidates
from app.candidates.profile import compute
from app.dedup import service as dedup
from app.imports import repository
from app.imports.schemas import ConflictRead, Written
from app.kit import outbox
from app.kit.db import Session
from app.kit.jobs import Claim

CHUNK: Final = 200
BEYOND: Final = 1 << 31
REASONS: Final = {
    "record": "Somebody has said more about this person since.",
    "touchpoint": "Something has happened with this person since.",
    "consent": "This person's consent has changed since.",
    "enrollment": "This person was enrolled since.",
    "merge": "This person was merged into another since.",
}


async def undo_rows(claim: Claim, import_id: UUID) -> None:
    """Take back every written row, the last first; a chunk is taken back whole or not at all."""
    cursor = dict(claim.cursor or {})
    before, done = int(cursor.get("row", BEYOND)), int(cursor.get("done", 0))
    while True:
        async with claim.step() as session:
            rows = await repository.written(session, import_id, before, CHUNK)
            if not rows:
                return
            conflicts = await _undo(session, import_id, rows)
            await repository.add_conflicts(session, import_id, [each.model_dump() for each in conflicts])
            stay = {each.row for each in conflicts}
            await repository.unmark(session, import_id, [each.row for each in rows if each.row not in stay])
            before, done = rows[-1].row, done + len(rows)
            await claim.progress(session, done, cursor={"row": before, "done": done})


async def _undo(session: Session, import_id: UUID, rows: Sequence[Written]) -> list[ConflictRead]:
    ids = sorted({each.candidate_id for each in rows})
    live = await candidates.resolve_many(session, ids)
    made = await repository.made(session, import_id, ids)
    added: dict[UUID, str] = await repository.additions(session, import_id, sorted(made))
    added |= {asked: "merge" for asked, now in live.items() if asked != now}
    for each in rows:
        if each.created and each.candidate_id in live and each.candidate_id not in added:
            await candidates.hide(session, each.candidate_id)
    stated = [each for each in rows if each.candidate_id in live and each.candidate_id not in added.keys() | made]
    if stated:
        await _take_back(session, stated)
    return [_conflict(each, added[each.candidate_id]) for each in rows if each.candidate_id in added]


async def _take_back(session: Session, rows: Sequence[Written]) -> None:
    ids = sorted({each.candidate_id for each in rows})
    order = (await dedup.read_policy(session)).source_order
    await repository.forget_records(session, [each.record_id for each in rows])
    drafts = await candidates.drafts(session, ids, ids)
    changes: dict[UUID, Any] = {each.id: each.take(compute(each.records, order)) for each in drafts.values()}
    await candidates.store(session, list(drafts.values()))
    await outbox.record(
        session,
        *(events.updated(each.id, each.version, changes[each.id]) for each in drafts.values() if changes[each.id]),
    )


def _conflict(row: Written, kind: str) -> ConflictRead:
    return ConflictRead(row=row.row, candidate_id=row.candidate_id, kind=kind, reason=REASONS[kind])
