from collections.abc import Sequence
from hashlib import sha256
from pathlib import PurePath
from typing import Any, Final, get_args
from uuid import UUID

from fastapi import UploadFile

from app.imports import lists, repository
from app.imports.columns import field_of
from app.imports.errors import ImportNotFound, ImportState, UnknownField, refused
from app.imports.export import csv_bytes
from app.imports.models import Import
from app.imports.repository import ImportRepository, not_yet_entered
from app.imports.schemas import ImportForm, ImportJob, ImportRead, RowRead, Verdict
from app.imports.sniff import Unreadable, encoding_of, format_of
from app.kit import job_routes, jobs, json
from app.kit.db import Session
from app.kit.errors import FieldError, Invalid
from app.kit.ids import new_id
from app.kit.paging import TOTAL_MAX, Paging
from app.kit.schemas import Page

__all__ = ["not_yet_entered"]

SCOPE: Final = "imports:write"
PART_BYTES: Final = 1 << 20
NAME_LENGTH: Final = 255
ON_ITS_WAY: Final = frozenset({"staging", "committing", "undoing"})
VERDICTS: Final[Sequence[str]] = get_args(Verdict)


async def upload(session: Session, form: ImportForm) -> ImportJob:
    """Take a file in and start its staging; raises FileRefused by its first bytes, ConnectionNotFound, Invalid."""
    mapping = _mapping(form.mapping)
    listed = await lists.listed(session, form)
    try:
        encoding = encoding_of(form.encoding) if form.encoding else None
        kind = format_of(form.file.file, form.file.filename or "")
    except Unreadable as error:
        raise refused(error.code) from error
    import_id = new_id()
    job_id = await jobs.start(session, "import.stage", SCOPE, {"import_id": import_id})
    found = Import(
        id=import_id,
        filename=_name(form.file.filename),
        file_sha256=b"",
        format=kind,
        encoding=encoding,
        source=listed.source if listed else form.source,
        source_type=form.source_type or (lists.SOURCE_TYPE if listed else None),
        basis=listed.basis if listed else form.basis,
        connection_id=form.connection_id,
        event=listed.event if listed else None,
        commit=form.commit,
        mapping=mapping,
        state="staging",
        job_id=job_id,
    )
    await ImportRepository(session).add(found)
    found.file_sha256 = await _keep(session, import_id, form.file)
    return await _job(session, found)


def _mapping(text: str | None) -> dict[str, str | None]:
    """Read the mapping; raises Invalid, UnknownField."""
    pointer = "/mapping"
    try:
        mapping = json.loads(text) if text else {}
    except ValueError as error:
        raise Invalid(errors=[FieldError(pointer, "json_invalid", "The mapping is not JSON.")]) from error
    if not isinstance(mapping, dict) or not all(isinstance(path, str | None) for path in mapping.values()):
        raise Invalid(errors=[FieldError(pointer, "dict_type", "The mapping is an object of column → field path.")])
    if "\x00" in json.dumps(mapping) or any("\x00" in f"{name}{path}" for name, path in mapping.items()):
        raise Invalid(errors=[FieldError(pointer, "invalid_text", "Text must hold no NUL and no lone surrogate.")])
    unknown = [place for place, path in enumerate(mapping.values()) if path and field_of(path) is None]
    if unknown:
        raise UnknownField(
            errors=[FieldError(f"{pointer}/{place}", UnknownField.code, UnknownField.sentence()) for place in unknown]
        )
    return mapping


def _name(filename: str | None) -> str:
    name = PurePath((filename or "").replace("\\", "/")).name
    return "".join(letter for letter in name if letter.isprintable())[:NAME_LENGTH] or "file"


async def _keep(session: Session, import_id: UUID, file: UploadFile) -> bytes:
    """Store the file in parts; return its SHA-256."""
    digest, number = sha256(), 0
    await file.seek(0)
    while content := await file.read(PART_BYTES):
        digest.update(content)
        await repository.add_part(session, import_id, number, content)
        number += 1
    return digest.digest()


async def find(session: Session, import_id: UUID, *, lock: bool = False) -> Import:
    """Return an import; raises ImportNotFound. One whose job has failed for good is failed itself."""
    found = await ImportRepository(session).get(import_id, lock=lock)
    if found is None:
        raise ImportNotFound
    if found.state in ON_ITS_WAY and await repository.job_state(session, found.job_id) == "failed":
        found.state = "failed"
        found.touch()
    return found


def read(found: Import) -> ImportRead:
    """Return an import as it is answered."""
    plain = {name: getattr(found, name) for name in ImportRead.model_fields}
    return ImportRead.model_validate({**plain, "counts": {each: found.counts.get(each, 0) for each in VERDICTS}})


async def list_imports(session: Session, paging: Paging) -> Page[ImportRead]:
    """Return imports, the newest first."""
    imports = ImportRepository(session)
    rows, total = await imports.newest(imports.visible(), paging, "imports")
    return paging.page(rows, read, lambda row: [row.id], "imports", total=total)


async def list_rows(session: Session, found: Import, verdict: str | None, paging: Paging) -> Page[RowRead]:
    """Return the judged rows in file order."""
    bound = ("import_rows", str(found.id), verdict)
    after = paging.after(*bound)
    rows = await repository.rows_page(session, found.id, verdict, int(after[0]) if after else 0, paging.limit + 1)
    total = await repository.rows_count(session, found.id, verdict, TOTAL_MAX + 1) if paging.include_total else None
    return paging.page(rows, RowRead.model_validate, lambda row: [row.row], *bound, total=total)


async def errors_csv(session: Session, found: Import) -> bytes:
    """Return every error with its row, column, reason and the cell's text."""
    names = [column["name"] for column in found.columns]
    return csv_bytes(
        (str(row.row), note["column"], note["code"], note["detail"], _cell(row.cells, names, note["column"]))
        for row in await repository.noted(session, found.id)
        for note in row.errors
    )


def _cell(cells: Sequence[Any], names: Sequence[str], column: str) -> str:
    return str(cells[names.index(column)] or "") if column in names else ""


async def write(session: Session, found: Import) -> ImportJob:
    """Start writing the staged rows; raises ImportState."""
    if found.state != "staged" and not (found.state == "failed" and found.rows):
        raise ImportState
    return await _start(session, found, "import.commit", "committing")


async def undo(session: Session, found: Import) -> ImportJob:
    """Start taking back what was written; raises ImportState."""
    if found.state in ON_ITS_WAY or not await repository.is_written(session, found.id):
        raise ImportState
    return await _start(session, found, "import.undo", "undoing")


async def cancel(session: Session, found: Import) -> ImportJob:
    """Stop what is going on: a staging ends cancelled, a writing goes back to staged. Raises ImportState."""
    if found.state not in {"staging", "staged", "committing"}:
        raise ImportState
    await repository.stop_job(session, found.job_id)
    return await _start(session, found, "import.cancel", "staged" if found.state == "committing" else "cancelled")


async def _start(session: Session, found: Import, kind: str, state: str) -> ImportJob:
    found.job_id = await jobs.start(session, kind, SCOPE, {"import_id": found.id})
    found.state = state
    found.touch()
    await ImportRepository(session).save()
    return await _job(session, found)


async def _job(session: Session, found: Import) -> ImportJob:
    job = await job_routes.find(session, found.job_id)
    return ImportJob(**job.model_dump(), import_id=found.id)
