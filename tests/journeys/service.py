"""The whole service as processes, a real SMTP sink, and clients from outside."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

READY_S = 60.0


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@dataclass
class Sink:
    """What an SMTP server received."""

    raw: list[bytes] = field(default_factory=list)

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's hook)
        content = envelope.original_content or b""
        self.raw.append(content)
        return "250 taken"

    @property
    def mails(self) -> list[EmailMessage]:
        return [message_from_bytes(raw, policy=default) for raw in self.raw]


@dataclass
class Service:
    """A running `talentpool dev`."""

    process: subprocess.Popen[bytes]
    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def key(self) -> str:
        return (self.folder / "api-key").read_text().strip()

    def pids(self, name: str) -> list[int]:
        found: list[int] = json.loads((self.folder / "pids.json").read_text())[name]
        return found

    def kill(self, name: str) -> None:
        """Kill one process of this name with -9, once there is one: it may just be starting again."""
        end = time.monotonic() + READY_S
        while time.monotonic() < end:
            for pid in self.pids(name):
                os.kill(pid, signal.SIGKILL)
                return
            time.sleep(0.02)
        pytest.fail(f"no {name} runs")

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self.url, headers={"Authorization": f"Bearer {self.key}"}, timeout=httpx.Timeout(30)
        )

    def wait_ready(self, seconds: float = READY_S) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                pytest.fail(f"talentpool dev ended with {self.process.returncode}")
            try:
                if httpx.get(f"{self.url}/readyz", timeout=2).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        pytest.fail("the service does not become ready")

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)


async def eventually(condition: Callable[[], Awaitable[Any]], seconds: float = 20.0) -> Any:
    """Return the first true answer of `condition`, asked again and again; fail after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        try:
            answer = await condition()
        except httpx.TransportError:
            answer = None
        if answer:
            return answer
        if time.monotonic() > end:
            pytest.fail(f"nothing came of {condition} within {seconds} s")
        await asyncio.sleep(0.1)
