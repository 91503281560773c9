"""What some types of touchpoints say beyond themselves: selections begin and end, addresses bounce or are given up."""

from collections.abc import Iterable
from typing import Final

from app.candidates import service as candidates
from app.consent import service as consent
from app.kit.db import Session
from app.normalise.emails import parse_email
from app.touchpoints.kinds import SELECTION
from app.touchpoints.models import Touchpoint
from app.touchpoints.repository import TouchpointRepository
from app.touchpoints.row import NewTouchpoint

Row = NewTouchpoint | Touchpoint
BOUNCED: Final = "email_bounced"
SUPPRESSING: Final = {"email_complained": "complaint", "email_unsubscribed": "unsubscribed"}
EFFECTIVE: Final = frozenset({*SELECTION, *SUPPRESSING, BOUNCED})


async def follow(session: Session, touchpoints: Iterable[Row]) -> None:
    """Do what these touchpoints say."""
    listed = [each for each in touchpoints if each.type in EFFECTIVE]
    selecting = {each.candidate_id for each in listed if each.candidate_id is not None and each.type in SELECTION}
    if selecting:
        await TouchpointRepository(session).settle_selections(sorted(selecting))
    bounced = {await _address(session, each) for each in listed if _is_hard_bounce(each)}
    for key in sorted({email.key for address in bounced if address and (email := parse_email(address))}):
        await candidates.mark_bounced(session, key)
    told = [each for each in listed if each.type in SUPPRESSING]
    said = {(await _address(session, each) or "", SUPPRESSING[each.type], each.source) for each in told}
    for address, reason, source in sorted(said):
        if address:
            await consent.suppress(session, "email", "email", address, reason, source)


def _is_hard_bounce(touchpoint: Row) -> bool:
    """Say whether a mail came back for good: what is not said to be for now is."""
    bounce = touchpoint.data.get("bounce")
    return touchpoint.type == BOUNCED and not (isinstance(bounce, dict) and bounce.get("kind") == "soft")


async def _address(session: Session, touchpoint: Row) -> str | None:
    """Return which address it is about: the one that was named, else the person's own."""
    if touchpoint.name.kind == "email":
        return touchpoint.name.value
    if touchpoint.candidate_id is None:
        return None
    address = await candidates.mail_address(session, touchpoint.candidate_id)
    return None if address is None else address.value
