"""The types of touchpoints, and what some of them say beyond themselves."""

import re
from typing import Final

TYPES: Final = frozenset({
    "email_sent", "email_delivered", "email_opened", "email_clicked", "email_replied", "email_bounced",
    "email_complained", "email_unsubscribed", "event_invited", "event_registered", "event_attended", "event_no_show",
    "event_cancelled", "page_viewed", "content_downloaded", "sns_interaction", "form_submitted", "call", "meeting",
    "casual_interview", "note", "applied", "screened", "interviewed", "offered", "offer_declined", "rejected", "hired",
    "left_company", "profile_updated",
})  # fmt: skip
_CUSTOM: Final = re.compile(r"custom:[a-z0-9_]{1,50}", re.ASCII)

SELECTION_OPENS: Final = frozenset({"applied", "screened", "interviewed", "offered"})
"""While the newest of a person's selection types is one of these, a selection of them is going on."""

SELECTION_ENDS: Final = frozenset({"offer_declined", "rejected", "hired"})

SELECTION: Final = SELECTION_OPENS | SELECTION_ENDS

BY_THE_PERSON: Final = frozenset({
    "email_clicked", "email_replied", "event_registered", "event_attended", "event_cancelled", "page_viewed",
    "content_downloaded", "sns_interaction", "form_submitted", "call", "meeting", "casual_interview", "applied",
    "interviewed",
})  # fmt: skip
"""Contact that the person made or took part in: it moves the clock of retention, unless a machine made it.

An open is too weak a sign, and what only the company does (sending, inviting, noting, deciding) says nothing of them.
"""

DEEDS: Final = SELECTION | BY_THE_PERSON
"""What says something beyond itself, of the person's last contact or of how a selection stands."""


def is_known(type_: str) -> bool:
    """Say whether this is a type of ours or a well-formed `custom:<name>`."""
    return type_ in TYPES or _CUSTOM.fullmatch(type_) is not None
