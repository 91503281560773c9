"""What event and booking tools have in common: a gathering, who comes, and what they answered."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from app.connectors.signals import Parsed, Signal, present, text
from app.kit import json

TITLE_MAX: Final = 300
URL_MAX: Final = 2_000
QUESTION_MAX: Final = 200
ANSWER_MAX: Final = 1_000
ANSWERS_MAX_BYTES: Final = 8 * 1024
"""All of a touchpoint's data is held to twice that."""
SOURCE_TYPE: Final = "event"


def key(*parts: object) -> str:
    """Return the name of what has no id of its own: the SHA-256 of what makes it the one it is."""
    return hashlib.sha256(json.canonical(list(parts))).hexdigest()


def section(item: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return an object that stands in another; an empty one where there is none."""
    value = item.get(name)
    return value if isinstance(value, dict) else {}


def word(item: Mapping[str, Any], name: str) -> str | None:
    """Read a text or a whole number as text: ids come as either."""
    value = item.get(name)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else text(item, name)


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


def parsed(*read: Signal | str) -> Parsed:
    """Count what was read: signals, and the words `ignored` and `unreadable`."""
    return Parsed(
        signals=tuple(each for each in read if isinstance(each, Signal)),
        ignored=read.count("ignored"),
        unreadable=read.count("unreadable"),
    )


def document(raw: bytes) -> Mapping[str, Any] | None:
    """Read a body that is one JSON object; None for anything else."""
    try:
        body = json.loads(raw)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def topics(settings: Mapping[str, Any], tags: object = None) -> tuple[str, ...]:
    """Unite the tool's tags, texts or objects with a name, with what the connection says its gatherings are about."""
    named = [tag.get("name") if isinstance(tag, dict) else tag for tag in (tags if isinstance(tags, list) else [])]
    told = [*settings.get("topics", ()), *named]
    return tuple(dict.fromkeys(each for each in told if isinstance(each, str) and each and "\0" not in each))


def profile(*, email: str | None = None, phone: str | None = None, **scalars: str | None) -> dict[str, Any]:
    """Return what somebody said of themselves, as the fields of a candidate."""
    lists = {"email_addresses": email, "phone_numbers": phone}
    return present(**scalars) | {name: [{"value": value}] for name, value in lists.items() if value}
