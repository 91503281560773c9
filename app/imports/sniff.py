"""What a file is, by its bytes: its format, whether its archive may be opened, its encoding."""

import codecs
import re
import struct
import zipfile
from collections.abc import Mapping
from pathlib import PurePath
from typing import BinaryIO, Final, Literal

from charset_normalizer import from_bytes

Format = Literal["csv", "tsv", "xlsx", "ndjson"]

HEAD_BYTES: Final = 64 * 1024
MAX_ENTRIES: Final = 2_000
MAX_DIRECTORY: Final = 1 << 20
MAX_UNPACKED: Final = 256 << 20
MAX_RATIO: Final = 200
_RATIO_FROM: Final = 1 << 20
_ZIP: Final = b"PK\x03\x04"
_END: Final = b"PK\x05\x06"
_END_LENGTH: Final = 22
_COMMENT_MAX: Final = 65_535
_BINARY: Final = (
    b"%PDF",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"\x1f\x8b",
    b"Rar!",
    b"7z\xbc\xaf",
    b"\x7fELF",
    b"SQLite format",
)
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_UTF16: Final = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_MANY_NULS: Final = 0.2
_UNDEFINED_IN_CP932: Final = re.compile("[\x80\xa0\uf8f0-\uf8f3]")
_GUESSED: Final = ("euc_jp", "iso2022_jp", "cp1252")
_CONTROL: Final = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f]")

ENCODINGS: Final[Mapping[str, str]] = {
    "utf8": "utf-8",
    "utf8sig": "utf-8",
    "utf16": "utf-16",
    "utf16le": "utf-16-le",
    "utf16be": "utf-16-be",
    "cp932": "cp932",
    "shiftjis": "cp932",
    "sjis": "cp932",
    "windows31j": "cp932",
    "ms932": "cp932",
    "mskanji": "cp932",
    "eucjp": "euc_jp",
    "iso2022jp": "iso2022_jp",
    "latin1": "cp1252",
    "iso88591": "cp1252",
    "cp1252": "cp1252",
    "windows1252": "cp1252",
    "ascii": "utf-8",
    "usascii": "utf-8",
}
"""Names without punctuation → codec. Files called Shift_JIS are CP932 in fact: ①, 髙 and ㈱ are in no other."""


class Unreadable(Exception):
    """The bytes are no file that can be taken: `code` says why, `row` where (from 1 after the header), when known."""

    def __init__(self, code: str, row: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.row = row


def encoding_of(name: str) -> str:
    """Return the codec of an encoding's name in any spelling; raises Unreadable (`unknown_encoding`)."""
    codec = ENCODINGS.get(re.sub(r"[^a-z0-9]", "", name.lower()))
    if codec is None:
        raise Unreadable("unknown_encoding")
    return codec


def format_of(file: BinaryIO, filename: str) -> Format:
    """Tell the format by the first bytes, the name only where they leave it open.

    Raises Unreadable: `empty_file`, `legacy_workbook` (.xls, or a workbook under a password), `unknown_format`, and
    what `check_archive` raises.
    """
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if not head.strip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"):
        raise Unreadable("empty_file")
    if head.startswith(_OLE):
        raise Unreadable("legacy_workbook")
    if head.startswith(_ZIP):
        check_archive(file)
        return "xlsx"
    if head.startswith((*_BINARY, b"PK")) or len(_CONTROL.findall(head)) * 20 > len(head):
        raise Unreadable("unknown_format")
    return _text_format(head, PurePath(filename).suffix.lower())


def _text_format(head: bytes, suffix: str) -> Format:
    plain = head.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    if plain.startswith(b"{") or suffix in {".ndjson", ".jsonl"}:
        return "ndjson"
    line = plain.split(b"\n", 1)[0]
    return "tsv" if suffix in {".tsv", ".tab"} or line.count(b"\t") > line.count(b",") else "csv"


def check_archive(file: BinaryIO) -> None:
    """Judge an archive by its directory alone, nothing is unpacked.

    Raises Unreadable: `broken_archive`, `not_a_workbook`, `archive_too_large` (more than 256 MiB or 2,000 entries, or
    an entry above 1 MiB that is packed more than 200-fold).
    """
    _check_directory(file)
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error, OverflowError) as error:
        raise Unreadable("broken_archive") from error
    names = {entry.filename for entry in entries}
    if "[Content_Types].xml" not in names or not any(re.fullmatch(r"xl/.*workbook.*\.xml", name) for name in names):
        raise Unreadable("not_a_workbook")
    bomb = any(
        entry.file_size > _RATIO_FROM and entry.file_size > MAX_RATIO * max(entry.compress_size, 1) for entry in entries
    )
    if bomb or sum(entry.file_size for entry in entries) > MAX_UNPACKED:
        raise Unreadable("archive_too_large")


def _check_directory(file: BinaryIO) -> None:
    """Read the end record (APPNOTE 4.3.16) first: a directory can itself be too large to be read."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _END_LENGTH - _COMMENT_MAX))
    tail = file.read()
    place = tail.rfind(_END)
    if place < 0 or len(tail) - place < _END_LENGTH:
        raise Unreadable("broken_archive")
    entries, length = struct.unpack_from("<HI", tail, place + 10)
    if entries > MAX_ENTRIES or length > MAX_DIRECTORY:
        raise Unreadable("archive_too_large")


def decode(raw: bytes, encoding: str | None) -> tuple[str, str]:
    """Return the text and the codec that read it; a named encoding is held to, else it is found out.

    In order: a byte order mark, strict UTF-8, UTF-16 by its many NULs, CP932, and what charset-normalizer guesses.
    Raises Unreadable (`undecodable`) with the row of the first byte that cannot be read (from 1 after a header line).
    """
    if encoding is not None:
        return _strictly(raw, encoding), encoding
    for mark, codec in ((codecs.BOM_UTF8, "utf-8"), *_UTF16.items()):
        if raw.startswith(mark):
            return _strictly(raw, codec), codec
    for codec in ("utf-8", *_wide(raw), "cp932"):
        try:
            return _read(raw, codec), codec
        except UnicodeDecodeError:
            continue
    guess = from_bytes(raw[: 16 * HEAD_BYTES], cp_isolation=list(_GUESSED)).best()
    codec = guess.encoding if guess else "cp932"
    return _strictly(raw, codec), codec


def _wide(raw: bytes) -> tuple[str, ...]:
    head = raw[:HEAD_BYTES]
    if head.count(0) < _MANY_NULS * len(head):
        return ()
    return ("utf-16-le",) if head[1::2].count(0) >= head[::2].count(0) else ("utf-16-be",)


def _read(raw: bytes, codec: str) -> str:
    """Decode strictly: the bytes that CP932 leaves undefined, which Python maps to private characters, are refused."""
    text = raw.decode(codec)
    undefined = _UNDEFINED_IN_CP932.search(text) if codec == "cp932" else None
    if undefined is not None:
        start = len(text[: undefined.start()].encode(codec))
        raise UnicodeDecodeError(codec, raw, start, start + 1, "not a character of CP932")
    return text


def _strictly(raw: bytes, codec: str) -> str:
    bare = raw
    for mark, names in ((codecs.BOM_UTF8, {"utf-8"}), *((mark, {name}) for mark, name in _UTF16.items())):
        if codec in names:
            bare = raw.removeprefix(mark)
    try:
        return _read(bare, codec)
    except UnicodeDecodeError as error:
        readable = bare[: error.start].decode(codec, "replace")
        raise Unreadable("undecodable", readable.count("\n")) from error
