"""A mail that came back, read from its raw bytes; whatever the bytes are, it is read as something, or as unknown.

Only what names a mail of ours by its Message-ID is believed: anybody can write to the address that mails come back to,
but only who got a mail knows its id.
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from email import message_from_bytes, message_from_string
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses
from itertools import islice
from typing import Final, Literal

from flufl.bounce import all_failures

Kind = Literal["bounce", "complaint", "reply", "auto_reply", "unsubscribe", "unknown"]
Severity = Literal["hard", "soft"]

MOST_PARTS: Final = 50
MOST_IDS: Final = 50
TEXT_LENGTH: Final = 2000
LINE_LENGTH: Final = 500
_OURS: Final = re.compile(r"<[0-9a-f]{32}@[A-Za-z0-9.-]{1,253}>")
_ID: Final = re.compile(r"<[^<>\s]{1,500}>")
_STATUS: Final = re.compile(r"([245])\.\d{1,3}\.\d{1,3}")
_HARD: Final = re.compile(r"5\.(1\.\d+|2\.1|4\.4)")
"""The address is wrong, the mailbox is closed, the domain has no mail server (RFC 3463)."""
_DAEMONS: Final = re.compile(r"^(mailer-daemon|postmaster|mail-daemon)@", re.IGNORECASE)
_QUOTE: Final = re.compile(
    r"^(>|-{2,}\s*(original|forwarded)|on .{1,200} wrote:|.{1,100}(のメール|wrote)[:：]\s*$)", re.IGNORECASE
)
_STOP: Final = re.compile(r"\W*(unsubscribe|配信停止)\W*", re.IGNORECASE)
_AUTOMATIC: Final = re.compile(r"(out of office|auto(matic)?[ -]?reply|自動(返信|応答|配信)|不在)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Received:
    """What one mail says; `ours` are Message-IDs in it that have the form of ours, the most telling first."""

    kind: Kind
    ours: tuple[str, ...] = ()
    digest: str = ""
    sender: str | None = None
    failed: str | None = None
    """The address that a bounce is about."""
    severity: Severity | None = None
    status: str | None = None
    reason: str | None = None
    subject: str = ""
    text: str = ""
    addressed: frozenset[str] = field(default_factory=frozenset)


def read(raw: bytes) -> Received:
    """Read a mail; never raises."""
    digest = hashlib.sha256(raw).hexdigest()
    try:
        return _read(message_from_bytes(raw), digest)
    except Exception:  # noqa: BLE001 (whatever a hostile mail makes the parsers raise, it is a mail that says nothing)
        return Received("unknown", digest=digest)


def _read(mail: Message, digest: str) -> Received:
    said = Received(
        "unknown",
        digest=digest,
        sender=next(iter(_addresses(mail, "From")), None),
        addressed=frozenset(_addresses(mail, "To", "Cc", "Delivered-To", "X-Original-To")),
        subject=_line(_header(mail, "Subject")),
    )
    report = str(mail.get_param("report-type") or "").lower()
    if report == "feedback-report":
        return _complaint(mail, said)
    if report == "delivery-status" or _is_from_daemon(mail, said.sender):
        return _bounce(mail, said)
    ids = _answered(mail)
    if _is_automatic(mail, said.subject):
        return replace(said, kind="auto_reply" if ids else "unknown", ours=ids)
    if ids:
        return replace(said, kind="reply", ours=ids, text=_written(mail))
    return replace(said, kind="unsubscribe") if _STOP.fullmatch(said.subject) else said


def _complaint(mail: Message, said: Received) -> Received:
    """Read a feedback report; one that takes a complaint back says nothing (RFC 5965, 7.3)."""
    fields = _fields(mail, "message/feedback-report")
    kind = fields.get("feedback-type", "abuse").lower()
    if kind == "not-spam":
        return said
    return replace(said, kind="complaint", ours=_embedded(mail), reason=_line(kind))


def _bounce(mail: Message, said: Received) -> Received:
    """Read a delivery report; one that says that the mail is late, or has arrived, says nothing."""
    fields = _fields(mail, "message/delivery-status")
    temporary, permanent = all_failures(mail)
    failed = next((_text(each) for each in (*sorted(permanent), *sorted(temporary))), None)
    if fields.get("action", "failed").lower() != "failed" or not (fields or failed):
        return said
    status = _STATUS.search(fields.get("status", ""))
    told = status[0] if status else None
    is_hard = _HARD.match(told) is not None if told else bool(permanent)
    return replace(
        said,
        kind="bounce",
        ours=_embedded(mail),
        failed=failed,
        severity="hard" if is_hard else "soft",
        status=told,
        reason=_line(fields.get("diagnostic-code", "")) or None,
    )


def _fields(mail: Message, type_: str) -> dict[str, str]:
    """Return the fields of a report's own part, the last of a name: those of the recipient follow those of the mail."""
    found: dict[str, str] = {}
    for part in _parts(mail):
        if part.get_content_type() == type_:
            blocks = part.get_payload()
            for block in blocks if isinstance(blocks, list) else [message_from_string(str(blocks))]:
                if isinstance(block, Message):
                    found |= {name.lower(): _text(value).strip() for name, value in block.items()}
    return found


