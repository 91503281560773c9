"""The bytes of a mail (RFC 5322, RFC 2045–2047, RFC 2369, RFC 8058).

Written by hand, because the standard library folds a long List-Unsubscribe into encoded words, and mail programs then
do not see the link any more.
"""

import base64
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Final
from uuid import UUID

_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9 !#$%&'*+/=?^_`{|}~-]*")
_ADDRESS: Final = re.compile(r"[^\s<>()\[\],;:\\\"@\x00-\x1f\x7f]+@[^\s<>()\[\],;:\\\"@\x00-\x1f\x7f]+")
_WORD_BYTES: Final = 45
"""So many bytes of UTF-8 make an encoded word of at most 75 characters (RFC 2047, 2)."""
_FIRST_WORD_BYTES: Final = 39
"""So many leave room for the name of a header on the first line, which has at most 76 characters then."""
_MOST_ASCII: Final = 0.8
_NOT_ASCII: Final = bytes(range(0x80, 0x100))


class AddressRefused(ValueError):
    """What should be an address is none that a header can hold."""


@dataclass(frozen=True, slots=True)
class Mail:
    """Everything that the bytes depend on; the same mail has the same bytes."""

    message_id: str
    at: datetime
    from_name: str
    from_email: str
    to: str
    reply_to: str | None
    subject: str
    html: str
    text: str
    unsubscribe_url: str | None
    """None for what answers the person themselves, a code say: there is nothing to refuse."""
    unsubscribe_mailto: str | None


def message_id(of: UUID, from_email: str) -> str:
    """Return the Message-ID of a message, the same at each attempt, in the sender's domain. Raises AddressRefused."""
    return f"<{of.hex}@{_ascii_domain(address(from_email)).rpartition('@')[2]}>"


def write(mail: Mail) -> bytes:
    """Return the message with CRLF line ends, dots not yet stuffed. Raises AddressRefused."""
    boundary = f"=_{mail.message_id.strip('<>').partition('@')[0]}"
    head = b"".join(_header(name, value) for name, value in _headers(mail, boundary))
    parts = (_part("plain", mail.text), _part("html", mail.html))
    body = b"".join(b"--" + boundary.encode() + b"\r\n" + part for part in parts)
    return head + b"\r\n" + body + b"--" + boundary.encode() + b"--\r\n"


def address(text: str) -> str:
    """Return an address with its domain in ASCII; raises AddressRefused."""
    if not _ADDRESS.fullmatch(text):
        raise AddressRefused
    return _ascii_domain(text)


def encoded(text: str) -> str:
    """Return header text as ASCII: as it is, or as encoded words of whole characters, one a line."""
    clean = _CONTROLS.sub(" ", text).strip()
    if clean.isascii() and "=?" not in clean:
        return clean
    return "\r\n ".join(f"=?utf-8?B?{base64.b64encode(piece).decode()}?=" for piece in _pieces(clean))


def _headers(mail: Mail, boundary: str) -> Iterator[tuple[str, str]]:
    yield "Date", format_datetime(mail.at)
    yield "From", _mailbox(mail.from_name, mail.from_email)
    yield "To", address(mail.to)
    if mail.reply_to:
        yield "Reply-To", address(mail.reply_to)
    yield "Subject", encoded(mail.subject)
    yield "Message-ID", mail.message_id
    if mail.unsubscribe_url:
        links = [f"<{mail.unsubscribe_url}>"]
        if mail.unsubscribe_mailto:
            links.append(f"<mailto:{address(mail.unsubscribe_mailto)}?subject=unsubscribe>")
        yield "List-Unsubscribe", ", ".join(links)
        yield "List-Unsubscribe-Post", "List-Unsubscribe=One-Click"
    yield "MIME-Version", "1.0"
    yield "Content-Type", f'multipart/alternative; boundary="{boundary}"'


def _header(name: str, value: str) -> bytes:
    lines = value.split("\r\n ")
    if any(_CONTROLS.search(line) for line in lines):
        raise AddressRefused
    return f"{name}: {value}\r\n".encode()


def _mailbox(name: str, email: str) -> str:
    if not name.strip():
        return address(email)
    shown = encoded(name)
    if shown.isascii() and "=?" not in shown and not _PLAIN_NAME.fullmatch(shown):
        shown = '"' + shown.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{shown} <{address(email)}>"


def _pieces(text: str) -> Iterator[bytes]:
    piece, most = b"", _FIRST_WORD_BYTES
    for character in text:
        raw = character.encode()
        if len(piece) + len(raw) > most:
            yield piece
            piece, most = b"", _WORD_BYTES
        piece += raw
    yield piece


def _part(subtype: str, text: str) -> bytes:
    raw = "\r\n".join(text.splitlines()).encode() + b"\r\n"
    is_mostly_ascii = len(raw.translate(None, _NOT_ASCII)) >= _MOST_ASCII * len(raw)
    if is_mostly_ascii:
        lines = quopri.encodestring(raw.replace(b"\r\n", b"\n"), quotetabs=False).replace(b"\n", b"\r\n")
    else:
        lines = base64.encodebytes(raw).replace(b"\n", b"\r\n")
    encoding = b"quoted-printable" if is_mostly_ascii else b"base64"
    head = b"Content-Type: text/" + subtype.encode() + b'; charset="utf-8"\r\nContent-Transfer-Encoding: ' + encoding
    return head + b"\r\n\r\n" + lines + b"\r\n"


def _ascii_domain(text: str) -> str:
    local, _, domain = text.rpartition("@")
    try:
        return f"{local}@{domain.encode('idna').decode()}"
    except UnicodeError as error:
        raise AddressRefused from error
