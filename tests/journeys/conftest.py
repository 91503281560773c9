"""Starts `talentpool dev` with its real servers, and an SMTP server for it to send to."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from tests.journeys.service import Service, Sink, free_port

SMTP_PORT = free_port()
OF_THE_TESTS = {"DATABASE_URL", "REDIS_URL", "TALENTPOOL_SECRET_KEY", "TALENTPOOL_RATE_LIMIT"}
"""What the tests in this process have set for themselves, and a newcomer has not."""


@pytest.fixture
def sink() -> Iterator[Sink]:
    """A real SMTP server that takes everything."""
    found = Sink()
    controller = Controller(found, hostname="127.0.0.1", port=SMTP_PORT)
    controller.start()
    yield found
    controller.stop()


@pytest.fixture
def start() -> Iterator[Callable[..., Service]]:
    """Starts services, and stops those that still run."""
    started: list[Service] = []

    def run(folder: Path | None = None, **environment: str) -> Service:
        place = folder or Path(tempfile.mkdtemp(prefix="tp-journey-"))
        port = free_port()
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "dev"],
            env={
                **{name: value for name, value in os.environ.items() if name not in OF_THE_TESTS},
                "TALENTPOOL_DATA_DIR": str(place),
                "PORT": str(port),
                "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}",
                "SMTP_URL": f"smtp://127.0.0.1:{SMTP_PORT}",
                "TALENTPOOL_DEMO": "0",
                **environment,
            },
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        service = Service(process, place, port)
        started.append(service)
        service.wait_ready()
        return service

    yield run
    for service in started:
        if service.process.poll() is None:
            service.stop()
        shutil.rmtree(service.folder, ignore_errors=True)
