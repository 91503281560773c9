from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request, Response, status

from app.connectors.errors import ConnectionNotFound
from app.imports import service
from app.imports.errors import REFUSALS, ImportNotFound, ImportState, UnknownField
from app.imports.models import Import
from app.imports.schemas import ImportForm, ImportJob, ImportRead, RowRead, Verdict
from app.kit.answer import AnswerDep
from app.kit.errors import Malformed, TooLarge, UnsupportedMediaType
from app.kit.paging import PagingQuery
from app.kit.routing import EdgeRoute, SessionDep, operation
from app.kit.schemas import Page

MAX_BODY = 50 << 20
MULTIPART = "multipart/form-data"

router = APIRouter(prefix="/v1/imports", tags=["imports"], route_class=EdgeRoute)


async def multipart(request: Request) -> None:
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != MULTIPART:
        raise UnsupportedMediaType


async def found(session: SessionDep, import_id: UUID) -> Import:
    return await service.find(session, import_id)


async def held(session: SessionDep, import_id: UUID) -> Import:
    return await service.find(session, import_id, lock=True)


FoundImport = Annotated[Import, Depends(found)]
HeldImport = Annotated[Import, Depends(held)]


@router.post(
    "",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Upload a file of people",
    dependencies=[Depends(multipart)],
    **operation(
        "imports:write",
        Malformed,
        TooLarge,
        UnsupportedMediaType,
        UnknownField,
        ConnectionNotFound,
        *REFUSALS.values(),
        media=(MULTIPART,),
        max_body=MAX_BODY,
    ),
)
async def create_import(
    session: SessionDep, answer: AnswerDep, form: Annotated[ImportForm, Form(media_type=MULTIPART)]
) -> ImportJob:
    return answer.accepted(await service.upload(session, form))


@router.get("", summary="List imports", **operation("imports:read"))
async def list_imports(session: SessionDep, paging: PagingQuery) -> Page[ImportRead]:
    return await service.list_imports(session, paging)


@router.get("/{import_id}", summary="Read an import", **operation("imports:read", ImportNotFound))
async def read_import(answer: AnswerDep, known: FoundImport) -> ImportRead:
    return answer.versioned(service.read(known))


@router.get("/{import_id}/rows", summary="List the rows of an import", **operation("imports:read", ImportNotFound))
async def list_import_rows(
    session: SessionDep,
    paging: PagingQuery,
    known: FoundImport,
    verdict: Annotated[Verdict | None, Query(description="Only rows with this verdict.")] = None,
) -> Page[RowRead]:
    return await service.list_rows(session, known, verdict, paging)


@router.get(
    "/{import_id}/errors.csv",
    response_class=Response,
    summary="Download what is wrong with the rows",
    **operation("imports:read", ImportNotFound),
)
async def read_import_errors(session: SessionDep, known: FoundImport) -> Response:
    return Response(
        await service.errors_csv(session, known),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="errors-{known.id}.csv"'},
    )


@router.post(
    "/{import_id}/commit",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Write the staged rows",
    **operation("imports:write", ImportNotFound, ImportState),
)
async def commit_import(session: SessionDep, answer: AnswerDep, known: HeldImport) -> ImportJob:
    return answer.accepted(await service.write(session, known))


@router.post(
    "/{import_id}/undo",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Take an import back",
    **operation("imports:write", ImportNotFound, ImportState),
)
async def undo_import(session: SessionDep, answer: AnswerDep, known: HeldImport) -> ImportJob:
    return answer.accepted(await service.undo(session, known))


@router.post(
    "/{import_id}/cancel",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Stop an import",
    **operation("imports:write", ImportNotFound, ImportState),
)
async def cancel_import(session: SessionDep, answer: AnswerDep, known: HeldImport) -> ImportJob:
    return answer.accepted(await service.cancel(session, known))
