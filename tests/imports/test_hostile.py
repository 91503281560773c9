"""Hostile files: whatever comes, it is a row's error or a file's refusal, and it costs little."""

import io
import zipfile
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import date
from uuid import UUID

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.imports import repository, staging
from app.imports.columns import HEADERS, Column
from app.imports.row import Form, read
from app.imports.sniff import Unreadable, decode, format_of
from app.imports.table import read as read_table
from app.kit import jobs
from app.kit.db import Database, Session
from tests.conftest import TenantFixture
from tests.factories.spreadsheets import spreadsheet
from tests.imports.test_files import packed, workbook
from tests.imports.test_imports_api import Crash

FORM = Form([Column(field, field) for field in HEADERS], "s", None, None, "JP", date(2026, 11, 23))
CELLS = st.one_of(
    st.text(max_size=40), st.sampled_from(["2024-04-01", "5年", "a@b.jp", "Go、Rust", "東京都渋谷区", "不採用"])
)


@given(st.lists(CELLS, min_size=len(HEADERS), max_size=len(HEADERS)))
@settings(max_examples=150, deadline=None)
def test_a_row_is_read_or_says_why_not(cells: list[str]) -> None:
    reading = read(FORM, cells)
    assert (reading.fields is None) == bool(reading.errors)
    assert all(note.as_dict()["detail"] for note in (*reading.errors, *reading.warnings))


@given(st.one_of(st.binary(max_size=400), st.binary(max_size=100).map(lambda raw: b"PK\x03\x04" + raw)))
@settings(max_examples=150, deadline=None)
def test_bytes_are_a_table_or_are_refused(raw: bytes) -> None:
    with suppress(Unreadable):
        table = read_table(raw, format_of(io.BytesIO(raw), "a"), None, {})
        assert {len(line.cells) for line in table.lines} <= {len(table.header)}


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\ufeff\x00"), min_size=1))
@settings(max_examples=100, deadline=None)
def test_utf8_is_never_taken_for_anything_else(text: str) -> None:
    assert decode(text.encode(), None) == (text, "utf-8")


def _rewritten(raw: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return packed(
            {each: change(archive.read(each)) if each == name else archive.read(each) for each in archive.namelist()}
        )


async def test_a_sheet_that_claims_a_giant_range_ends_its_reader_only(
    api: httpx.AsyncClient, database: Database
) -> None:
    cell = b'<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'
    giant = _rewritten(
        workbook([["氏名"], ["山田"]]), "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b"</sheetData>", cell)
    )
    job = (await api.post("/v1/imports", files={"file": ("a.xlsx", giant)})).json()
    await jobs.run_jobs(database)
    found = (await api.get(f"/v1/imports/{job['import_id']}")).json()
    assert found["state"] == "failed"
    assert found["error"]["code"] in {"file_too_complex", "broken_workbook", "too_many_columns"}


async def test_a_crash_while_the_file_is_read_doubles_no_row(
    api: httpx.AsyncClient, database: Database, tenant: TenantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "CHUNK", 10)
    whole: Callable[..., Awaitable[None]] = repository.add_rows

    async def add(session: Session, import_id: UUID, rows: list[dict[str, object]]) -> None:
        await whole(session, import_id, rows)
        if rows[0]["row"] == 21 and not crashed:
            crashed.append(True)
            raise Crash

    crashed: list[bool] = []
    monkeypatch.setattr(repository, "add_rows", add)
    file = spreadsheet(50, duplicates=2, broken=4).cp932()
    job = (await api.post("/v1/imports", files={"file": ("a.csv", file)})).json()
    with pytest.raises(Crash):
        await jobs.run_jobs(database)
    async with database.transaction(tenant.caller) as session:
        await session.run("update jobs set lease_until = now() - interval '1 s' where id = :id", id=UUID(job["id"]))
    await jobs.run_jobs(database)
    found = (await api.get(f"/v1/imports/{job['import_id']}")).json()
    assert (found["state"], found["rows"], sum(found["counts"].values())) == ("staged", 50, 50)


async def test_an_import_whose_job_was_given_up_is_failed_and_can_be_taken_up_again(
    api: httpx.AsyncClient, database: Database, tenant: TenantFixture
) -> None:
    job = (await api.post("/v1/imports", files={"file": ("a.csv", "氏名\n山田 太郎\n".encode())})).json()
    await jobs.run_jobs(database)
    path = f"/v1/imports/{job['import_id']}"
    again = (await api.post(f"{path}/commit")).json()
    async with database.transaction(tenant.caller) as session:
        await session.run("update jobs set state = 'failed' where id = :id", id=UUID(again["id"]))
    assert (await api.get(path)).json()["state"] == "failed"
    assert (await api.post(f"{path}/commit")).status_code == 202
    await jobs.run_jobs(database)
    assert (await api.get(path)).json()["state"] == "committed"
