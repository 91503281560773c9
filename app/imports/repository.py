from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from app.imports.models import Import
from app.imports.schemas import Staged, Written
from app.kit import json
from app.kit.columns import TENANT
from app.kit.db import Session
from app.kit.repository import ResourceRepository


class ImportRepository(ResourceRepository[Import]):
    model = Import


async def set_state(session: Session, import_id: UUID, state: str, **values: Any) -> int:  # noqa: ANN401 (columns)
    """Move an import to another state and set other columns of it; return its new version."""
    columns = "".join(f", {name} = {_cast(name)}" for name in values)
    version = await session.value(
        f"update imports set state = :state, version = version + 1, updated_at = now(){columns}"  # noqa: S608 (names are ours)
        " where id = :id returning version",
        id=import_id,
        state=state,
        **{name: json.dumps(value) if name in _JSON else value for name, value in values.items()},
    )
    return int(version)


_JSON = frozenset({"counts", "columns", "warnings", "conflicts", "error"})


def _cast(name: str) -> str:
    return f"cast(:{name} as jsonb)" if name in _JSON else f":{name}"


async def add_part(session: Session, import_id: UUID, part: int, content: bytes) -> None:
    await session.run(
        "insert into import_files (import_id, part, content) values (:id, :part, :content)",
        id=import_id,
        part=part,
        content=content,
    )


async def part(session: Session, import_id: UUID, number: int) -> bytes | None:
    """Return a part of the file, None behind the last one."""
    content: bytes | None = await session.value(
        "select content from import_files where import_id = :id and part = :part", id=import_id, part=number
    )
    return content


async def drop_file(session: Session, import_id: UUID) -> None:
    await session.run("delete from import_files where import_id = :id", id=import_id)


async def drop_rows(session: Session, import_id: UUID) -> None:
    """Forget the rows that were not written."""
    await session.run("delete from import_rows where import_id = :id and applied_at is null", id=import_id)


