"""Formats and encodings, found out and held to."""

import io
import zipfile
from typing import Any

import openpyxl
import pytest

from app.imports.sniff import MAX_ENTRIES, Unreadable, decode, encoding_of, format_of
from app.imports.table import MAX_CELL, MAX_COLUMNS, read

TEXT = "氏名,メール\r\n髙橋 花子,hanako@example.jp\r\n"


def workbook(rows: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def packed(entries: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return out.getvalue()


BOMB = packed(
    {"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x/>", "xl/worksheets/sheet1.xml": b" " * (20 << 20)}
)


@pytest.mark.parametrize(
    ("raw", "name", "expected"),
    [
        (TEXT.encode("cp932"), "a.csv", "csv"),
        (TEXT.encode(), "a.txt", "csv"),
        (TEXT.encode("utf-16"), "a.csv", "csv"),
        (TEXT.replace(",", "\t").encode("cp932"), "a.txt", "tsv"),
        (b'{"full_name": "x"}\n', "a", "ndjson"),
        (workbook([["氏名"], ["山田"]]), "a.csv", "xlsx"),
    ],
)
def test_the_format_is_told_by_the_bytes(raw: bytes, name: str, expected: str) -> None:
    assert format_of(io.BytesIO(raw), name) == expected


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "empty_file"),
        (b"\xef\xbb\xbf \r\n", "empty_file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600, "legacy_workbook"),
        (b"%PDF-1.7", "unknown_format"),
        (bytes(range(1, 32)) * 30, "unknown_format"),
        (b"\x1f\x8b\x08", "unknown_format"),
        (packed({"a.txt": b"x"}), "not_a_workbook"),
        (BOMB, "archive_too_large"),
        (BOMB[:-30], "broken_archive"),
        (packed({f"{n}": b"" for n in range(MAX_ENTRIES + 1)}), "archive_too_large"),
    ],
)
def test_what_cannot_be_taken_is_known_by_its_first_bytes(raw: bytes, code: str) -> None:
    with pytest.raises(Unreadable, match=code):
        format_of(io.BytesIO(raw), "a.csv")


def test_a_lying_directory_is_an_error_not_a_crash() -> None:
    raw = workbook([["氏名"]]).replace(b"PK\x01\x02", b"PK\x09\x09")
    with pytest.raises(Unreadable, match="broken_archive"):
        format_of(io.BytesIO(raw), "a.xlsx")


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp932"])
def test_the_encoding_is_found_out(codec: str) -> None:
    assert decode(TEXT.encode(codec), None)[0] == TEXT


def test_a_named_encoding_is_held_to_and_the_first_bad_row_is_told() -> None:
    assert decode(TEXT.encode("cp932"), encoding_of("Shift_JIS")) == (TEXT, "cp932")
    with pytest.raises(Unreadable) as caught:
        decode("氏名\nascii\nascii\n".encode("cp932"), encoding_of("UTF-8"))
    assert (caught.value.code, caught.value.row) == ("undecodable", 0)
    with pytest.raises(Unreadable) as caught:
        decode(b"name\nascii\n" + "髙橋\n".encode("cp932"), "utf-8")
    assert (caught.value.code, caught.value.row) == ("undecodable", 2)
    with pytest.raises(Unreadable, match="unknown_encoding"):
        encoding_of("klingon")


def test_bytes_of_no_encoding_are_told_with_their_row() -> None:
    with pytest.raises(Unreadable) as caught:
        decode(TEXT.encode("cp932") + b"\x81\x00\xff\xfe\xfd,\x8f\x81\r\n", None)
    assert (caught.value.code, caught.value.row) == ("undecodable", 2)


def _rows(raw: bytes, kind: Any = "csv") -> list[tuple[int, list[str], list[Any]]]:
    return [(line.number, line.cells, line.flaws) for line in read(raw, kind, None, {}).lines]


def test_rows_are_counted_from_the_header_and_blank_ones_skipped() -> None:
    assert _rows("応募者一覧\n\n氏名;メール\n山田;a@b.jp\n;\n鈴木;\n".encode()) == [
        (1, ["山田", "a@b.jp"], []),
        (2, ["鈴木", ""], []),
    ]


def test_flaws_of_cells() -> None:
    assert _rows(b"name,mail\na\x00b,c,d\n" + b"x" * (MAX_CELL + 1) + b",y\n") == [
        (1, ["a\ufffdb", "c"], [(2, "too_many_cells"), (0, "unreadable_text")]),
        (2, ["", "y"], [(0, "cell_too_long")]),
    ]


def test_a_workbook_is_read_as_people_see_it() -> None:
    raw = workbook(
        [
            ["氏名", "電話番号", "経験年数"],
            ["山田", 9012345678, 3.5],
            [None, None, None],
            ["鈴木", "03-1234-5678", None],
        ]
    )
    assert _rows(raw, "xlsx") == [(1, ["山田", "9012345678", "3.5"], []), (2, ["鈴木", "03-1234-5678", ""], [])]


def test_lines_of_json_are_flattened() -> None:
    first = '{"full_name": "山田", "skills": [{"name": "Go"}, "Rust"], "location": {"city": "渋谷区"}}'
    table = read(f'{first}\nnot json\n\n{{"full_name": 7}}\n'.encode(), "ndjson", None, {})
    assert table.header == ["full_name", "skills", "location.city"]
    assert [(line.cells, line.flaws) for line in table.lines] == [
        (["山田", "Go、Rust", "渋谷区"], []),
        (["", "", ""], [(0, "invalid_json")]),
        (["7", "", ""], []),
    ]


@pytest.mark.parametrize(
    ("raw", "kind", "code"),
    [
        (b",\n,\n", "csv", "no_header"),
        (b"[]\n", "ndjson", "no_header"),
        (b"x," * (MAX_COLUMNS + 1) + b"x\n", "csv", "too_many_columns"),
        (b'name\n"' + b"x" * (2 << 20), "csv", "cell_too_large"),
        (b"PK\x03\x04nonsense", "xlsx", "broken_workbook"),
    ],
)
def test_files_that_cannot_be_read_say_why(raw: bytes, kind: Any, code: str) -> None:
    with pytest.raises(Unreadable, match=code):
        list(read(raw, kind, None, {}).lines)


@pytest.mark.parametrize("junk", [b"\x80", b"\xa0", b"\xfd", b"\xfe", b"\xff"])
def test_bytes_that_cp932_leaves_undefined_are_refused_with_their_row(junk: bytes) -> None:
    raw = "氏名\n山田\n".encode("cp932") + "佐藤".encode("cp932") + junk + b"\n"
    with pytest.raises(Unreadable) as caught:
        decode(raw, "cp932")
    assert (caught.value.code, caught.value.row) == ("undecodable", 2)
