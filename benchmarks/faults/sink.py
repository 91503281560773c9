"""A mail server for harnesses: it writes down each mail that it takes, and can be told to behave badly.

Bad manners are given as name → share of the mails that meet with it, drawn from the recipient's address.
"""

import asyncio
import hashlib
import re
import socket
from collections import Counter
from collections.abc import Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

from benchmarks.faults.stage import Crew

REPLIES: Final = {
    "421": "421 4.3.2 closing",
    "451": "451 4.7.1 later",
    "550": "550 5.1.1 no such user",
}
MANNERS: Final = (*REPLIES, "hang", "close")
"""`hang` says nothing after the dot, `close` closes the connection after it; the mail was taken."""
_MESSAGE_ID: Final = re.compile(rb"^Message-ID: <([^>]+)>", re.MULTILINE)
HANGS_S: Final = 600


class Talk(asyncio.Protocol):
    """One connection; nothing is copied that need not be."""

    def __init__(self, log: Path, manners: Mapping[str, float], tries: Counter[str]) -> None:
        self._log, self._manners, self._tries = log.open("ab", buffering=0), manners, tries
        self._buffer = b""
        self._recipient, self._said = "", b""
        self._is_in_data = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(b"220 sink ESMTP\r\n")

    def connection_lost(self, _: Exception | None) -> None:
        self._log.close()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while not self._transport.is_closing():
            mark = b"\r\n.\r\n" if self._is_in_data else b"\r\n"
            taken, found, rest = self._buffer.partition(mark)
            if not found:
                break
            self._buffer = rest
            (self._take if self._is_in_data else self._hear)(taken)
        self._answer()

    def _hear(self, line: bytes) -> None:
        verb = line[:4].upper()
        if verb == b"EHLO":
            self._say("250-sink\r\n250-PIPELINING\r\n250-SMTPUTF8\r\n250 8BITMIME")
        elif verb == b"DATA":
            self._is_in_data = bool(self._recipient)
            self._say("354 go" if self._recipient else "554 5.5.1 no valid recipients")
        elif verb == b"RCPT":
            self._recipient = line.partition(b"<")[2].partition(b">")[0].decode()
            self._tries[self._recipient] += 1
            manner = self._manner()
            self._say(REPLIES.get(manner, "250 ok"))
            if manner in REPLIES:
                self._recipient = ""
            if manner == "421":
                self._answer()
                self._transport.close()
        else:
            self._say("221 bye" if verb == b"QUIT" else "250 ok")

    def _take(self, data: bytes) -> None:
        self._is_in_data = False
        found = _MESSAGE_ID.search(data)
        self._log.write(b"%s %s\n" % (found[1] if found else b"?", self._recipient.encode()))
        manner = self._manner()
        if manner == "close":
            self._transport.close()
        elif manner != "hang":
            self._say("250 2.0.0 taken")
        self._recipient = ""

    def _manner(self) -> str:
        """Return how this recipient is treated: those who are put off are taken when they come again."""
        if not self._manners:
            return ""
        drawn = int.from_bytes(hashlib.sha256(self._recipient.encode()).digest()[:4]) / 2**32
        for name in MANNERS:
            drawn -= self._manners.get(name, 0.0)
            if drawn < 0:
                return name if name not in {"421", "451"} or self._tries[self._recipient] == 1 else ""
        return ""

    def _say(self, text: str) -> None:
        self._said += text.encode() + b"\r\n"

    def _answer(self) -> None:
        """Send what was said, in one piece."""
        if self._said:
            self._transport.write(self._said)
            self._said = b""


def serve(port: int, log: str, manners: Mapping[str, float]) -> None:
    """Be the mail server, in a process of one's own."""
    tries: Counter[str] = Counter()

    async def stay() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Talk(Path(log), manners, tries), "127.0.0.1", port)
        await server.serve_forever()

    asyncio.run(stay())


class Sink:
    """The mail server of a harness, and what it has taken."""

    def __init__(self, folder: Path, manners: Mapping[str, float] | None = None) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.log = folder / f"sink-{self.port}.log"
        self.log.touch()
        self._crew = Crew(serve, self.port, str(self.log), dict(manners or {}))
        self._process: BaseProcess = self._crew.hire()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}?starttls=never"

    def taken(self) -> list[tuple[str, str]]:
        """Return (Message-ID without brackets, recipient) of each mail that was taken, in order."""
        lines = (line.split() for line in self.log.read_text().splitlines())
        return [(line[0], line[1]) for line in lines]

    def count(self) -> int:
        """Return how many mails were taken."""
        with self.log.open("rb") as log:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: log.read(1 << 20), b""))

    def close(self) -> None:
        self._crew.dismiss()