async def add_rows(session: Session, import_id: UUID, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store rows as they were read: `row`, `cells`, `flaws`."""
    await session.run(
        """insert into import_rows (import_id, row, cells, flaws)
           select :id, r."row", r.cells, r.flaws
           from jsonb_to_recordset(cast(:rows as jsonb)) as r("row" bigint, cells jsonb, flaws jsonb)""",
        id=import_id,
        rows=json.dumps(rows),
    )


async def unapplied(session: Session, import_id: UUID, after: int, limit: int) -> list[Staged]:
    """Return the next rows that are not written yet, in file order."""
    rows = await session.rows(
        """select row, cells, flaws, verdict from import_rows
           where import_id = :id and row > :after and applied_at is null order by row limit :limit""",
        id=import_id,
        after=after,
        limit=limit,
    )
    return [Staged.model_validate(row) for row in rows]


async def staged(session: Session, import_id: UUID, numbers: Sequence[int]) -> list[Staged]:
    """Return these rows, in file order."""
    rows = await session.rows(
        """select row, cells, flaws, verdict from import_rows
           where import_id = :id and row = any(:numbers) order by row""",
        id=import_id,
        numbers=list(numbers),
    )
    return [Staged.model_validate(row) for row in rows]


async def judge(session: Session, import_id: UUID, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write what became of rows: `row verdict candidate_id record_id created pair_ids errors warnings applied`."""
    await session.run(
        """update import_rows i set verdict = r.verdict, candidate_id = r.candidate_id, record_id = r.record_id,
             created = r.created, errors = r.errors, warnings = r.warnings,
             pair_ids = array(select cast(jsonb_array_elements_text(r.pair_ids) as uuid)),
             applied_at = case when r.applied then now() end
           from jsonb_to_recordset(cast(:rows as jsonb)) as r("row" bigint, verdict text, candidate_id uuid,
             record_id uuid, created boolean, pair_ids jsonb, errors jsonb, warnings jsonb, applied boolean)
           where i.import_id = :id and i.row = r."row" """,
        id=import_id,
        rows=json.dumps(rows),
    )


async def written(session: Session, import_id: UUID, before: int, limit: int) -> list[Written]:
    """Return the rows before `before` that are written, the last of the file first."""
    rows = await session.rows(
        """select row, candidate_id, record_id, created from import_rows
           where import_id = :id and applied_at is not null and row < :before order by row desc limit :limit""",
        id=import_id,
        before=before,
        limit=limit,
    )
    return [Written.model_validate(row) for row in rows]


async def made(session: Session, import_id: UUID, ids: Sequence[UUID]) -> set[UUID]:
    """Return which of these candidates the import has made."""
    rows = await session.rows(
        "select candidate_id from import_rows where import_id = :id and created and candidate_id = any(:ids)",
        id=import_id,
        ids=list(ids),
    )
    return {row.candidate_id for row in rows}


async def is_written(session: Session, import_id: UUID) -> bool:
    return bool(
        await session.value(
            "select exists (select from import_rows where import_id = :id and applied_at is not null)", id=import_id
        )
    )


async def unmark(session: Session, import_id: UUID, rows: Sequence[int]) -> None:
    """Note that these rows are written no more."""
    await session.run(
        "update import_rows set applied_at = null where import_id = :id and row = any(:rows)",
        id=import_id,
        rows=list(rows),
    )


async def changed_here(session: Session, ids: Sequence[UUID]) -> set[UUID]:
    """Return which of these candidates this very transaction has changed."""
    sql = f"select id from candidates where tenant_id = {TENANT} and id = any(:ids) and updated_at >= now()"  # noqa: S608 (constants)
    rows = await session.rows(sql, ids=list(ids))
    return {row.id for row in rows}


async def keep_until(session: Session, days: Mapping[UUID, date]) -> None:
    """Set the last day on which new people are kept, counted from the contact that their row tells of."""
    await session.run(
        f"""update candidates c set retention_expires_on = t.day
            from unnest(cast(:ids as uuid[]), cast(:days as date[])) as t(id, day)
            where c.tenant_id = {TENANT} and c.id = t.id""",  # noqa: S608 (constants)
        ids=list(days),
        days=list(days.values()),
    )


async def additions(session: Session, import_id: UUID, ids: Sequence[UUID]) -> dict[UUID, str]:
    """Return what was added to these candidates by others than this import: the candidate and the kind of one of it."""
    rows = await session.rows(
        """select distinct on (candidate_id) candidate_id, kind from (
             select r.candidate_id, 'record' as kind from records r where r.candidate_id = any(:ids) and not exists
               (select from import_rows i where i.import_id = :id and i.record_id = r.id)
             union all select candidate_id, 'touchpoint' from touchpoints
               where candidate_id = any(:ids) and data ->> 'import_id' is distinct from cast(:id as text)
             union all select candidate_id, 'consent' from consents
               where candidate_id = any(:ids) and evidence ->> 'detail' is distinct from cast(:id as text)
             union all select candidate_id, 'enrollment' from enrollments where candidate_id = any(:ids)
           ) as added order by candidate_id, kind""",
        id=import_id,
        ids=list(ids),
    )
    return {row.candidate_id: row.kind for row in rows}


async def forget_records(session: Session, ids: Sequence[UUID]) -> None:
    """Take records away as if they had never come, with every key and edge that stands on them."""
    for statement in _FORGET:
        await session.run(statement, ids=list(ids))


_FORGET: Final = (
    "delete from link_decisions where a = any(:ids) or b = any(:ids)",
    "delete from record_keys where record_id = any(:ids)",
    "delete from match_features where record_id = any(:ids)",
    "delete from identifiers where record_id = any(:ids)",
    """delete from external_ids e where record_id = any(:ids) and not exists (select from records r
       where r.source = e.source and r.external_id = e.external_id and not r.id = any(:ids))""",
    """with gone as (delete from records where id = any(:ids) returning id, source, external_id, is_current)
       update records r set is_current = true from gone
       where gone.is_current and r.source = gone.source and r.external_id = gone.external_id
         and r.record_version = (select max(x.record_version) from records x
           where x.source = gone.source and x.external_id = gone.external_id and not x.id = any(:ids))""",
)


async def counts(session: Session, import_id: UUID) -> dict[str, int]:
    """Count the judged rows by verdict."""
    return await _counts(session, import_id, "verdict is not null")


async def written_counts(session: Session, import_id: UUID, upto: int) -> dict[str, int]:
    """Count by verdict the rows that are written, and all others up to the row `upto`."""
    return await _counts(session, import_id, "(applied_at is not null or row <= :upto)", upto=upto)


async def _counts(session: Session, import_id: UUID, which: str, **parameters: int) -> dict[str, int]:
    rows = await session.rows(
        f"select verdict, count(*) as n from import_rows where import_id = :id and {which} group by verdict",  # noqa: S608 (ours)
        id=import_id,
        **parameters,
    )
    return {row.verdict: row.n for row in rows if row.verdict}


async def total(session: Session, import_id: UUID) -> int:
    return int(await session.value("select count(*) from import_rows where import_id = :id", id=import_id))


async def rows_page(session: Session, import_id: UUID, verdict: str | None, after: int, limit: int) -> list[Any]:
    """Return judged rows in file order, `cells` among them."""
    return await session.rows(
        """select row, cells, verdict, candidate_id, pair_ids, errors, warnings from import_rows
           where import_id = :id and row > :after and verdict is not null
             and (cast(:verdict as text) is null or verdict = :verdict)
           order by row limit :limit""",
        id=import_id,
        verdict=verdict,
        after=after,
        limit=limit,
    )


async def rows_count(session: Session, import_id: UUID, verdict: str | None, most: int) -> int:
    """Return how many rows have this verdict (or any), at most `most`."""
    return int(
        await session.value(
            """select count(*) from (select from import_rows
               where import_id = :id and verdict is not null
                 and (cast(:verdict as text) is null or verdict = :verdict) limit :most) judged""",
            id=import_id,
            verdict=verdict,
            most=most,
        )
    )


async def noted(session: Session, import_id: UUID) -> list[Any]:
    """Return the rows with errors, in file order."""
    return await session.rows(
        """select row, cells, errors from import_rows
           where import_id = :id and errors <> '[]'::jsonb order by row""",
        id=import_id,
    )


async def known_grants(session: Session, ids: Sequence[UUID]) -> set[tuple[UUID, str, str, Any]]:
    """Return (candidate, purpose, channel, obtained at) of what these people granted already."""
    rows = await session.rows(
        """select candidate_id, purpose, channel, obtained_at from consents
           where candidate_id = any(:ids) and status = 'granted'""",
        ids=list(ids),
    )
    return {(row.candidate_id, row.purpose, row.channel, row.obtained_at) for row in rows}


async def stop_job(session: Session, job_id: UUID) -> None:
    """Ask a job to stop; a queued one ends at once."""
    await session.run(
        """update jobs set cancel_requested = true, state = case when state = 'queued' then 'cancelled' else state end,
             finished_at = case when state = 'queued' then now() else finished_at end
           where id = :id and state in ('queued', 'running')""",
        id=job_id,
    )


async def job_state(session: Session, job_id: UUID) -> str | None:
    state: str | None = await session.value("select state from jobs where id = :id", id=job_id)
    return state


async def add_conflicts(session: Session, import_id: UUID, conflicts: Sequence[Mapping[str, Any]]) -> None:
    """Note what an undo has to leave."""
    if conflicts:
        await session.run(
            "update imports set conflicts = conflicts || cast(:conflicts as jsonb) where id = :id",
            id=import_id,
            conflicts=json.dumps(conflicts),
        )


async def not_yet_entered(session: Session, import_id: UUID, sequence_id: UUID, entry: str, most: int) -> list[UUID]:
    """Return people of a committed import whom this entry of a sequence has not marked yet."""
    rows = await session.rows(
        """select distinct r.candidate_id from import_rows r join imports i on i.id = r.import_id
           where i.id = :import_id and i.state = 'committed' and r.candidate_id is not null and not exists (
             select from entry_marks e
             where e.sequence_id = :sequence_id and e.entry = :entry and e.candidate_id = r.candidate_id)
           order by r.candidate_id limit :most""",
        import_id=import_id,
        sequence_id=sequence_id,
        entry=entry,
        most=most,
    )
    return [row.candidate_id for row in rows]
