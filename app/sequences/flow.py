"""Where an enrollment goes from a step: up to the next mail, wait or end, or to what somebody has to do first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from app.sequences import definition as words
from app.sequences import schedule
from app.sequences.definition import Branch, Definition, Exit, Send, Step, TagStep, Wait

State = Literal["active", "completed", "exited"]


@dataclass(frozen=True, slots=True)
class Plan:
    """Where an enrollment stands next: on `step`, until `at`.

    `send` when that is a mail, `act` when it is a step to be done before it goes on, `reason` when it has left.
    """

    state: State
    step: str | None
    at: datetime
    send: Send | None = None
    act: Branch | TagStep | None = None
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
        if isinstance(step, Branch | TagStep):
            return Plan("active", step.key, at, act=step)
        if isinstance(step, Exit):
            return Plan("exited", step.key, at, reason=step.reason)
        if isinstance(step, Wait):
            at = _end(step, at, zone)
            if at > moment:
                return Plan("active", step.key, at)
        step = words.following(definition, step.key)
    return Plan("completed", None, at)


def after_branch(definition: Definition, branch: Branch, *, holds: bool) -> Step | None:
    """Return the first step of the list that is taken, or what follows the branch when that is empty."""
    taken = branch.then if holds else branch.else_
    return taken[0] if taken else words.following(definition, branch.key)


def _end(wait: Wait, since: datetime, zone: str) -> datetime:
    if wait.until_local is not None:
        return schedule.next_local(since, wait.until_local.time, wait.until_local.weekdays, zone)
    return since + schedule.duration(wait.for_ or "PT0S")
