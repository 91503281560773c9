"""Forgetting what files said of a person."""

from collections.abc import Collection
from uuid import UUID

from app.candidates.erasing import Traces, patterns
from app.kit.db import Session

_OF_PERSON = """candidate_id = any(:ids) or record_id = any(:records)
  or (candidate_id is null and lower(cells::text) like any(:patterns))"""


async def erase(session: Session, found: Traces) -> int:
    """Empty the rows of files that are about a person or name them, and the names of files; return how many rows.

    Such a row is as one of somebody who was erased before it came. A file is kept only until its rows are read.
    """
    rows = await session.run(
        f"""update import_rows set cells = '[]', verdict = 'blocked_erased', candidate_id = null, record_id = null,
              created = false, pair_ids = '{{}}', errors = '[]', warnings = '[]', applied_at = null
            where {_OF_PERSON}""",  # noqa: S608 (constants)
        ids=list(found.ids),
        records=list(found.records),
        patterns=patterns(found.addresses),
    )
    await session.run(
        "update imports set filename = '…' where lower(filename) like any(:patterns)",
        patterns=patterns(found.addresses | found.names),
    )
    await session.run(
        """delete from import_files where import_id in (
             select f.import_id from import_files f join imports i on i.id = f.import_id
             where i.state <> 'staging' and lower(encode(f.content, 'escape')) like any(:patterns))""",
        patterns=patterns(found.addresses),
    )
    return rows


async def taken_back(session: Session, ids: Collection[UUID]) -> set[UUID]:
    """Return those of these candidates whom an import had made that was undone: they are gone as if they never came."""
    rows = await session.rows(
        """select distinct r.candidate_id from import_rows r join imports i on i.id = r.import_id
           where r.candidate_id = any(:ids) and r.created and r.applied_at is null
             and i.state in ('undoing', 'undone')""",
        ids=list(ids),
    )
    return {row.candidate_id for row in rows}
