"""Where an enrollment goes from a step: at once through what takes no time, up to the next mail, wait or end."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from app.sequences import definition as words
from app.sequences import schedule
from app.sequences.definition import Definition, Exit, Send, Step, Wait

State = Literal["active", "completed", "exited"]


@dataclass(frozen=True, slots=True)
class Plan:
    """Where an enrollment stands next: on `step`, until `at`; `send` when that is a mail, `reason` when it has left."""

    state: State
    step: str | None
    at: datetime
    send: Send | None = None
    reason: str | None = None

    @property
    def waits_until(self) -> datetime | None:
        """When a waiting enrollment goes on; None for any other."""
        return self.at if self.state == "active" and self.send is None else None


def plan(definition: Definition, step: Step | None, at: datetime, moment: datetime, zone: str) -> Plan:
    """Go on from `step`, reached at `at`; waits that are over at `moment` are passed. `zone` is the candidate's."""
    while step is not None:
        if isinstance(step, Send):
            return Plan("active", step.key, at, send=step)
        if isinstance(step, Exit):
            return Plan("exited", step.key, at, reason=step.reason)
        if isinstance(step, Wait):
            at = _end(step, at, zone)
            if at > moment:
                return Plan("active", step.key, at)
        step = words.following(definition, step.key)
    return Plan("completed", None, at)


def _end(wait: Wait, since: datetime, zone: str) -> datetime:
    if wait.until_local is not None:
        return schedule.next_local(since, wait.until_local.time, wait.until_local.weekdays, zone)
    return since + schedule.duration(wait.for_ or "PT0S")
