from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from app.imports import batch, events, repository, service, staging, undoing
from app.imports.batch import Sheet
from app.imports.models import Import
from app.kit import jobs, outbox
from app.kit.errors import AppError
from app.kit.jobs import Cancelled, Claim

Result = Mapping[str, Any]


@jobs.job("import.stage")
async def stage(claim: Claim) -> Result:
    """Read the file and judge its rows; with `auto` write them at once, which judges them too."""
    import_id = _import_of(claim)
    async with _fate(claim, cancelled="cancelled"):
        await staging.read_file(claim, (await _open(claim))[0])
        found, sheet = await _open(claim)
        if found.commit == "auto":
            await _enter(claim, "committing")
            await staging.write_rows(claim, sheet, found.rows)
            return await _written(claim)
        await staging.rehearse(claim, sheet)
        async with claim.step() as session:
            counts = await repository.counts(session, import_id)
            await repository.set_state(session, import_id, "staged", counts=counts)
    return {"import_id": import_id}


@jobs.job("import.commit")
async def write(claim: Claim) -> Result:
    """Write the staged rows."""
    async with _fate(claim, cancelled="staged"):
        found, sheet = await _open(claim)
        await staging.write_rows(claim, sheet, found.rows)
        return await _written(claim)


@jobs.job("import.undo")
async def undo(claim: Claim) -> Result:
    """Take back what was written."""
    import_id = _import_of(claim)
    async with _fate(claim, cancelled="committed"):
        await undoing.undo_rows(claim, import_id)
        async with claim.step() as session:
            found = await service.find(session, import_id)
            version = await repository.set_state(session, import_id, "undone")
            await outbox.record(session, events.undone(import_id, version, len(found.conflicts)))
    return {"import_id": import_id}


@jobs.job("import.cancel")
async def cancel(claim: Claim) -> Result:
    """Forget the rows and the file of a cancelled import."""
    import_id = _import_of(claim)
    async with claim.step() as session:
        found = await service.find(session, import_id, lock=True)
        if found.state == "cancelled":
            await repository.drop_file(session, import_id)
            await repository.drop_rows(session, import_id)
    return {"import_id": import_id}


def _import_of(claim: Claim) -> UUID:
    return UUID(claim.arguments["import_id"])


async def _open(claim: Claim) -> tuple[Import, Sheet]:
    async with claim.step() as session:
        found = await service.find(session, _import_of(claim))
        return found, await batch.sheet_of(session, found)


async def _enter(claim: Claim, state: str) -> None:
    async with claim.step() as session:
        await repository.set_state(session, _import_of(claim), state)


async def _written(claim: Claim) -> Result:
    import_id = _import_of(claim)
    async with claim.step() as session:
        counts = await repository.counts(session, import_id)
        version = await repository.set_state(session, import_id, "committed", counts=counts)
        await outbox.record(session, events.completed(import_id, version, counts))
    return {"import_id": import_id, "counts": counts}


@asynccontextmanager
async def _fate(claim: Claim, *, cancelled: str) -> AsyncIterator[None]:
    """Let the import share the fate of its job."""
    try:
        yield
    except Cancelled:
        await _end(claim, cancelled)
        raise
    except AppError as error:
        await _end(claim, "failed", error=error.problem(str(claim.id)))
        raise


async def _end(claim: Claim, state: str, **values: Any) -> None:  # noqa: ANN401 (columns of the import)
    async with claim.database.transaction(claim.caller) as session:
        await repository.set_state(session, _import_of(claim), state, **values)
