"""What a hook takes and gives: the words that every provider's file shares."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol
from uuid import UUID

ProviderFlag = Literal["machine", "image_proxy"]

_EARLIEST = 1  # seconds of Unix time; 0 is what senders write for "unknown"
_LATEST = 253_402_300_799  # the last second of the year 9999
_FIRST_YEAR, _LAST_YEAR = 1, 9999  # not taken themselves, so that every offset leads to a year that there is


@dataclass(frozen=True, slots=True)
class Request:
    """One call of a hook; `url` is the connection's own with the received query, header names are lower-case."""

    method: str
    url: str
    headers: Mapping[str, str]
    raw: bytes


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it arrived at the door; `raw` is None when the body was larger than is taken."""

    query: str
    headers: Mapping[str, str]
    raw: bytes | None


@dataclass(frozen=True, slots=True)
class Kept:
    """A delivery that is to be read, for the `attempts`-th time; `status` is what it was before."""

    id: UUID
    raw: bytes
    headers: Mapping[str, str]
    attempts: int = 1
    status: str = "stored"


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What became of a delivery."""

    status: str
    reason: str | None = None
    signals: int = 0
    unreadable: int = 0
    touchpoint_ids: Sequence[UUID] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a sender wants to read, in place of 204, once its call is stored."""

    status: int
    body: bytes = b""
    media_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a call is authentic; `reason` names why not.

    Not ok with a `certificate` means: not yet, fetch that address (anew) and ask again. `confirm` is to be fetched once
    before the call is stored. `call_id` names the call in place of its bytes, so that another call with it is a repeat.
    """

    ok: bool
    reason: str | None = None
    answer: Answer | None = None
    call_id: str | None = None
    certificate: str | None = None
    confirm: str | None = None


@dataclass(slots=True)  # as a signal not frozen, which costs as much again: they go by the thousand
class Evidence:
    """What tells a person from a machine; judged, then dropped. An agent of None was not given, "" was empty."""

    provider_flag: ProviderFlag | None = None
    user_agent: str | None = None
    ip: str | None = None
    method: str | None = None


@dataclass(frozen=True, slots=True)
class ExternalId:
    source: str
    id: str


@dataclass(slots=True)
class Signal:
    """One touchpoint to be; `external_id` is the dedupe key, of whom it tells is an e-mail, a phone or a person."""

    type: str
    occurred_at: datetime
    external_id: str
    email: str | None = None
    phone: str | None = None
    person: ExternalId | None = None
    topics: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    evidence: Evidence = field(default_factory=Evidence)
    profile: Mapping[str, Any] = field(default_factory=dict)
    """What the person said of themselves, as fields of a candidate."""
    mail: str | None = None
    """What names the mail to its provider, where its signals do not share one `message_id`."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a delivery says; `ignored` and `unreadable` count the items that became no signal.

    `fetch` is the path at the provider's own API where all the rest is to be read.
    """

    signals: tuple[Signal, ...] = ()
    ignored: int = 0
    unreadable: int = 0
    fetch: str | None = None


class Provider(Protocol):
    """The face of a provider's module."""

    def verify(
        self,
        request: Request,
        secrets: Sequence[str],
        now: datetime,
        certificates: Mapping[str, bytes],
        settings: Mapping[str, Any],
    ) -> Verdict: ...

    def parse(self, headers: Mapping[str, str], raw: bytes, settings: Mapping[str, Any]) -> Parsed: ...


def within_tolerance(signed_at: datetime, now: datetime, settings: Mapping[str, Any], default: timedelta) -> bool:
    """Say whether a signed time is near enough, past or future; `settings.tolerance_s` overrides the default."""
    tolerance = float(settings.get("tolerance_s", default.total_seconds()))
    return abs((now - signed_at).total_seconds()) <= tolerance


def timely(
    signed_at: datetime | None,
    now: datetime,
    settings: Mapping[str, Any],
    default: timedelta,
    call_id: str | None = None,
) -> Verdict:
    """Return the verdict on a call whose signature is good: it still depends on when it was signed."""
    if signed_at is None or not within_tolerance(signed_at, now, settings, default):
        return Verdict(ok=False, reason="outside_tolerance")
    return Verdict(ok=True, call_id=call_id)


def unix_time(value: object) -> datetime | None:
    """Read seconds since 1970, a number or its digits; None when it is no time up to the year 9999."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len(str(_LATEST)):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not _EARLIEST <= value <= _LATEST:
        return None
    return datetime.fromtimestamp(value, UTC)


def written_time(value: object) -> datetime | None:
    """Read RFC 3339 with an offset; None when it is no time that UTC has, up to the year 9998."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    offset = moment.utcoffset() if moment else None
    if moment is None or offset is None or abs(offset) >= timedelta(days=1):
        return None
    return moment if _FIRST_YEAR < moment.year < _LAST_YEAR else None


def text(item: Mapping[str, Any], key: str) -> str | None:
    """Read a text that can be stored; what is empty, no text, or holds NUL is None."""
    value = item.get(key)
    return value if isinstance(value, str) and value and "\0" not in value else None


def present(**members: object) -> dict[str, Any]:
    """Keep the members that are known."""
    return {key: value for key, value in members.items() if value is not None}
