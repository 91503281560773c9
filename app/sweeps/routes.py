from fastapi import APIRouter, status

from app.kit import job_routes
from app.kit.answer import AnswerDep
from app.kit.job_routes import JobRead
from app.kit.routing import EdgeRoute, SessionDep, operation
from app.sweeps import service
from app.sweeps.schemas import SweepStart

router = APIRouter(prefix="/v1/dedup", tags=["dedup"], route_class=EdgeRoute)


@router.post(
    "/sweeps",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Compare everybody with everybody",
    **operation("dedup:write", empty_body=True),
)
async def start_sweep(session: SessionDep, answer: AnswerDep, _: SweepStart) -> JobRead:
    return answer.accepted(await job_routes.find(session, await service.start(session)))
