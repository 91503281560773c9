"""What fits as the next contact with a person, and how the last one ended."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, Protocol
from uuid import UUID

from app.criteria.fold import fold
from app.pools.schemas import Suggestion

OUTCOMES: Final = {
    "email_bounced": "failed",
    "email_opened": "opened",
    "email_clicked": "clicked",
    "email_replied": "replied",
    "email_complained": "complained",
    "email_unsubscribed": "unsubscribed",
    "email_sent": "no_answer_yet",
    "email_delivered": "no_answer_yet",
    "event_invited": "no_answer_yet",
    "event_registered": "registered",
    "event_attended": "attended",
    "event_no_show": "no_show",
    "event_cancelled": "cancelled",
    "applied": "in_selection",
    "screened": "in_selection",
    "interviewed": "in_selection",
    "offered": "in_selection",
    "offer_declined": "offer_declined",
    "rejected": "rejected",
    "hired": "hired",
    "left_company": "left_company",
}
TALK: Final = Suggestion(kind="casual_interview", content_id=None, title=None, url=None, topics=[])


class Item(Protocol):
    """A content of the company, as `contents` keeps it."""

    @property
    def id(self) -> UUID: ...
    @property
    def kind(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def topics(self) -> list[str]: ...


def outcome_of(type_: str, data: dict[str, Any]) -> str | None:
    """Say how a touchpoint ended: as it was told (`data.outcome`), else by its type; None when neither says so."""
    told = data.get("outcome")
    return told if isinstance(told, str) and told else OUTCOMES.get(type_)


def suggest(interests: Iterable[str], contents: Sequence[Item]) -> Suggestion:
    """Choose the content with the most topics that interest the person, the first of equals; else a talk."""
    wanted = {fold(each) for each in interests}
    met = [(sum(fold(topic) in wanted for topic in item.topics), item) for item in contents]
    count, best = max(met, key=lambda pair: pair[0], default=(0, None))
    if best is None or count == 0:
        return TALK
    topics = [topic for topic in best.topics if fold(topic) in wanted]
    return Suggestion(kind=best.kind, content_id=best.id, title=best.title, url=best.url, topics=topics)
