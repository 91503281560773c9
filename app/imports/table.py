"""The rows of a file, whatever its format: one header, then cells of text."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from io import BytesIO, StringIO
from itertools import chain, islice
from typing import Any, Final

from python_calamine import CalamineWorkbook

from app.imports.columns import looks_like_header
from app.imports.sniff import Format, Unreadable, decode
from app.kit import json

MAX_ROWS: Final = 200_000
MAX_COLUMNS: Final = 200
MAX_CELL: Final = 32_767
MAX_LINE: Final = 1 << 20
TITLE_LINES: Final = 10
UNREADABLE: Final = "\ufffd"
_DELIMITERS: Final = ",\t;|"


@dataclass(frozen=True, slots=True)
class Line:
    """One row: `number` counts from 1 after the header, blank rows are skipped; `flaws` are (column index, code)."""

    number: int
    cells: list[str]
    flaws: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Table:
    """A file that can be read: what its columns are called, and its rows, blank ones left out."""

    header: list[str]
    encoding: str | None
    lines: Iterator[Line]


def read(raw: bytes, kind: Format, encoding: str | None, mapping: Mapping[str, str | None]) -> Table:
    """Open a file; raises Unreadable, also while the lines are walked.

    Codes: `undecodable`, `broken_workbook`, `no_header`, `too_many_columns`, `too_many_rows`, `cell_too_large` (above
    1 Mi characters; from 32,768 on only the cell itself is refused).
    """
    if kind == "xlsx":
        return _table(_sheet(raw), mapping, None)
    text, codec = decode(raw, encoding)
    if kind == "ndjson":
        return _objects(text, codec)
    return _table(_separated(text, kind), mapping, codec)


def _table(rows: Iterator[list[str]], mapping: Mapping[str, str | None], codec: str | None) -> Table:
    """Find the header: the first of ten rows that looks like one, else the first that is not blank."""
    first = [row for row in islice(rows, TITLE_LINES) if any(row)]
    if not first:
        raise Unreadable("no_header")
    place = next((index for index, row in enumerate(first) if looks_like_header(row, mapping)), 0)
    header = _trimmed(first[place])
    if len(header) > MAX_COLUMNS:
        raise Unreadable("too_many_columns")
    return Table(header, codec, _lines(chain(first[place + 1 :], rows), len(header)))


def _lines(rows: Iterable[list[str]], width: int) -> Iterator[Line]:
    number = 0
    for row in rows:
        if cells := _trimmed(row):
            number += 1
            if number > MAX_ROWS:
                raise Unreadable("too_many_rows", number)
            yield _line(number, cells, width)


def _line(number: int, cells: list[str], width: int) -> Line:
    flaws = [(width, "too_many_cells")] if len(cells) > width else []
    kept = [*cells[:width], *[""] * (width - len(cells))]
    for index, cell in enumerate(kept):
        if len(cell) > MAX_CELL:
            flaws.append((index, "cell_too_long"))
            kept[index] = ""
        elif "\x00" in cell or UNREADABLE in cell:
            flaws.append((index, "unreadable_text"))
            kept[index] = cell.replace("\x00", UNREADABLE)
    return Line(number, kept, flaws)


def _trimmed(row: Sequence[str]) -> list[str]:
    end = len(row)
    while end and not row[end - 1]:
        end -= 1
    return list(row[:end])


def _separated(text: str, kind: Format) -> Iterator[list[str]]:
    csv.field_size_limit(MAX_LINE)
    delimiter = "\t" if kind == "tsv" else _delimiter(text)
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            yield [cell.strip() for cell in row]
    except csv.Error as error:
        raise Unreadable("cell_too_large", max(reader.line_num - 1, 0)) from error


def _delimiter(text: str) -> str:
    """Return the mark that the first lines hold most often."""
    head = text[:MAX_LINE].split("\n", TITLE_LINES)[:TITLE_LINES]
    return max(_DELIMITERS, key=lambda mark: sum(line.count(mark) for line in head))


def _sheet(raw: bytes) -> Iterator[list[str]]:
    """Walk the first sheet that holds anything."""
    try:
        book = CalamineWorkbook.from_filelike(BytesIO(raw))
        for name in book.sheet_names:
            sheet = book.get_sheet_by_name(name)
            if sheet.total_width > 0:
                for row in sheet.iter_rows():
                    yield [_cell(value) for value in row]
                return
    except Unreadable:
        raise
    except Exception as error:  # whatever a broken workbook makes of its reader: the file is at fault
        raise Unreadable("broken_workbook") from error


def _cell(value: Any) -> str:  # noqa: ANN401 (a workbook's cell)
    """Write a cell as a person reads it: 9012345678 for 9012345678.0, 2024-04-01 for a date."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "minutes")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return str(value).strip()


def _objects(text: str, codec: str) -> Table:
    """Read one JSON object a line; a nested member's name is its path (`location.region`)."""
    found = [_object(line) for line in text.splitlines() if line.strip()]
    names = list(dict.fromkeys(name for members in found for name in members or ()))
    if len(names) > MAX_COLUMNS:
        raise Unreadable("too_many_columns")
    if not names:
        raise Unreadable("no_header")
    return Table(names, codec, _members(found, names))


def _members(found: Sequence[dict[str, str] | None], names: Sequence[str]) -> Iterator[Line]:
    filled = [members for members in found if members is None or any(members.values())]
    for number, members in enumerate(filled, 1):
        if number > MAX_ROWS:
            raise Unreadable("too_many_rows", number)
        if members is None:
            yield Line(number, [""] * len(names), [(0, "invalid_json")])
        else:
            yield _line(number, [members.get(name, "") for name in names], len(names))


def _object(line: str) -> dict[str, str] | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return dict(_flat(value, "")) if isinstance(value, dict) else None


def _flat(value: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    for name, item in value.items():
        if isinstance(item, Mapping):
            yield from _flat(item, f"{path}{name}.")
        elif isinstance(item, list):
            yield path + name, "、".join(_entry(each) for each in item)
        elif item is not None:
            yield path + name, _cell(item)


def _entry(item: Any) -> str:  # noqa: ANN401 (any JSON value)
    """Return what stands for an item of a list: its value, name, address or id."""
    if isinstance(item, Mapping):
        return next((_cell(item[name]) for name in ("value", "raw", "name", "url", "id") if item.get(name)), "")
    return _cell(item)
