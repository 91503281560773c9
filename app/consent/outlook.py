"""What the gate would answer later on, if contacts happened as planned and the person stayed silent."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from app.consent import gate
from app.consent.contact import Question
from app.consent.evidence import Facts
from app.consent.gate import Use

MOST_DELAYS: Final = 50
"""So often a contact is put off before a forecast gives up: each time a later cause may come up."""


@dataclass
class Outlook:
    """The facts about one candidate as they are now, with the contacts that a forecast adds."""

    facts: Facts
    question: Question
    delay: Mapping[str, Any]

    def first_allowed(self, at: datetime) -> tuple[datetime | None, list[str]]:
        """Return the first instant from `at` on when a contact is allowed, and the codes of what puts it off.

        None when it is denied, with the codes of the denials.
        """
        codes: dict[str, None] = {}
        for _ in range(MOST_DELAYS):
            verdict = gate.judge(replace(self.facts.case(self.question, at), **self.delay))
            if verdict.answer == "allow":
                return at, list(codes)
            if verdict.answer == "deny" or verdict.not_before is None:
                return None, list(verdict.codes)
            codes |= dict.fromkeys(verdict.codes)
            at = verdict.not_before
        return None, list(codes)

    def count(self, at: datetime) -> None:
        """Let a contact at `at` count for those after it."""
        self.delay = {**self.delay, "uses": (Use(at), *self.delay.get("uses", ()))}
