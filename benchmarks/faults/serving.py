"""An API process for harnesses, which may be a broken twin that answers hooks before anything is stored."""

import asyncio
from collections.abc import Mapping
from uuid import UUID

import uvicorn

from app.connectors import reception
from app.connectors.repository import ConnectionRepository
from app.connectors.signals import Answer, Call
from app.kit import caller
from app.kit.db import Database
from app.main import create_app
from benchmarks.faults.stage import adopt


def serve(environment: Mapping[str, str], port: int, twin: str = "") -> None:
    """Be an API process, in a process of one's own."""
    adopt(environment)
    if twin:
        _break(twin)
    uvicorn.run(create_app, factory=True, port=port, loop="uvloop", http="httptools", log_level="critical")


def _break(twin: str) -> None:
    """Be the broken twin: an authentic call is answered at once, and stored after it."""
    if twin != "answer_first":
        raise ValueError(twin)
    right, later = reception.receive, set[asyncio.Task[Answer]]()

    async def receive(database: Database, tenant_id: UUID, connection_id: UUID, call: Call) -> Answer:
        async with database.transaction(caller.system(tenant_id, "hook")) as session:
            connection = await ConnectionRepository(session).get(connection_id)
        if connection is None or reception._judged(connection, call)[1] is not None:  # noqa: SLF001 (what is broken here)
            return await right(database, tenant_id, connection_id, call)
        later.add(task := asyncio.create_task(right(database, tenant_id, connection_id, call)))
        task.add_done_callback(later.discard)
        return reception.STORED

    reception.receive = receive
