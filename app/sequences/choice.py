"""What a person gets where a step leaves a choice: one of several wordings, and the content that fits them best.

Chance is drawn from names, so that whoever asks again gets the same answer: nobody changes their variant by a retry,
by a second time through the sequence, or by a worker that died.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

from app.criteria.fold import fold
from app.sequences.definition import ContentChoice, Send

INTEREST: Final = 2
"""A stated interest weighs as much as two answers to a topic."""
MOST_ANSWERS: Final = 3
"""So many answers to one topic count; more of them say nothing new."""
BITS: Final = 53


class Item(Protocol):
    """A content that may be sent."""

    @property
    def id(self) -> UUID: ...
    @property
    def topics(self) -> list[str]: ...
    @property
    def language(self) -> str | None: ...
    @property
    def created_at(self) -> datetime: ...


Offered = TypeVar("Offered", bound=Item)


@dataclass(frozen=True, slots=True)
class Taste:
    """What is known of what a person likes: topics that they named, topics that they answered, their language."""

    interests: Collection[str]
    answered: Sequence[str]
    language: str | None


def chance(*names: object) -> float:
    """Return a number in [0, 1) that these names, and only they, decide."""
    digest = hashlib.sha256("\0".join(map(str, names)).encode()).digest()
    return float((int.from_bytes(digest[:8]) >> (64 - BITS)) / (1 << BITS))


def wording(send: Send, sequence_id: UUID, candidate_id: UUID) -> tuple[str | None, UUID]:
    """Return the key of a person's variant (None, when there is one wording only) and its template."""
    if send.variants is None:
        return None, send.templates[0][1]
    drawn = chance(sequence_id, send.key, candidate_id) * sum(variant.weight for variant in send.variants)
    for variant in send.variants:
        drawn -= variant.weight
        if drawn < 0:
            break
    return variant.key, variant.template_id


def content(
    items: Iterable[Offered], taste: Taste, asked: ContentChoice, *names: object
) -> tuple[Offered, dict[str, Any]]:
    """Return the content that fits best, with the reason, or for those held out any; `names` decide by chance.

    The first criterion is the language, then the topics, then the newer. Raises LookupError when there is none.
    """
    ordered = sorted(items, key=lambda item: item.id)
    if not ordered:
        raise LookupError
    if chance(*names, "hold out") < asked.hold_out:
        drawn = ordered[int(chance(*names, "item") * len(ordered))]
        return drawn, {"pick": asked.pick, "held_out": True, "of": len(ordered)}
    wanted = {fold(topic) for topic in taste.interests}
    answers = Counter(fold(topic) for topic in taste.answered)

    def weight(item: Offered) -> int:
        return sum(INTEREST * (topic in wanted) + min(answers[topic], MOST_ANSWERS) for topic in map(fold, item.topics))

    best = max(ordered, key=lambda item: (_is_read(item, taste), weight(item), item.created_at, item.id))
    named = [topic for topic in best.topics if fold(topic) in wanted]
    answered = [topic for topic in best.topics if answers[fold(topic)]]
    reason = {"pick": asked.pick, "held_out": False, "of": len(ordered), "interests": named, "responses": answered}
    return best, reason


def _is_read(item: Item, taste: Taste) -> bool:
    """Whether a person reads the language of a content, as far as both are known."""
    return item.language is None or taste.language is None or item.language[:2] == taste.language[:2]
