"""Tables of what files hold: CSV in the encodings that spreadsheets write, and Parquet."""

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import duckdb

from app.kit.process import StartError

_WIDE: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CODECS: Final = ("utf-8", "cp932")
_AT_ONCE: Final = 1 << 20


def load(connection: duckdb.DuckDBPyConnection, file: Path, table: str) -> None:
    """Make a table of a CSV or Parquet file: all columns as text without blanks around it, empty cells null.

    Of a list the values stand between semicolons, as in a cell of a CSV file. Raises StartError when the file is not
    there, holds no row, or cannot be read.
    """
    if not file.is_file():
        raise StartError(f"There is no file {file}.")
    if not file.stat().st_size:
        raise StartError(f"{file} is empty.")
    try:
        with _relation(connection, file) as source:
            columns = ", ".join(
                f"nullif(trim({_text(name, of.id)}), '') as {quoted(name.strip())}"
                for name, of in zip(source.columns, source.types, strict=True)
            )
            source.query("source", f"create table {table} as select {columns} from source")
    except duckdb.Error as error:
        raise StartError(f"{file} cannot be read: {str(error).strip().splitlines()[0]}") from error
    if not connection.table(table).shape[0]:
        raise StartError(f"{file} holds no records.")


def require_column(connection: duckdb.DuckDBPyConnection, file: Path, table: str, column: str) -> None:
    """Raise StartError unless the table has this column."""
    columns = connection.table(table).columns
    if column.casefold() not in (each.casefold() for each in columns):
        raise StartError(f"{file} has no column {column}, only: {', '.join(columns)}.")


def quoted(name: str) -> str:
    """Return a column's name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def _relation(connection: duckdb.DuckDBPyConnection, file: Path) -> Iterator[duckdb.DuckDBPyRelation]:
    if file.suffix == ".parquet":
        yield connection.read_parquet(str(file))
    elif (codec := _codec(file)) == "utf-8":
        yield connection.read_csv(str(file), header=True, all_varchar=True)
    else:
        with TemporaryDirectory(prefix="talentpool-") as folder:
            copy = Path(folder) / "copy.csv"
            with file.open(encoding=codec, newline="") as read, copy.open("w", encoding="utf-8", newline="") as written:
                while text := read.read(_AT_ONCE):
                    written.write(text)
            yield connection.read_csv(str(copy), header=True, all_varchar=True)


def _codec(file: Path) -> str:
    with file.open("rb") as opened:
        if opened.read(2) in _WIDE:
            return "utf-16"
    for codec in _CODECS:
        try:
            with file.open(encoding=codec) as read:
                while read.read(_AT_ONCE):
                    pass
        except UnicodeDecodeError:
            continue
        return codec
    raise StartError(f"{file} is neither UTF-8, UTF-16 nor CP932 (Shift_JIS).")


def _text(name: str, of: str) -> str:
    return f"array_to_string({quoted(name)}::varchar[], ';')" if of == "list" else f"{quoted(name)}::varchar"
