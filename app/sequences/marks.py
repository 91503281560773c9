"""Who has been seen to be what an entry asks for, and how far the feed of changes was read for that."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final
from uuid import UUID

from app.kit import outbox
from app.kit.db import Session
from app.kit.outbox import Wake
from app.sequences import enrollments
from app.sequences.definition import Definition, Entry, Tree, Wait, walk
from app.sequences.repository import EntryRepository

_MARKS: Final = "sequence_id = :sequence_id and entry = :entry and candidate_id = any(:ids)"
_FEED: Final = """
select seq, case when resource = 'candidate' then resource_id
  when resource = 'touchpoint' then cast(data ->> 'candidate_id' as uuid) end as person
from changes where seq > :seq order by seq limit :most
"""
_CONDITIONAL: Final = "select distinct candidate_id as person from enrollments where limit_at is not null and state = "


async def begin(session: Session, sequence_id: UUID, definition: Definition, before: Definition | None) -> None:
    """Mark who is already what an entry asks for, and read the feed from here on.

    `before` is what was live until now; None when nothing was, as after a pause.
    """
    known = {entry.word for entry in before.entry} if before is not None else set()
    waits = any(isinstance(step, Wait) and step.until for _, step, _ in walk(definition.steps))
    if definition.entry or definition.exit_if is not None or waits:
        await _start(session)
        await outbox.schedule(session, Wake(enrollments.WATCH, enrollments.FEED))
    for entry in definition.entry:
        if entry.on != "import" and entry.word not in known:
            await EntryRepository(session).mark_all(sequence_id, entry.word, tree(entry))


def tree(entry: Entry) -> Tree:
    """Return the search tree of the state that an entry (but by import) asks for."""
    if entry.on == "pool_entered":
        return {"field": "pool", "op": "has", "value": str(entry.pool_id)}
    if entry.on == "tag_added":
        return {"field": "tags", "op": "has", "value": entry.tag}
    if entry.on == "source_added":
        return {"field": "sources.type", "op": "has", "value": entry.source_type}
    return {"field": "score.tier", "op": "eq", "value": entry.to}


async def end(session: Session) -> None:
    """Read the feed no more."""
    await session.run("delete from feed_cursors")


async def changed(session: Session, most: int) -> list[UUID]:
    """Take the next changes of the feed; return whom they are about, at the start everybody who waits."""
    seq = await session.value("select seq from feed_cursors for update")
    if seq is None:
        await _start(session)
        rows = await session.rows(_CONDITIONAL + "'active'")
        return sorted(row.person for row in rows)
    rows = await session.rows(_FEED, seq=seq, most=most)
    if rows:
        await session.run("update feed_cursors set seq = :seq", seq=max(row.seq for row in rows))
    return sorted({row.person for row in rows if row.person is not None})


async def mark(session: Session, sequence_id: UUID, entry: str, ids: Collection[UUID]) -> None:
    """Mark these candidates."""
    await session.run(
        """insert into entry_marks (sequence_id, entry, candidate_id)
           select :sequence_id, :entry, id from unnest(cast(:ids as uuid[])) as id on conflict do nothing""",
        sequence_id=sequence_id,
        entry=entry,
        ids=list(ids),
    )


async def marked(session: Session, sequence_id: UUID, entry: str, ids: Collection[UUID]) -> set[UUID]:
    """Return those of these candidates who are marked."""
    asked = f"select candidate_id from entry_marks where {_MARKS}"  # noqa: S608 (a constant)
    rows = await session.rows(asked, sequence_id=sequence_id, entry=entry, ids=list(ids))
    return {row.candidate_id for row in rows}


async def unmark(session: Session, sequence_id: UUID, entry: str, ids: Collection[UUID]) -> None:
    """Forget the marks of these candidates."""
    forgotten = f"delete from entry_marks where {_MARKS}"  # noqa: S608 (a constant)
    await session.run(forgotten, sequence_id=sequence_id, entry=entry, ids=list(ids))


async def share(session: Session, sources: Sequence[UUID], targets: Sequence[UUID]) -> None:
    """Mark each target wherever its source is."""
    await session.run(
        """insert into entry_marks (sequence_id, entry, candidate_id)
           select distinct e.sequence_id, e.entry, m.target
           from unnest(cast(:sources as uuid[]), cast(:targets as uuid[])) as m(source, target)
           join entry_marks e on e.candidate_id = m.source on conflict do nothing""",
        sources=list(sources),
        targets=list(targets),
    )


async def move(session: Session, moves: Mapping[UUID, UUID]) -> None:
    """Mark survivors where their losers (loser → survivor) are, and these no more."""
    await share(session, list(moves), list(moves.values()))
    await clear(session, list(moves))


async def clear(session: Session, ids: Collection[UUID]) -> None:
    """Forget every mark of these candidates."""
    await session.run("delete from entry_marks where candidate_id = any(:ids)", ids=list(ids))


async def _start(session: Session) -> None:
    """Read the feed from its present end on, unless it is being read already."""
    await session.run(
        """insert into feed_cursors (seq) select coalesce((select last_seq from feed_heads), 0)
           on conflict do nothing"""
    )
