from fastapi import APIRouter, Request, status
from fastapi.responses import HTMLResponse

from app.kit import caller
from app.kit.errors import NotFound
from app.kit.routing import operation
from app.pages import html, service
from app.sequences import links

router = APIRouter(tags=["pages"])


@router.get(
    "/u/{token}",
    response_class=HTMLResponse,
    summary="Show the page that unsubscribes; changes nothing",
    **operation("public", NotFound),
)
async def show_unsubscribe_page(request: Request, token: str) -> HTMLResponse:
    link = links.read(token)
    if link is None:
        return HTMLResponse(html.lost(), status.HTTP_404_NOT_FOUND, html.HEADERS)
    async with request.app.state.database.transaction(caller.system(link.tenant_id, "page")) as session:
        reader = await service.reader(session, link.message_id)
    return HTMLResponse(html.ask(reader.words, reader.company), headers=html.HEADERS)


@router.head("/u/{token}", include_in_schema=False)
async def head_unsubscribe_page(request: Request, token: str) -> HTMLResponse:
    return await show_unsubscribe_page(request, token)


@router.post(
    "/u/{token}",
    response_class=HTMLResponse,
    summary="Unsubscribe, by a button or by one click of a mail program (RFC 8058)",
    **operation("public", NotFound),
)
async def unsubscribe(request: Request, token: str) -> HTMLResponse:
    link = links.read(token)
    if link is None:
        return HTMLResponse(html.lost(), status.HTTP_404_NOT_FOUND, html.HEADERS)
    async with request.app.state.database.transaction(caller.system(link.tenant_id, "unsubscribe")) as session:
        reader = await service.unsubscribe(session, link.message_id)
    return HTMLResponse(html.done(reader.words, reader.company), headers=html.HEADERS)
