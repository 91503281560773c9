"""How a mail leaves: one Protocol, SMTP behind it, and a twin that only records.

What became of a mail is told by how far it came. Until the final dot of DATA is written nobody has it, and it may be
tried again; after it, only a reply can say, and without one it is unknown.
"""

import asyncio
import re
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from aiosmtplib import (
    SMTP,
    SMTPException,
    SMTPResponseException,
    SMTPServerDisconnected,
)

from app.sequences.dialogue import Dialogue, dial
from app.settings import Settings

TIMEOUT_S: Final = 45.0
IDLE_S: Final = 20.0
MESSAGES_A_CONNECTION: Final = 100
REPLY_LENGTH: Final = 500
KEPT: Final = 100
_OK: Final = 2
_CONTINUE: Final = 3
_BAD_ADDRESS: Final = re.compile(r"5\.1\.\d")
_DOT: Final = re.compile(rb"^\.", re.MULTILINE)

Stage = Literal["connect", "mail", "rcpt", "data", "dot"]
Kind = Literal["sent", "retry", "unknown", "failed", "withheld"]
Begin = Callable[[], Awaitable[bool]]
"""Asked when the receiver waits for the message: False, and not a byte of it is written."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """From whom to whom, and the bytes."""

    sender: str
    recipient: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt; `bounce` says how a failed one failed, `is_our_fault` asks for somebody to look."""

    kind: Kind
    code: int | None = None
    reply: str = ""
    bounce: Literal["hard", "soft"] | None = None
    is_our_fault: bool = False


class Mailer(Protocol):
    """Sends one mail at a time for each caller; never raises for what the receiver does."""

    async def send(self, envelope: Envelope, begin: Begin) -> Outcome: ...

    async def close(self) -> None: ...


