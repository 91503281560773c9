"""`talentpool dedup sweep`: a tenant's pool is swept by a worker, and followed until that is done."""

import asyncio
from typing import Final
from uuid import UUID

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from app.kit import job_routes
from app.kit.caller import Caller, system
from app.kit.db import Database
from app.kit.job_routes import FINISHED, JobRead
from app.kit.process import StartError
from app.sweeps import service
from app.sweeps.engines import Engine
from app.tenancy.bootstrap import find_tenant

PAUSE_S: Final = 0.5


async def run(database_url: str, tenant: str, engine: Engine | None, console: Console) -> None:
    """Have a tenant's pool swept and show what came of it; raises StartError without the tenant, or when it fails."""
    database = Database(database_url, pool_size=1)
    try:
        tenant_id = await find_tenant(database, tenant)
        if tenant_id is None:
            raise StartError(f"There is no tenant named {tenant}.")
        caller = system(tenant_id, "sweep")
        async with database.transaction(caller) as session:
            job_id = await service.start(session, engine)
        ended = await _follow(database, caller, job_id, console)
    finally:
        await database.close()
    if ended.state != "succeeded":
        raise StartError(ended.error.detail if ended.error else f"The sweep is {ended.state}.")
    _show(ended, console)


async def _follow(database: Database, caller: Caller, job_id: UUID, console: Console) -> JobRead:
    """Show how many pairs were compared until the job has ended; return it."""
    columns = (SpinnerColumn(), TextColumn("{task.description}, {task.completed:,} pairs"), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        line = progress.add_task("queued", total=None)
        while True:
            async with database.transaction(caller) as session:
                job = await job_routes.find(session, job_id)
            waits = "queued: a worker takes it up"
            progress.update(
                line, description=waits if job.state == "queued" else job.state, completed=job.progress.done
            )
            if job.state in FINISHED:
                return job
            await asyncio.sleep(PAUSE_S)


def _show(ended: JobRead, console: Console) -> None:
    counts = Table("what", "how many")
    counts.columns[1].justify = "right"
    for what, many in ended.counts.items():
        counts.add_row(what, f"{many:,}")
    console.print(counts)
