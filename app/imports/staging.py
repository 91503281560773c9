"""Staging: the file becomes rows, and each row gets the verdict that writing it would have."""

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import asdict
from itertools import count
from typing import Any, Final
from uuid import UUID

from app.imports import attendance, batch, repository
from app.imports.batch import Judged, Sheet
from app.imports.columns import Column, recognise
from app.imports.errors import FileTooComplex, NoKnownColumn, refused
from app.imports.kinship import Families, keys_of
from app.imports.models import Import
from app.imports.row import Note
from app.kit import confined, json
from app.kit.db import Session
from app.kit.jobs import Claim

CHUNK: Final = 500
READER: Final = "app.imports.child"


async def read_file(claim: Claim, found: Import) -> None:
    """Turn the file into rows, in chunks; a file that was read before is left alone. Raises FileRefused."""
    cursor = dict(claim.cursor or {})
    if cursor.get("is_read"):
        return
    done = int(cursor.get("read", 0))
    async with aclosing(_messages(claim, found)) as messages:
        header = await anext(messages)
        known = attendance.mapping_of(found.provider, header["header"]) if found.provider else {}
        columns, notes = recognise(header["header"], {**known, **found.mapping})
        if not any(column.field for column in columns):
            raise NoKnownColumn
        async for rows in _chunks(messages, columns, done):
            async with claim.step() as session:
                await repository.add_rows(session, found.id, rows)
                await claim.progress(session, 0, cursor={"read": rows[-1]["row"]})
    async with claim.step() as session:
        await repository.drop_file(session, found.id)
        total = await repository.total(session, found.id)
        await repository.set_state(
            session,
            found.id,
            "staging",
            encoding=header["encoding"],
            columns=[asdict(column) for column in columns],
            warnings=[Note(note.column, note.code).as_dict() for note in notes],
            rows=total,
        )
        await claim.progress(session, 0, total=total, cursor={"is_read": True})


async def _messages(claim: Claim, found: Import) -> AsyncGenerator[dict[str, Any], None]:
    """Yield the header and the rows as the reading process says them; raises FileRefused."""
    how = {"format": found.format, "encoding": found.encoding, "mapping": found.mapping}
    async with aclosing(confined.lines(READER, _source(claim, found.id, how))) as lines:
        async for line in lines:
            message = json.loads(line)
            if "end" not in message:
                yield message
            elif message["end"] is None:
                return
            else:
                raise refused(message["end"], message["row"])
    raise FileTooComplex


async def _source(claim: Claim, import_id: UUID, how: dict[str, Any]) -> AsyncIterator[bytes]:
    yield json.dumpb(how) + b"\n"
    for number in count():
        async with claim.database.transaction(claim.caller) as session:
            content = await repository.part(session, import_id, number)
        if content is None:
            return
        yield content


async def _chunks(
    messages: AsyncIterator[dict[str, Any]], columns: Sequence[Column], done: int
) -> AsyncIterator[list[dict[str, Any]]]:
    """Yield rows in chunks, those up to `done` left out; what no field takes is not kept."""
    rows: list[dict[str, Any]] = []
    async for message in messages:
        if message["row"] <= done:
            continue
        kept = [cell if column.field else None for column, cell in zip(columns, message["cells"], strict=True)]
        rows.append({**message, "cells": kept})
        if len(rows) == CHUNK:
            yield rows
            rows = []
    if rows:
        yield rows


async def rehearse(claim: Claim, sheet: Sheet) -> None:
    """Give every row its verdict: rows that may be one person are judged together, and what they did is rolled back."""
    chunks = await _plan(claim, sheet)
    async with claim.step() as session:
        counts = Counter(await repository.counts(session, sheet.id))
    for chunk in chunks:
        async with claim.step() as session:
            stored = await repository.staged(session, sheet.id, chunk)
            judged = [] if all(row.verdict for row in stored) else await _rehearsed(session, sheet, stored)
            counts.update(each.verdict for each in judged)
            await repository.judge(session, sheet.id, [each.as_row(applied=False) for each in judged])
            await claim.progress(session, counts.total(), counts=counts)


async def _plan(claim: Claim, sheet: Sheet) -> list[list[int]]:
    """Return the numbers of all rows in the chunks in which they are judged: the same ones after a crash."""
    families, last = Families(), 0
    while True:
        async with claim.step() as session:
            stored = await repository.unapplied(session, sheet.id, last, 4 * CHUNK)
        if not stored:
            return families.chunks(CHUNK)
        last = stored[-1].row
        for each in stored:
            fields = batch.read(sheet, each).reading.fields
            families.add(each.row, keys_of(fields, sheet.form.region) if fields else ())


async def _rehearsed(session: Session, sheet: Sheet, stored: Sequence[Any]) -> list[Judged]:
    savepoint = await session.savepoint()
    try:
        return await batch.judge(session, sheet, stored)
    finally:
        await savepoint.rollback()


async def write_rows(claim: Claim, sheet: Sheet, total: int) -> None:
    """Write every row that is not written yet, in file order; a chunk is written whole or not at all."""
    last = int((claim.cursor or {}).get("row", 0))
    async with claim.step() as session:
        counts = Counter(await repository.written_counts(session, sheet.id, last))
    while True:
        async with claim.step() as session:
            stored = await repository.unapplied(session, sheet.id, last, CHUNK)
            if not stored:
                return
            counts.update(each.verdict for each in await batch.write(session, sheet, stored))
            last = stored[-1].row
            cursor = {"is_read": True, "row": last}
            await claim.progress(session, counts.total(), total=total, counts=counts, cursor=cursor)
