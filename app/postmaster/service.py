"""What becomes of mails that come back, and whether a sender domain is ready."""

import asyncio
from typing import Any, Final, Literal
from uuid import UUID

from app.candidates import service as candidates
from app.consent import service as consent
from app.kit.clock import now
from app.kit.db import Session
from app.normalise.emails import parse_email
from app.postmaster import domain as judging
from app.postmaster import mail, repository
from app.postmaster.dns import Resolver, look_up
from app.postmaster.errors import DomainInvalid
from app.postmaster.mail import Received
from app.postmaster.schemas import CheckRead, DomainCheck, DomainRead, InboundRead
from app.tenancy import service as tenancy
from app.touchpoints import service as touchpoints
from app.touchpoints.schemas import TouchpointIn

SOURCE: Final = "inbound-mail"
TYPES: Final = {
    "bounce": "email_bounced",
    "complaint": "email_complained",
    "reply": "email_replied",
    "auto_reply": "email_replied",
}

OUTCOMES: Final[dict[str, Literal["recorded", "repeated", "ignored"]]] = {
    "created": "recorded",
    "repeated": "repeated",
    "unmatched": "ignored",
    "invalid": "ignored",
}
"""What became of the touchpoint; of somebody who is gone none is kept."""


async def receive(session: Session, raw: bytes) -> InboundRead:
    """Take a mail that came back; the same one again changes nothing."""
    received = await asyncio.to_thread(mail.read, raw)
    if received.kind == "unsubscribe":
        return await _unsubscribe(session, received)
    ours = await repository.message(session, received.ours) if received.ours else None
    if ours is None:
        return InboundRead(kind="unknown", outcome="ignored", message_id=None, candidate_id=None, touchpoint_id=None)
    if received.severity == "hard" and (address := parse_email(ours.to or "")):
        await candidates.mark_bounced(session, address.key)
    return await _tell(session, received, TYPES[received.kind], ours.candidate_id, ours)


async def _tell(session: Session, received: Received, type_: str, candidate_id: UUID, ours: Any) -> InboundRead:  # noqa: ANN401 (a row)
    told = TouchpointIn.model_validate(
        {
            "candidate_id": candidate_id,
            "type": type_,
            "occurred_at": now(),
            "source": SOURCE,
            "external_id": f"{received.digest}:{type_}",
            "data": _data(received, ours.header if ours is not None else None),
            "actor": "machine" if received.kind == "auto_reply" else None,
        }
    )
    [stored] = await touchpoints.ingest(session, [told])
    return InboundRead(
        kind=received.kind,
        outcome=OUTCOMES[stored.outcome],
        message_id=ours.id if ours is not None else None,
        candidate_id=stored.candidate_id,
        touchpoint_id=stored.id,
    )


def _data(received: Received, header: str | None) -> dict[str, Any]:
    data: dict[str, Any] = {"message_id": header} if header else {}
    if received.kind == "bounce":
        return data | {"bounce": {"kind": received.severity, "code": received.status, "reason": received.reason}}
    if received.kind == "complaint":
        return data | {"complaint": {"kind": received.reason}}
    said = {"subject": received.subject, "text": received.text}
    return data | {name: text for name, text in said.items() if text}


async def _unsubscribe(session: Session, received: Received) -> InboundRead:
    """Take a mail to the tenant's `unsubscribe_mailto` at its word; it stands for the address that it came from."""
    wanted = parse_email((await tenancy.read(session)).sender.unsubscribe_mailto or "")
    address = parse_email(received.sender or "")
    addressed = {each.key for text in received.addressed if (each := parse_email(text))}
    if wanted is None or address is None or wanted.key not in addressed:
        return InboundRead(kind="unknown", outcome="ignored", message_id=None, candidate_id=None, touchpoint_id=None)
    await consent.suppress(session, "email", "email", address.key, "unsubscribed", f"{SOURCE}:{received.digest[:16]}")
    found = (await candidates.locate(session, "email", [address.key])).get(address.key, [])
    reads = [await _tell(session, received, "email_unsubscribed", each, None) for each in found[:1]]
    unnamed = InboundRead(
        kind="unsubscribe", outcome="recorded", message_id=None, candidate_id=None, touchpoint_id=None
    )
    return reads[0] if reads else unnamed


async def check(session: Session, name: str, body: DomainCheck, resolver: Resolver, base_url: str) -> DomainRead:
    """Say whether receivers will trust mails from a domain, and what is missing; raises DomainInvalid."""
    asked = judging.domain_of(name)
    if asked is None:
        raise DomainInvalid
    sender = (await tenancy.read(session)).sender
    answers = await look_up(resolver, asked, body.dkim_selectors or judging.USUAL_SELECTORS)
    facts = judging.Facts(asked, sender.from_email, base_url, tuple(body.dkim_selectors))
    checks = judging.judge(answers, facts)
    return DomainRead(
        domain=asked,
        ready=all(each.status in {"pass", "warn"} for each in checks),
        checked_at=now(),
        checks=[CheckRead.model_validate(each) for each in checks],
    )
