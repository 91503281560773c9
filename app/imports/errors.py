from app.kit.errors import Conflict, Invalid, NotFound


class ImportNotFound(NotFound):
    """There is no such import in this tenant."""


class ImportState(Conflict):
    """The import is in a state that does not allow this."""

    code = "import_state"


class FileRefused(Invalid):
    """The file cannot be taken."""

    code = "file_refused"


class EmptyFile(FileRefused):
    """The file holds nothing."""

    code = "empty_file"


class LegacyWorkbook(FileRefused):
    """This is a workbook of the old format (.xls) or one under a password; save it as .xlsx without one, or as CSV."""

    code = "legacy_workbook"


class UnknownFormat(FileRefused):
    """This is none of CSV, TSV, XLSX and NDJSON."""

    code = "unknown_format"


class BrokenArchive(FileRefused):
    """The archive has no readable directory: the file is damaged or was cut off."""

    code = "broken_archive"


class NotAWorkbook(FileRefused):
    """This is an archive, but no XLSX workbook."""

    code = "not_a_workbook"


class ArchiveTooLarge(FileRefused):
    """Unpacked, the workbook would be larger than 256 MiB, or part of it is packed more densely than workbooks are."""

    code = "archive_too_large"


class UnknownEncoding(FileRefused):
    """`encoding` is one of utf-8, utf-16, utf-16-le, utf-16-be, cp932, euc-jp, iso-2022-jp and windows-1252."""

    code = "unknown_encoding"


class Undecodable(FileRefused):
    """The file is not in this encoding."""

    code = "undecodable"


class BrokenWorkbook(FileRefused):
    """The workbook is damaged."""

    code = "broken_workbook"


class NoHeader(FileRefused):
    """The file has no line of column names."""

    code = "no_header"


class NoKnownColumn(FileRefused):
    """None of the columns is known; say by `mapping` which column holds which field."""

    code = "no_known_column"


class TooManyColumns(FileRefused):
    """The file has more than 200 columns."""

    code = "too_many_columns"


class TooManyRows(FileRefused):
    """The file has more than 200,000 rows; cut it into several."""

    code = "too_many_rows"


class CellTooLarge(FileRefused):
    """A cell is larger than can be read; a quotation mark may be missing."""

    code = "cell_too_large"


class FileTooComplex(FileRefused):
    """Reading the file takes more memory or time than a file of its size should."""

    code = "file_too_complex"


class UnknownField(FileRefused):
    """The mapping names a field that rows do not have."""

    code = "unknown_field"


REFUSALS = {
    kind.code: kind
    for kind in (
        EmptyFile,
        LegacyWorkbook,
        UnknownFormat,
        BrokenArchive,
        NotAWorkbook,
        ArchiveTooLarge,
        UnknownEncoding,
        Undecodable,
        BrokenWorkbook,
        NoHeader,
        NoKnownColumn,
        TooManyColumns,
        TooManyRows,
        CellTooLarge,
        FileTooComplex,
    )
}


def refused(code: str, row: int | None = None) -> FileRefused:
    """Return the error that a reader's code means; the row, when it is known, stands in its sentence."""
    kind = REFUSALS[code]
    if row is None:
        return kind()
    return kind(f"{kind.sentence()} The first place is in row {row} after the header.")
