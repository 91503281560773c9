"""The question before every contact, and its answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.consent.gate import Answer
from app.consent.reasons import Reason
from app.consent.window import Window


@dataclass(frozen=True, slots=True)
class Question:
    """Whether `candidate_id` may be contacted at `at` (now, when None).

    `message_id` is the message that asks: its own earlier attempt does not count against it. `windows` narrow the
    tenant's window; they never widen it.
    """

    candidate_id: UUID
    channel: str
    purpose: str
    at: datetime | None = None
    message_id: UUID | None = None
    windows: Sequence[Window] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """`candidate_id` is whom the asked id means now; `consent_id` the statement that was decisive, if there is one."""

    id: UUID
    candidate_id: UUID
    channel: str
    purpose: str
    at: datetime
    decision: Answer
    not_before: datetime | None
    reasons: tuple[Reason, ...]
    rule_version: int
    expires_at: datetime
    consent_id: UUID | None

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of all reasons, denials first."""
        return tuple(reason.code for reason in self.reasons)


@dataclass(frozen=True, slots=True)
class Reach:
    """Who can be contacted for some purpose now; `suppressed` are match keys of e-mail addresses not to be used."""

    contactable: frozenset[UUID]
    suppressed: frozenset[str]
