"""`/v1/jobs`: long work, whichever slice started it. Reading one takes the scope of what started it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, status
from fastapi.responses import StreamingResponse
from pydantic import ConfigDict

from app.kit import json
from app.kit.answer import AnswerDep
from app.kit.clock import now
from app.kit.db import Session
from app.kit.errors import Conflict, Forbidden, NotFound
from app.kit.routing import EdgeRoute, SessionDep, operation
from app.kit.schemas import Problem, Schema, Timestamp

FINISHED = frozenset({"succeeded", "failed", "cancelled"})
STREAM_PAUSE_S = 0.5

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=EdgeRoute)


class JobNotFound(NotFound):
    """There is no such job in this tenant."""


class JobFinished(Conflict):
    """The job has ended; there is nothing to cancel."""

    code = "job_finished"


class Progress(Schema):
    done: int
    total: int | None


class JobRead(Schema):
    """Long work, and how far it is."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "01999999-0000-7000-8000-000000000002",
                "kind": "import.stage",
                "state": "running",
                "progress": {"done": 400, "total": 1000},
                "counts": {"create": 380, "invalid": 20},
                "started_at": "2026-11-23T00:00:00Z",
                "finished_at": None,
                "eta_s": 3.0,
                "result": None,
                "error": None,
            }
        }
    )
    id: UUID
    kind: str
    state: str
    progress: Progress
    counts: dict[str, int]
    started_at: Timestamp | None
    finished_at: Timestamp | None
    eta_s: float | None
    result: dict[str, Any] | None
    error: Problem | None


async def find(session: Session, job_id: UUID) -> JobRead:
    """Return a job; raises JobNotFound, Forbidden."""
    row = await session.row(
        """select id, kind, state, scope, done, total, counts, started_at, finished_at, result, error
           from jobs where id = :id""",
        id=job_id,
    )
    if row is None:
        raise JobNotFound
    if not session.caller.may(row.scope):
        raise Forbidden(scope=row.scope)
    return JobRead(
        id=row.id,
        kind=row.kind,
        state=row.state,
        progress=Progress(done=row.done, total=row.total),
        counts=row.counts,
        started_at=row.started_at,
        finished_at=row.finished_at,
        eta_s=_eta(row),
        result=row.result,
        error=None if row.error is None else Problem(**row.error),
    )


def _eta(row: Any) -> float | None:  # noqa: ANN401 (a database row)
    if row.state != "running" or not row.done or not row.total:
        return None
    elapsed = (now() - row.started_at).total_seconds()
    return round(float(elapsed / row.done * (row.total - row.done)), 1)


async def found(session: SessionDep, job_id: UUID) -> JobRead:
    return await find(session, job_id)


FoundJob = Annotated[JobRead, Depends(found)]


@router.get("/{job_id}", summary="Read a job", **operation("any", JobNotFound))
async def read_job(job: FoundJob) -> JobRead:
    return job


@router.post(
    "/{job_id}/cancel",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Ask a job to stop",
    **operation("any", JobNotFound, JobFinished),
)
async def cancel_job(session: SessionDep, answer: AnswerDep, job: FoundJob) -> JobRead:
    if job.state in FINISHED:
        raise JobFinished
    await session.run(
        """update jobs set cancel_requested = true, state = case when state = 'queued' then 'cancelled' else state end,
             finished_at = case when state = 'queued' then now() else finished_at end where id = :id""",
        id=job.id,
    )
    return answer.accepted(await find(session, job.id))


@router.get(
    "/{job_id}/stream",
    response_class=StreamingResponse,
    summary="Follow a job (server-sent events)",
    **operation("any", JobNotFound),
)
async def stream_job(request: Request, job: FoundJob) -> StreamingResponse:
    return StreamingResponse(_follow(request, job), media_type="text/event-stream")


async def _follow(request: Request, job: JobRead) -> AsyncIterator[bytes]:
    while True:
        yield b"event: job\ndata: " + json.dumpb(job.model_dump()) + b"\n\n"
        if job.state in FINISHED or await request.is_disconnected():
            return
        await asyncio.sleep(STREAM_PAUSE_S)
        async with request.app.state.database.transaction(request.state.caller) as session:
            job = await find(session, job.id)
