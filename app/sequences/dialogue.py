"""The talk with a mail server on a connection that aiosmtplib has opened: greeted, encrypted, logged in.

Commands may be written together where the server allows that (RFC 2920); replies come in their order (RFC 5321, 4.2).
"""

import asyncio
import re
from collections import deque
from typing import Final, cast

from aiosmtplib import SMTP, SMTPHeloError, SMTPResponse, SMTPServerDisconnected

MALFORMED: Final = -1
"""The code of a reply that is none."""
_LONGEST: Final = 32 * 1024
_CONTROLS: Final = re.compile(rb"[\x00-\x1f\x7f]")
_GO: Final = 354


class Dialogue(asyncio.Protocol):
    """Takes a connection over; what the server says unasked ends it, for it would be taken for a reply."""

    def __init__(self, transport: asyncio.Transport, *, is_pipelined: bool, has_utf8: bool) -> None:
        self._transport, self.is_pipelined, self.has_utf8 = transport, is_pipelined, has_utf8
        self._buffer, self._lines = b"", list[bytes]()
        self._replies = deque[SMTPResponse]()
        self._owed = 0
        self._news: asyncio.Future[None] | None = None
        self._is_full = False
        transport.set_write_buffer_limits(high=0)
        transport.set_protocol(self)

    @property
    def is_open(self) -> bool:
        return not self._transport.is_closing()

    def say(self, *commands: bytes) -> None:
        """Write commands, each to be answered; raises SMTPServerDisconnected, and ValueError for more than a line."""
        if any(_CONTROLS.search(command) for command in commands):
            raise ValueError
        if not self.is_open:
            raise SMTPServerDisconnected("lost")
        self._owed += len(commands)
        self._transport.write(b"".join(command + b"\r\n" for command in commands))

    async def heard(self) -> SMTPResponse:
        """Return the next reply; raises SMTPServerDisconnected."""
        while not self._replies:
            await self._wait()
        self._owed -= 1
        return self._replies.popleft()

    async def write(self, data: bytes) -> None:
        """Write, and wait until the system has taken it; raises SMTPServerDisconnected."""
        self._transport.write(data)
        await asyncio.sleep(0)  # let a connection that has been closed meanwhile say so
        while self._is_full and self.is_open:
            await self._wait()
        if not self.is_open:
            raise SMTPServerDisconnected("lost")

    async def reset(self) -> None:
        """Come back to a clean point, or close; raises SMTPServerDisconnected."""
        while self._owed:
            if (await self.heard()).code == _GO:
                self.close()
        self.say(b"RSET")
        await self.heard()

    def close(self) -> None:
        self._transport.close()

    async def _wait(self) -> None:
        if not self.is_open:
            raise SMTPServerDisconnected("lost")
        self._news = asyncio.get_running_loop().create_future()
        await self._news

    def _tell(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    def data_received(self, data: bytes) -> None:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._lines.append(line)
            if line[3:4] != b"-":
                self._replies.append(_reply(self._lines))
                self._lines = []
        if len(self._replies) > self._owed or len(self._buffer) + sum(map(len, self._lines)) > _LONGEST:
            self.close()
        self._tell()

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        self._tell()

    def connection_lost(self, _: Exception | None) -> None:
        self._tell()


def _reply(lines: list[bytes]) -> SMTPResponse:
    text = b"\n".join(line[4:].strip() for line in lines).decode("utf-8", "surrogateescape")
    code = lines[-1][:3]
    return SMTPResponse(int(code) if code.isdigit() else MALFORMED, text)


async def dial(smtp: SMTP) -> Dialogue:
    """Connect and take the connection over; raises what aiosmtplib raises."""
    await smtp.connect()
    if smtp.is_ehlo_or_helo_needed:
        try:
            await smtp.ehlo()
        except SMTPHeloError:
            await smtp.helo()
    knows = smtp.supports_extension
    transport = cast("asyncio.Transport", smtp.transport)
    return Dialogue(transport, is_pipelined=knows("pipelining"), has_utf8=knows("smtputf8"))
