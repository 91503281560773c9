from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response, status
from fastapi.responses import HTMLResponse, RedirectResponse

from app.candidates.errors import CandidateErased, CandidateNotFound
from app.kit.errors import NotFound
from app.kit.routing import EdgeRoute, SessionDep, operation
from app.pages import door, html, linking, repository, service, tokens, visits
from app.pages.schemas import PageLinkCreate, PageLinkRead
from app.pages.visits import File, Outcome
from app.sequences import links
from app.touchpoints.schemas import EvidenceIn

PIXEL: Final = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
"""The smallest GIF: one transparent dot."""
UNSEEN: Final = {"Cache-Control": "no-store, private", "X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer"}

router = APIRouter(tags=["pages"])
made = APIRouter(prefix="/v1/candidates", tags=["pages"], route_class=EdgeRoute)


async def live_candidate(session: SessionDep, candidate_id: UUID) -> UUID:
    """Return whom the id in the path means now."""
    return await linking.live(session, candidate_id)


@made.post(
    "/{candidate_id}/page-links",
    status_code=status.HTTP_201_CREATED,
    summary="Make a link to a page that the person opens themselves",
    **operation("privacy:write", CandidateNotFound, CandidateErased, secret="url"),  # noqa: S106 (a member's name)
)
async def create_page_link(
    request: Request, session: SessionDep, live: Annotated[UUID, Depends(live_candidate)], body: PageLinkCreate
) -> PageLinkRead:
    return await linking.make(session, live, body.kind, request.app.state.settings.base_url)


@router.get(
    "/u/{token}",
    response_class=HTMLResponse,
    summary="Show the page that unsubscribes; changes nothing",
    **operation("public", NotFound),
)
async def show_unsubscribe_page(request: Request, token: str) -> Response:
    link = links.read(token)
    if link is None:
        return _lost()
    reader, topics = await door.inside(
        request, link.tenant_id, "page", lambda session: service.show(session, link.message_id, door.asked(request))
    )
    return _page(html.unsubscribing(reader, topics))


@router.head("/u/{token}", include_in_schema=False)
async def head_unsubscribe_page(request: Request, token: str) -> Response:
    return await show_unsubscribe_page(request, token)


@router.post(
    "/u/{token}",
    response_class=HTMLResponse,
    summary="Unsubscribe, by a button, by topic, or by one click of a mail program (RFC 8058)",
    **operation("public", NotFound),
)
async def unsubscribe(request: Request, token: str) -> Response:
    link, fields = links.read(token), await door.form(request)
    if link is None:
        return _lost()
    message, asked = link.message_id, door.asked(request)
    if door.one(fields, "action") == "choose":
        kept = fields.get("keep", [])
        reader, topics = await door.inside(
            request, link.tenant_id, "page", lambda session: service.choose(session, message, kept, asked)
        )
        return _page(html.chosen(reader, topics))
    reader = await door.inside(
        request, link.tenant_id, "unsubscribe", lambda session: service.unsubscribe(session, message, asked)
    )
    return _page(html.notice(reader, "done_title", "done"))


@router.get(
    "/p/{token}",
    response_class=HTMLResponse,
    summary="Show a person their own page; changes nothing",
    **operation("public", NotFound),
)
async def show_own_page(request: Request, token: str) -> Response:
    tenant_id = await repository.tenant_of(request.app.state.database, tokens.hash_of(token))
    if tenant_id is None:
        return _lost()
    return _answer(
        await door.inside(request, tenant_id, "page", lambda session: visits.show(session, token, door.asked(request)))
    )


@router.head("/p/{token}", include_in_schema=False)
async def head_own_page(request: Request, token: str) -> Response:
    return await show_own_page(request, token)


@router.post(
    "/p/{token}",
    response_class=HTMLResponse,
    summary="Do what a button of a person's own page says",
    **operation("public", NotFound),
)
async def act_on_own_page(request: Request, token: str) -> Response:
    tenant_id = await repository.tenant_of(request.app.state.database, tokens.hash_of(token))
    fields = await door.form(request)
    if tenant_id is None:
        return _lost()
    return _answer(
        await door.inside(
            request, tenant_id, "page", lambda session: visits.act(session, token, door.asked(request), fields)
        )
    )


@router.get(
    "/r/{token}",
    status_code=status.HTTP_302_FOUND,
    response_class=RedirectResponse,
    summary="Follow a link of a mail, and note that somebody did",
    **operation("public", NotFound),
)
async def follow_link(request: Request, token: str) -> Response:
    click = links.read_click(token)
    if click is None:
        return _lost()
    seen = _evidence(request)
    url = await door.inside(
        request, click.link.tenant_id, "link", lambda session: service.clicked(session, click, seen)
    )
    return RedirectResponse(url, status.HTTP_302_FOUND, UNSEEN) if url else _lost()


@router.head("/r/{token}", include_in_schema=False)
async def head_link(request: Request, token: str) -> Response:
    click = links.read_click(token)
    if click is None:
        return _lost()
    url = await door.inside(request, click.link.tenant_id, "link", lambda session: service.target(session, click))
    return RedirectResponse(url, status.HTTP_302_FOUND, UNSEEN) if url else _lost()


@router.get(
    "/o/{token}.gif",
    response_class=Response,
    summary="Fetch the picture of a mail, and note that somebody did",
    **operation("public", NotFound),
)
async def fetch_picture(request: Request, token: str) -> Response:
    link = links.read_open(token)
    if link is None:
        return _lost()
    seen = _evidence(request)
    await door.inside(
        request, link.tenant_id, "picture", lambda session: service.opened(session, link.message_id, seen)
    )
    return Response(PIXEL, headers=UNSEEN, media_type="image/gif")


@router.head("/o/{token}.gif", include_in_schema=False)
async def head_picture(token: str) -> Response:
    return Response(headers=UNSEEN, media_type="image/gif") if links.read_open(token) else _lost()


def _evidence(request: Request) -> EvidenceIn:
    agent = request.headers.get("User-Agent", "")[: door.MOST_AGENT].replace("\x00", "")
    address = request.client.host[: door.MOST_ADDRESS] if request.client else None
    return EvidenceIn(user_agent=agent, ip=address, method=request.method)


def _answer(outcome: Outcome) -> Response:
    if isinstance(outcome, File):
        named = {"Content-Disposition": f'attachment; filename="{outcome.name}"'}
        return Response(outcome.content, headers={**html.HEADERS, **named}, media_type="application/json")
    return _page(outcome.body, status.HTTP_200_OK if outcome.is_found else status.HTTP_404_NOT_FOUND)


def _page(body: str, code: int = status.HTTP_200_OK) -> HTMLResponse:
    return HTMLResponse(body, code, html.HEADERS)


def _lost() -> HTMLResponse:
    return _page(html.lost(), status.HTTP_404_NOT_FOUND)
