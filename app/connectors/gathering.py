"""What event and booking tools have in common: a gathering, who comes, and what they answered."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from app.connectors.reading import words
from app.connectors.signals import present, text
from app.kit import json

TITLE_MAX: Final = 300
URL_MAX: Final = 2_000
QUESTION_MAX: Final = 200
ANSWER_MAX: Final = 1_000
ANSWERS_MAX_BYTES: Final = 8 * 1024
"""All of a touchpoint's data is held to twice that."""
SOURCE_TYPE: Final = "event"


def event(named: str | None, title: str | None, starts_at: str | None, url: str | None = None) -> dict[str, Any]:
    """Return `data.event`: which gathering it is about."""
    return present(
        id=named and named[:TITLE_MAX],
        title=title and title[:TITLE_MAX],
        starts_at=starts_at and starts_at[:TITLE_MAX],
        url=url if url and len(url) <= URL_MAX else None,
    )


def answers(given: object, question: str, answer: str) -> list[dict[str, str]] | None:
    """Return what somebody answered to the organiser's questions, as far as there is room; None for nothing.

    `question` and `answer` name the members in which the tool keeps them.
    """
    kept: list[dict[str, str]] = []
    for each in _answered(given, question, answer):
        if len(json.dumpb([*kept, each])) > ANSWERS_MAX_BYTES:
            break
        kept.append(each)
    return kept or None


def _answered(given: object, question: str, answer: str) -> Iterator[dict[str, str]]:
    for each in given if isinstance(given, list) else []:
        said = text(each, answer) if isinstance(each, dict) else None
        if said:
            yield {"question": (text(each, question) or "")[:QUESTION_MAX], "answer": said[:ANSWER_MAX]}


def topics(settings: Mapping[str, Any], tags: object = None) -> tuple[str, ...]:
    """Unite the tool's tags, texts or objects with a name, with what the connection says its gatherings are about."""
    named = [tag.get("name") if isinstance(tag, dict) else tag for tag in (tags if isinstance(tags, list) else [])]
    return words(settings.get("topics"), named)


def profile(*, email: str | None = None, phone: str | None = None, **scalars: str | None) -> dict[str, Any]:
    """Return what somebody said of themselves, as the fields of a candidate."""
    lists = {"email_addresses": email, "phone_numbers": phone}
    return present(**scalars) | {name: [{"value": value}] for name, value in lists.items() if value}
