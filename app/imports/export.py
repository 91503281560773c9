"""The list of what is wrong, as a file that a spreadsheet opens safely."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

HEADER: Final = ("row", "column", "code", "detail", "value")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "|", "%")


def neutral(text: str) -> str:
    """Keep a cell from being run as a formula, full-width signs too: spreadsheets fold them (OWASP, CSV injection)."""
    return f"'{text}" if text.lstrip(" \u3000\u00a0").startswith(_FORMULA) or text.startswith(_FORMULA) else text


def csv_bytes(rows: Iterable[Sequence[str]]) -> bytes:
    """Write rows as CSV in UTF-8 with a byte order mark, by which Excel knows the encoding."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEADER)
    writer.writerows([neutral(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")
