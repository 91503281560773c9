from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, status

from app.candidates import service as candidates
from app.candidates.errors import CandidateErased, CandidateNotFound
from app.kit import job_routes
from app.kit.answer import AnswerDep
from app.kit.errors import CursorInvalid, CursorMismatch, SortNotAllowed
from app.kit.job_routes import JobRead
from app.kit.paging import LimitOutOfRange, PagingQuery
from app.kit.routing import EdgeRoute, SessionDep, operation
from app.kit.schemas import Timestamp
from app.scores import service
from app.scores.errors import AtInFuture, FitCriteriaInvalid, KeyMismatch, NoDraft, ScoreModelNotFound
from app.scores.schemas import BacktestStart, JobStart, ScoreModelRead, ScoreModelWrite, ScorePage, ScoreRead

router = APIRouter(prefix="/v1", tags=["scores"], route_class=EdgeRoute)


async def model(session: SessionDep, key: str) -> ScoreModelRead:
    return await service.read_model(session, key)


async def live_candidate(session: SessionDep, candidate_id: UUID) -> UUID:
    return await candidates.resolve(session, candidate_id)


ModelName = Annotated[str, Query(alias="model", description="The key of a score model.")]


@router.get("/score-models/{key}", summary="Read a score model", **operation("scores:read", ScoreModelNotFound))
async def read_score_model(found: Annotated[ScoreModelRead, Depends(model)]) -> ScoreModelRead:
    return found


_write: dict[str, Any] = operation(service.SCOPE, KeyMismatch, FitCriteriaInvalid)
_write["responses"][201] = {"model": ScoreModelRead, "description": "There was no draft."}


@router.put("/score-models/{key}", summary="Write the draft of a score model", **_write)
async def write_score_model(session: SessionDep, answer: AnswerDep, key: str, body: ScoreModelWrite) -> ScoreModelRead:
    written, is_new = await service.write_draft(session, key, body)
    answer.located(f"/v1/score-models/{key}", 201 if is_new else 200)
    return written


@router.post(
    "/score-models/{key}/publish",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Let the draft of a score model serve, once everybody is counted by it",
    **operation(service.SCOPE, ScoreModelNotFound, NoDraft, empty_body=True),
)
async def publish_score_model(
    session: SessionDep, answer: AnswerDep, found: Annotated[ScoreModelRead, Depends(model)], _: JobStart
) -> JobRead:
    job_id = await service.start_publishing(session, found)
    return answer.accepted(await job_routes.find(session, job_id))


@router.post(
    "/score-models/{key}/backtest",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Try the draft of a score model on history",
    **operation(service.SCOPE, ScoreModelNotFound, NoDraft, AtInFuture),
)
async def backtest_score_model(
    session: SessionDep, answer: AnswerDep, found: Annotated[ScoreModelRead, Depends(model)], body: BacktestStart
) -> JobRead:
    return answer.accepted(await job_routes.find(session, await service.start_backtest(session, found, body)))


@router.get(
    "/candidates/{candidate_id}/score",
    summary="Read a candidate's score with every part of it",
    **operation("scores:read", CandidateNotFound, CandidateErased, ScoreModelNotFound, AtInFuture),
)
async def read_candidate_score(
    session: SessionDep,
    answer: AnswerDep,
    candidate_id: UUID,
    live: Annotated[UUID, Depends(live_candidate)],
    model_key: ModelName = service.DEFAULT,
    at: Annotated[Timestamp | None, Query(description="As of when; now, unless said.")] = None,
    model_version: Annotated[int | None, Query(description="Another version than the published one.")] = None,
) -> ScoreRead:
    if live != candidate_id:
        answer.content_location(f"/v1/candidates/{live}/score")
    return (await service.scores_of(session, [live], model_key, at, model_version))[live]


@router.get(
    "/scores",
    summary="List everybody's score at one moment, without its parts",
    **operation("scores:read", ScoreModelNotFound, SortNotAllowed, CursorInvalid, CursorMismatch, LimitOutOfRange),
)
async def list_scores(
    session: SessionDep,
    paging: PagingQuery,
    model_key: ModelName = service.DEFAULT,
    tier: Annotated[list[str] | None, Query(description="In one of these tiers.")] = None,
    value_gte: Annotated[float | None, Query(description="At least so many points.", allow_inf_nan=False)] = None,
    sort: Annotated[str, Query(description="`-value` or `value`.")] = "-value",
) -> ScorePage:
    return await service.list_scores(session, paging, model_key, tuple(tier or ()), value_gte, sort)


@router.post(
    "/scores/sweeps",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Count everybody's scores anew",
    **operation(service.SCOPE, empty_body=True),
)
async def start_score_sweep(session: SessionDep, answer: AnswerDep, _: JobStart) -> JobRead:
    return answer.accepted(await job_routes.find(session, await service.start_sweep(session)))
