"""Where an enrollment goes from a step: up to the next mail, wait or end, or to what somebody has to do first."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from app.sequences import definition as words
from app.sequences import schedule
from app.sequences.definition import Branch, Definition, Exit, Notify, Send, Step, TagStep, Wait

State = Literal["active", "completed", "exited"]
WAIT_LIMIT: Final = "wait_limit"
LOOK_AGAIN: Final = timedelta(hours=1)
"""How often a condition is looked at when no change has called for it: scores fall by time alone."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Where an enrollment stands next: on `step`, until `at`.

    `send` when that is a mail, `act` when it is a step to be done before it goes on, `reason` when it has left,
    `limit_at` when it waits for a condition: then it is looked at again at `at`.
    """

    state: State
    step: str | None
    at: datetime
    send: Send | None = None
    act: Branch | TagStep | Notify | Wait | None = None
    reason: str | None = None
    limit_at: datetime | None = None

    @property
    def waits_until(self) -> datetime | None:
        """When a waiting enrollment goes on; None for any other."""
        return self.at if self.state == "active" and self.send is None else None


def plan(definition: Definition, step: Step | None, at: datetime, moment: datetime, zone: str) -> Plan:
    """Go on from `step`, reached at `at`; waits that are over at `moment` are passed. `zone` is the candidate's."""
    while step is not None:
        if isinstance(step, Send):
            return Plan("active", step.key, at, send=step)
        if isinstance(step, Branch | TagStep | Notify) or (isinstance(step, Wait) and step.until is not None):
            return Plan("active", step.key, at, act=step)
        if isinstance(step, Exit):
            return Plan("exited", step.key, at, reason=step.reason)
        if isinstance(step, Wait):
            at = end_of(step, at, zone)
            if at > moment:
                return Plan("active", step.key, at)
        step = words.following(definition, step.key)
    return Plan("completed", None, at)


def after_branch(definition: Definition, branch: Branch, *, holds: bool) -> Step | None:
    """Return the first step of the list that is taken, or what follows the branch when that is empty."""
    taken = branch.then if holds else branch.else_
    return taken[0] if taken else words.following(definition, branch.key)


def limit_of(wait: Wait, since: datetime) -> datetime:
    """Return when a wait for a condition that began at `since` ends at the latest."""
    return since + schedule.duration(wait.limit or "PT0S")


def after_condition(
    definition: Definition, wait: Wait, moment: datetime, limit_at: datetime, zone: str, *, holds: bool
) -> Plan:
    """Go on from a wait whose condition `holds` at `moment`, or whose limit is over; else wait on."""
    if not holds and moment < limit_at:
        return Plan("active", wait.key, min(limit_at, moment + LOOK_AGAIN), limit_at=limit_at)
    if not holds and wait.on_limit == "exit":
        return Plan("exited", wait.key, limit_at, reason=WAIT_LIMIT)
    reached = moment if holds else limit_at
    return plan(definition, words.following(definition, wait.key), reached, moment, zone)


def end_of(wait: Wait, since: datetime, zone: str) -> datetime:
    """Return when a wait for a time, begun at `since`, is over; `zone` is the candidate's."""
    if wait.until_local is not None:
        return schedule.next_local(since, wait.until_local.time, wait.until_local.weekdays, zone)
    return since + schedule.duration(wait.for_ or "PT0S")