class NullMailer:
    """Records what it is given, the last hundred, and sends nothing."""

    def __init__(self) -> None:
        self.recorded: deque[Envelope] = deque(maxlen=KEPT)

    async def send(self, envelope: Envelope, begin: Begin) -> Outcome:
        if not await begin():
            return Outcome("withheld")
        self.recorded.append(envelope)
        return Outcome("sent")

    async def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server as SMTP_URL names it: `smtp[s]://user:password@host:port?starttls=never`."""

    host: str
    port: int
    user: str | None
    password: str | None
    use_tls: bool
    start_tls: bool | None

    @classmethod
    def of(cls, url: str) -> "Server":
        """Read SMTP_URL; raises ValueError."""
        parts = urlsplit(url)
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
            raise ValueError
        use_tls = parts.scheme == "smtps"
        never = parse_qs(parts.query).get("starttls") == ["never"]
        return cls(
            host=parts.hostname,
            port=parts.port or (465 if use_tls else 25),
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            use_tls=use_tls,
            start_tls=False if use_tls or never else None,
        )


def classify(stage: Stage, code: int | None, reply: str = "") -> Outcome:
    """Say what an attempt came to that got `code` (None: the connection was lost) at `stage`."""
    shown = " ".join(reply.split())[:REPLY_LENGTH]
    kind = (code or 0) // 100
    if stage == "dot" and kind not in {2, 4, 5}:
        return Outcome("unknown", code, shown)
    if stage == "dot" and kind == 2:  # noqa: PLR2004 (2xx)
        return Outcome("sent", code, shown)
    if kind != 5:  # noqa: PLR2004 (5xx)
        return Outcome("retry", code, shown)
    if stage in {"connect", "mail"}:
        return Outcome("retry", code, shown, is_our_fault=True)
    is_hard = stage == "rcpt" or _BAD_ADDRESS.match(shown) is not None
    return Outcome("failed", code, shown, bounce="hard" if is_hard else "soft")


@dataclass(slots=True)
class _Connection:
    talk: Dialogue
    used: int = 0
    idle_since: float = 0.0

    @property
    def is_fresh(self) -> bool:
        return self.talk.is_open and self.used < MESSAGES_A_CONNECTION and time.monotonic() - self.idle_since < IDLE_S


@dataclass(slots=True)
class _Progress:
    stage: Stage = "connect"
    connection: _Connection | None = None


class SmtpMailer:
    """Sends over connections that are kept; each caller has one to itself while it sends."""

    def __init__(self, server: Server, *, helo: str, timeout_s: float = TIMEOUT_S) -> None:
        self._server, self._helo, self._timeout_s = server, helo, timeout_s
        self._idle: list[_Connection] = []

    async def send(self, envelope: Envelope, begin: Begin) -> Outcome:
        progress = _Progress()
        try:
            async with asyncio.timeout(self._timeout_s):
                outcome = await self._send(envelope, begin, progress)
        except SMTPResponseException as error:
            outcome = classify(progress.stage, error.code, error.message)
        except (SMTPException, OSError, UnicodeError) as error:
            outcome = classify(progress.stage, None, type(error).__name__)
        except BaseException:
            self._drop(progress)
            raise
        await self._give_back(progress, outcome)
        return outcome

    async def close(self) -> None:
        while self._idle:
            self._idle.pop().talk.close()

    async def _send(self, envelope: Envelope, begin: Begin, progress: _Progress) -> Outcome:
        while self._idle:
            kept = progress.connection = self._idle.pop()
            if not kept.is_fresh:
                kept.talk.close()
                continue
            try:
                return await _deliver(kept.talk, envelope, begin, progress)
            except SMTPServerDisconnected:
                if progress.stage != "mail":
                    raise
        progress.stage, progress.connection = "connect", None
        progress.connection = _Connection(await dial(self._new()))
        return await _deliver(progress.connection.talk, envelope, begin, progress)

    def _new(self) -> SMTP:
        server = self._server
        return SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            use_tls=server.use_tls,
            start_tls=server.start_tls,
            local_hostname=self._helo,
            timeout=self._timeout_s,
        )

    async def _give_back(self, progress: _Progress, outcome: Outcome) -> None:
        """Keep a connection that stands at a clean point; close any other."""
        kept = progress.connection
        if kept is None or not kept.talk.is_open:
            return
        try:
            async with asyncio.timeout(1):
                if outcome.code is None:
                    kept.talk.close()
                    return
                if progress.stage != "dot":
                    await kept.talk.reset()
        except (SMTPException, OSError):
            kept.talk.close()
            return
        kept.used += 1
        kept.idle_since = time.monotonic()
        self._idle.append(kept)

    def _drop(self, progress: _Progress) -> None:
        if progress.connection is not None:
            progress.connection.talk.close()


def mailer_of(settings: Settings) -> Mailer:
    """Return the mailer that SMTP_URL asks for; raises ValueError."""
    if settings.smtp_url is None:
        return NullMailer()
    return SmtpMailer(Server.of(settings.smtp_url), helo=urlsplit(settings.base_url).hostname or "localhost")


async def _deliver(talk: Dialogue, envelope: Envelope, begin: Begin, progress: _Progress) -> Outcome:
    needs_utf8 = not envelope.recipient.isascii()
    if needs_utf8 and not talk.has_utf8:
        return Outcome("failed", None, "The server does not take this address.", bounce="soft")
    asked: Sequence[tuple[Stage, bytes]] = (
        ("mail", f"MAIL FROM:<{envelope.sender}>{' SMTPUTF8' if needs_utf8 else ''}".encode()),
        ("rcpt", f"RCPT TO:<{envelope.recipient}>".encode()),
        ("data", b"DATA"),
    )
    if talk.is_pipelined:
        talk.say(*(command for _, command in asked))
    for stage, command in asked:
        progress.stage = stage
        if not talk.is_pipelined:
            talk.say(command)
        answer = await talk.heard()
        if answer.code // 100 != (_CONTINUE if stage == "data" else _OK):
            raise SMTPResponseException(answer.code, answer.message)
    if not await begin():
        talk.close()
        return Outcome("withheld")
    await _write(talk, envelope.data)
    progress.stage = "dot"
    talk.say(b".")
    answer = await talk.heard()
    return classify("dot", answer.code, answer.message)


async def _write(talk: Dialogue, data: bytes) -> None:
    """Write all but the final dot, which would make it unknown whether it left; raises SMTPServerDisconnected."""
    await talk.write(_DOT.sub(b"..", data))