def _embedded(mail: Message) -> tuple[str, ...]:
    """Return the Message-IDs of our form in a report: of the mail that it holds, that it answers, that it quotes."""
    ids = [each for part in _parts(mail) for each in _OURS.findall(_header(part, "Message-ID"))]
    ids += _answered(mail)
    for part in _parts(mail):
        if part.get_content_maintype() == "text":
            ids += _OURS.findall(_content(part))
    return tuple(dict.fromkeys(ids))[:MOST_IDS]


def _answered(mail: Message) -> tuple[str, ...]:
    """Return the Message-IDs of our form that a mail answers, the one that it answers first first."""
    ids = [*_ID.findall(_header(mail, "In-Reply-To")), *reversed(_ID.findall(_header(mail, "References")))]
    return tuple(dict.fromkeys(each for each in ids if _OURS.fullmatch(each)))[:MOST_IDS]


def _is_from_daemon(mail: Message, sender: str | None) -> bool:
    is_nobody = _header(mail, "Return-Path").strip() == "<>"
    return bool(sender and _DAEMONS.match(sender)) or (is_nobody and not _answered(mail))


def _is_automatic(mail: Message, subject: str) -> bool:
    """Whether a machine wrote the mail (RFC 3834, and what programs did before it)."""
    submitted = _header(mail, "Auto-Submitted").strip().lower()
    precedence = _header(mail, "Precedence").strip().lower()
    return (
        submitted not in {"", "no"}
        or precedence in {"auto_reply", "bulk", "junk"}
        or any(name in mail for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Response-Suppress"))
        or _AUTOMATIC.search(subject) is not None
    )


def _parts(mail: Message) -> Iterator[Message]:
    yield from islice(mail.walk(), MOST_PARTS)


def _written(mail: Message) -> str:
    """Return what was written anew in a reply's plain text, without what it quotes."""
    plain = next((part for part in _parts(mail) if part.get_content_type() == "text/plain"), None)
    if plain is None:
        return ""
    lines = []
    for line in _content(plain).splitlines():
        if _QUOTE.match(line.strip()):
            break
        lines.append(line.rstrip())
    return "\n".join(lines).strip()[:TEXT_LENGTH]


def _content(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    charset = str(part.get_content_charset() or "utf-8")
    try:
        return _text(payload.decode(charset, "replace"))
    except LookupError:  # a charset that nobody knows
        return _text(payload)


def _header(mail: Message, name: str) -> str:
    return _text(mail.get(name, ""))


def _addresses(mail: Message, *names: str) -> list[str]:
    values = [_text(value) for name in names for value in mail.get_all(name, [])]
    return [address.lower() for _, address in getaddresses(values) if "@" in address]


def _line(text: str) -> str:
    """Return a header as one line that people read."""
    with suppress(ValueError, LookupError):  # an encoded word that is none stays as it is
        text = str(make_header(decode_header(text)))
    return " ".join(_text(text).split())[:LINE_LENGTH]


def _text(value: object) -> str:
    """Return text that can be stored: no lone surrogate, no NUL."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return text.encode("utf-8", "replace").decode().replace("\x00", "")
