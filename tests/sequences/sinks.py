"""Mail servers for tests: one that takes everything, and one that does what it is told at each stage."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiosmtpd import smtp
from aiosmtpd.smtp import Envelope, Session

Answer = str | None
"""What the server says; None: it closes the connection; "hang": it says nothing more."""


class Taken:
    """Every message that a sink has accepted, as (recipient, bytes)."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, bytes]] = []

    async def handle_DATA(self, _server: smtp.SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's name)
        assert isinstance(envelope.content, bytes)
        self.messages += [(recipient, envelope.content) for recipient in envelope.rcpt_tos]
        return "250 2.0.0 Taken"


@asynccontextmanager
async def sink(taken: Taken) -> AsyncIterator[str]:
    """Take every mail; yield the server's URL."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: smtp.SMTP(taken, hostname="127.0.0.1", enable_SMTPUTF8=True, loop=loop), "127.0.0.1", 0
    )
    try:
        yield f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


class Script:
    """What a scripted server says, by stage: greeting, ehlo, mail, rcpt, data, dot."""

    def __init__(self, **answers: Answer | Callable[[str], Answer]) -> None:
        self.answers = {
            "greeting": "220 sink",
            "ehlo": "250 sink",
            "mail": "250 ok",
            "rcpt": "250 ok",
            "data": "354 go",
            "dot": "250 2.0.0 taken",
            **answers,
        }
        self.accepted: list[bytes] = []
        self.recipients: list[str] = []
        self.received: list[bytes] = []
        self.connections = 0

    def answer(self, stage: str, line: str = "") -> Answer:
        said = self.answers[stage]
        return said(line) if callable(said) else said

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not await self._say(writer, self.answer("greeting")):
            return
        while line := (await reader.readline()).decode():
            stage = {"EHLO": "ehlo", "HELO": "ehlo", "MAIL": "mail", "RCPT": "rcpt", "DATA": "data"}.get(
                line[:4].upper()
            )
            if stage == "rcpt":
                self.recipients += re.findall(r"<(.*?)>", line)
            said = self.answer(stage, line) if stage else "250 ok"
            if not await self._say(writer, said):
                return
            if said is not None and said.startswith("354"):
                data = await reader.readuntil(b"\r\n.\r\n")
                self.received.append(data)
                said = self.answer("dot")
                if said is not None and said.startswith("2"):
                    self.accepted.append(data)
                if not await self._say(writer, said):
                    return

    async def _say(self, writer: asyncio.StreamWriter, said: Answer) -> bool:
        if said == "hang":
            await asyncio.sleep(60)
        if said is None or said == "hang":
            return False
        writer.write(said.encode() + b"\r\n")
        await writer.drain()
        return not said.startswith("421")


@asynccontextmanager
async def scripted(script: Script) -> AsyncIterator[str]:
    """Serve a script; yield the server's URL."""
    tasks: set[asyncio.Task[None]] = set()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.ensure_future(script.serve(reader, writer)))

    server = await asyncio.start_server(begin, "127.0.0.1", 0)
    try:
        yield f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
