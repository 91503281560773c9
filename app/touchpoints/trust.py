"""Who made a signal: a person, a machine, or nobody can tell.

Mail scanners and image proxies open and click too. The judgement is of the *set* of signals of one message and
recipient, so a `delivered` that arrives late changes it, and the order of arrival never does.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, Literal

from app.touchpoints.agents import AgentClass, MethodClass

Actor = Literal["human", "machine", "unknown"]
ProviderFlag = Literal["machine", "image_proxy"]

ACTOR_RULE_VERSION: Final = 1
CLICK_AFTER_DELIVERY: Final = timedelta(seconds=5)
BURST: Final = timedelta(seconds=2)
BURST_LINKS: Final = 3

JUDGED: Final = frozenset({"email_opened", "email_clicked", "page_viewed", "content_downloaded"})
TELLING: Final = frozenset({"email_delivered", "email_clicked"})
"""What is judged together with others of its message and recipient: no other type says anything of them."""
_MACHINE_AGENTS: Final[dict[AgentClass, str]] = {
    "bare_mozilla": "bare_mozilla_agent",
    "empty": "empty_agent",
    "scanner": "scanner_agent",
}
_UNKNOWN_AGENTS: Final[dict[AgentClass, str]] = {
    "image_proxy": "image_proxy",
    "none": "no_agent",
    "other": "unfamiliar_agent",
}


_ANY_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is kept of one signal of a message and recipient; `id` is the caller's own, times are aware."""

    id: str
    type: str
    occurred_at: datetime
    url: str | None = None
    provider_flag: ProviderFlag | None = None
    agent: AgentClass = "none"
    method: MethodClass = "none"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with its named reasons; the seconds are since the last delivery before the signal."""

    actor: Actor
    reasons: tuple[str, ...]
    seconds_since_delivery: float | None


def judge(signals: Iterable[Evidence]) -> dict[str, Judgement]:
    """Judge all signals of one message and recipient, by their ids.

    A machine is: what the provider says is one; a bare `Mozilla/5.0`, an empty or a scanner's agent; HEAD; a click
    at most 5 s after the delivery; a click among those on three or more links within 2.0 s. An image proxy or no agent
    leaves it unknown. Types that only a deed can make are human.
    """
    together = sorted(signals, key=lambda each: (each.occurred_at, each.id))
    deliveries = [each.occurred_at for each in together if each.type == "email_delivered"]
    bursts = _bursts([each for each in together if each.type == "email_clicked"])
    return {each.id: _judged(each, _since(each, deliveries), in_burst=each.id in bursts) for each in together}


@lru_cache(maxsize=1024)
def judge_alone(type_: str, flag: ProviderFlag | None, agent: AgentClass, method: MethodClass) -> Judgement:
    """Judge a signal that is the only one of its message and recipient."""
    signal = Evidence("", type_, _ANY_TIME, provider_flag=flag, agent=agent, method=method)
    return _judged(signal, None, in_burst=False)


def _judged(signal: Evidence, since: timedelta | None, *, in_burst: bool) -> Judgement:
    seconds = None if since is None else since.total_seconds()
    if signal.type not in JUDGED:
        return Judgement("human", ("deed",), seconds)
    if reasons := tuple(_machine_signs(signal, since, in_burst=in_burst)):
        return Judgement("machine", reasons, seconds)
    if signal.provider_flag == "image_proxy":
        return Judgement("unknown", ("image_proxy",), seconds)
    if reason := _UNKNOWN_AGENTS.get(signal.agent):
        return Judgement("unknown", (reason,), seconds)
    return Judgement("human", (f"{signal.agent}_agent",), seconds)


def _machine_signs(signal: Evidence, since: timedelta | None, *, in_burst: bool) -> Iterable[str]:
    if signal.provider_flag == "machine":
        yield "provider_says_machine"
    if reason := _MACHINE_AGENTS.get(signal.agent):
        yield reason
    if signal.method == "head":
        yield "head_request"
    if signal.type == "email_clicked" and since is not None and since <= CLICK_AFTER_DELIVERY:
        yield "click_at_delivery"
    if in_burst:
        yield "many_links_at_once"


def _since(signal: Evidence, deliveries: Sequence[datetime]) -> timedelta | None:
    place = bisect_right(deliveries, signal.occurred_at)
    return signal.occurred_at - deliveries[place - 1] if place else None


def _bursts(clicks: Sequence[Evidence]) -> set[str]:
    """Give the ids of clicks that lie in some 2.0 s with three or more different links."""
    found: set[str] = set()
    times = [each.occurred_at for each in clicks]
    for first, time in enumerate(times):
        window = clicks[first : _end_of_burst(times, time)]
        if len({each.url for each in window if each.url}) >= BURST_LINKS:
            found.update(each.id for each in window)
    return found


def _end_of_burst(times: Sequence[datetime], begin: datetime) -> int:
    """Give the place after the last of `times` within 2.0 s; differences, for a sum could leave the calendar."""
    return bisect_right(times, BURST, key=lambda each: each - begin)
