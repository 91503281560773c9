from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request

from app.kit.errors import Malformed, TooLarge, UnsupportedMediaType
from app.kit.routing import EdgeRoute, SessionDep, operation
from app.postmaster import service
from app.postmaster.dns import DnsResolver, Resolver
from app.postmaster.errors import DomainInvalid
from app.postmaster.schemas import DomainCheck, DomainRead, InboundRead

MAX_MAIL: Final = 10 << 20
MEDIA: Final = ("message/rfc822", "application/octet-stream", "text/plain")
MAIL: Final[dict[str, Any]] = {
    "required": True,
    "description": "The mail as it came, with all its headers (RFC 5322).",
    "content": {media: {"schema": {"type": "string", "format": "binary"}} for media in MEDIA},
}

router = APIRouter(prefix="/v1", tags=["sequences"], route_class=EdgeRoute)


async def resolver() -> Resolver:
    """Return what asks the DNS."""
    return DnsResolver()


async def raw_mail(request: Request) -> bytes:
    """Read the mail; raises UnsupportedMediaType, TooLarge, Malformed for none."""
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() not in MEDIA:
        raise UnsupportedMediaType
    raw = await request.body()
    if not raw.strip():
        raise Malformed
    return raw


@router.post(
    "/inbound-mail",
    summary="Hand over a mail that came back: a bounce, a complaint, a reply, a wish to be left alone",
    **operation(
        "touchpoints:write", Malformed, TooLarge, UnsupportedMediaType, media=MEDIA, max_body=MAX_MAIL, requestBody=MAIL
    ),
)
async def receive_mail(session: SessionDep, raw: Annotated[bytes, Depends(raw_mail)]) -> InboundRead:
    return await service.receive(session, raw)


@router.post(
    "/sender-domains/{domain}/check",
    summary="Ask what a domain lacks to be trusted by receivers",
    **operation("sequences:write", DomainInvalid, empty_body=True),
)
async def check_sender_domain(
    request: Request,
    session: SessionDep,
    asking: Annotated[Resolver, Depends(resolver)],
    domain: str,
    body: DomainCheck,
) -> DomainRead:
    return await service.check(session, domain, body, asking, request.app.state.settings.base_url)
