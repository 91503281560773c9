from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated
from urllib.parse import unquote
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response, status
from pydantic import ValidationError

from app.candidates.errors import CandidateErased, CandidateNotFound, CustomFieldInvalid
from app.candidates.schemas import CandidateFields, CandidatePatch, CandidateRead, ExternalIdIn
from app.directory.service import Shown
from app.intake import service
from app.intake.errors import BlockedErased, MatchConflict, NothingIdentifies
from app.intake.schemas import BatchUpsert, BatchUpserted, CandidateMatched, CandidateUpsert
from app.intake.statement import STATUS, Statement
from app.kit.answer import Answer, AnswerDep
from app.kit.errors import PreconditionFailed, PreconditionRequired, TooManyItems
from app.kit.routing import EdgeRoute, SessionDep, operation

MAX_BATCH_BODY = 16 << 20
MERGE_PATCH = ("application/json", "application/merge-patch+json")

router = APIRouter(prefix="/v1/candidates", tags=["candidates"], route_class=EdgeRoute)


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a request is about, and the condition that its version has to meet, now and under the lock."""

    id: UUID
    expect: Callable[[int], None]


@dataclass(frozen=True, slots=True)
class External:
    """The external id in a path, and the condition on the version of whom it means."""

    id: ExternalIdIn
    expect: Callable[[int], None]


async def target(session: SessionDep, answer: AnswerDep, candidate_id: UUID) -> Target:
    live, version = await service.version_of(session, candidate_id)
    expect = partial(answer.expect, required=await service.demands_if_match(session))
    expect(version)
    if live != candidate_id:
        answer.content_location(f"/v1/candidates/{live}")
    return Target(live, expect)


async def external(
    request: Request,
    source: Annotated[str, Path(description="The system, percent-encoded.")],  # noqa: ARG001 (declared for the document)
    external_id: Annotated[str, Path(description="Its id of the person, percent-encoded.")],  # noqa: ARG001 (the same)
) -> ExternalIdIn:
    """Read the two parts of the raw path, which may themselves hold encoded slashes; raises CandidateNotFound."""
    raw = request.scope["raw_path"].decode("ascii", "replace").partition("/by-external-id/")[2]
    system, _, id_ = raw.partition("/")
    try:
        found = ExternalIdIn(source=unquote(system, errors="strict"), id=unquote(id_, errors="strict"))
    except (UnicodeDecodeError, ValidationError) as error:
        raise CandidateNotFound from error
    if "\x00" in found.source + found.id:
        raise CandidateNotFound
    return found


async def expected_external(
    session: SessionDep, answer: AnswerDep, known: Annotated[ExternalIdIn, Depends(external)]
) -> External:
    required = await service.demands_if_match(session)
    try:
        answer.expect(await service.owners_version(session, known.source, known.id), required=required)
    except CandidateNotFound:
        answer.expect_nothing()
    return External(known, partial(answer.expect, required=required))


_create = operation(
    "candidates:write", MatchConflict, BlockedErased, NothingIdentifies, CustomFieldInvalid, by_keys=True
)
_create["responses"][200] = {"model": CandidateMatched, "description": "Linked: what was said of somebody known."}


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    summary="Say something about a person",
    response_model=CandidateMatched,
    **_create,
)
async def create_candidate(session: SessionDep, answer: AnswerDep, body: CandidateUpsert) -> Response:
    return _matched(answer, await service.upsert(session, Statement(body, body.on_match)))


@router.post(
    "/batch-upsert",
    status_code=status.HTTP_207_MULTI_STATUS,
    summary="Say something about up to 500 people",
    **operation("candidates:write", TooManyItems, max_body=MAX_BATCH_BODY, each_alone=True),
)
async def batch_upsert_candidates(session: SessionDep, body: BatchUpsert) -> BatchUpserted:
    return await service.batch(session, body.items)


@router.get(
    "/by-external-id/{source}/{external_id:path}",
    summary="Read a candidate by an external id",
    **operation("candidates:read", CandidateNotFound),
)
async def read_candidate_by_external_id(
    session: SessionDep, answer: AnswerDep, known: Annotated[ExternalIdIn, Depends(external)]
) -> CandidateRead:
    return answer.versioned(await service.owner_of(session, known.source, known.id))


_upsert = operation(
    "candidates:write",
    CandidateNotFound,
    MatchConflict,
    BlockedErased,
    CustomFieldInvalid,
    PreconditionFailed,
    PreconditionRequired,
    by_keys=True,
)
_upsert["responses"][201] = {"model": CandidateMatched, "description": "Nobody had this external id."}


@router.put(
    "/by-external-id/{source}/{external_id:path}",
    summary="Say something about the person with this external id",
    response_model=CandidateMatched,
    **_upsert,
)
async def upsert_candidate_by_external_id(
    session: SessionDep,
    answer: AnswerDep,
    known: Annotated[External, Depends(expected_external)],
    body: CandidateUpsert,
) -> Response:
    statement = Statement(_under(known.id, body), body.on_match, expect=known.expect)
    return _matched(answer, await service.upsert(session, statement))


@router.patch(
    "/{candidate_id}",
    summary="Correct a candidate by hand",
    response_model=CandidateRead,
    **operation(
        "candidates:write",
        CandidateNotFound,
        CandidateErased,
        MatchConflict,
        BlockedErased,
        CustomFieldInvalid,
        PreconditionFailed,
        PreconditionRequired,
        media=MERGE_PATCH,
        by_keys=True,
    ),
)
async def update_candidate(
    session: SessionDep, answer: AnswerDep, found: Annotated[Target, Depends(target)], body: CandidatePatch
) -> Response:
    return answer.plain(await service.patch(session, Statement(body, target=found.id, expect=found.expect)))


@router.delete(
    "/{candidate_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Hide a candidate, to be erased after 30 days",
    **operation("candidates:write", CandidateNotFound, CandidateErased, PreconditionFailed, PreconditionRequired),
)
async def delete_candidate(session: SessionDep, found: Annotated[Target, Depends(target)]) -> None:
    await service.delete(session, found.id, found.expect)


@router.post(
    "/{candidate_id}/restore",
    summary="Take the deletion of a candidate back",
    **operation("candidates:write", CandidateNotFound, CandidateErased, MatchConflict, empty_body=True),
)
async def restore_candidate(session: SessionDep, answer: AnswerDep, candidate_id: UUID) -> CandidateRead:
    return answer.versioned(await service.restore(session, candidate_id))


def _matched(answer: Answer, candidate: Shown) -> Response:
    answer.located(f"/v1/candidates/{candidate['id']}", STATUS[candidate["match"]["outcome"]])
    return answer.plain(candidate)


def _under(known: ExternalIdIn, body: CandidateFields) -> CandidateFields:
    """Return the body with the path's external id as the first one: the identity of the record."""
    others = [each for each in body.external_ids if each != known]
    stated = {name: getattr(body, name) for name in body.model_fields_set - {"on_match"}}
    return CandidateFields.model_construct(**{**stated, "external_ids": [known, *others]})
