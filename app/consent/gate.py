"""The gate: may this person be contacted now? One function over plain facts; every door asks this one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from app.consent import ledger, window
from app.consent.ledger import State, Statement
from app.consent.window import Calendar, Window

Answer = Literal["allow", "deny", "not_before"]

RULE_VERSION: Final = 1
"""Rises with every change of a rule or a constant of this file, so that a kept decision names what it was judged by."""
COOLING_OFF: Final = timedelta(days=90)
"""How long a rejected person is left alone. Our choice, no rule of law: a quarter is long enough that the next mail is
not read as an answer to the application, and short enough for the openings of the next season."""
REST: Final = {"slow": timedelta(days=30), "stop": timedelta(days=365)}
"""How long after the last mail a person who gives no human sign is left alone: a mail a month, or none for a year."""
VALID_FOR: Final = timedelta(minutes=15)
"""How long an answer may be relied on before the question is to be asked again."""
NEVER: Final = timedelta(days=window.HORIZON_DAYS)
"""When windows that exclude each other are said to open: later than anything waits."""
TRANSACTIONAL: Final = frozenset({"service"})
"""Purposes of mail that a person needs for a dealing under way (a date of an interview): it advertises nothing, so an
unsubscription, a live selection and the cooling-off do not silence it. It needs its own basis like any other."""
BY_SUPPRESSION: Final = {
    "manual": "suppressed",
    "hard_bounce": "address_bounced",
    "complaint": "complained",
    "erased": "erased",
}
BY_STANDING: Final = {"missing": "consent_missing", "withdrawn": "consent_withdrawn", "expired": "consent_expired"}


@dataclass(frozen=True, slots=True)
class Block:
    """One suppression that holds for the person on the channel asked for; `since` is when it was last made."""

    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Use:
    """One contact that counts, and when the person answered it."""

    counted_at: datetime
    human_sign_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `most` contacts in any `days` times 24 hours."""

    most: int
    days: int


@dataclass(frozen=True, slots=True)
class Guard:
    """After `after` contacts in a row without a human sign, contacts slow down or stop."""

    after: int
    action: Literal["slow", "stop"]


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that is asked about one contact.

    `today` is the date of `at` in the tenant's zone; `retention_expires_on` is the last day on which the person may be
    kept; `uses` are newest first and not after `at`; `leased_until` is the end of a lease that somebody else holds.
    """

    channel: str
    purpose: str
    at: datetime
    today: date
    calendar: Calendar
    statements: Sequence[Statement] = ()
    blocks: Sequence[Block] = ()
    is_gone: bool = False
    has_address: bool = True
    is_bounced: bool = False
    retention_expires_on: date | None = None
    live_selection_at: datetime | None = None
    rejected_at: datetime | None = None
    last_interaction_at: datetime | None = None
    windows: Sequence[Window] = ()
    cap: Cap | None = None
    guard: Guard | None = None
    uses: Sequence[Use] = ()
    leased_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Delay:
    code: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer with the codes of all its reasons; `not_before` is the first allowed instant, if there is one."""

    answer: Answer
    codes: tuple[str, ...]
    not_before: datetime | None
    consent_id: UUID | None
    expires_at: datetime


def judge(case: Case) -> Verdict:
    """Answer one question: a denial beats a delay, and a delay ends when the last of its causes has."""
    state = ledger.state(case.statements, case.purpose, case.channel, case.at)
    denials, delays = denials_of(case), tuple(_delays(case))
    codes = (*denials, *dict.fromkeys(delay.code for delay in delays))
    statement = state.statement
    consent_id = statement.id if statement is not None else None
    if denials:
        return Verdict("deny", codes, None, consent_id, case.at + VALID_FOR)
    if delays:
        until = _first_allowed(case, max(delay.until for delay in delays))
        return Verdict("not_before", codes, until, consent_id, _relied_on_until(case, state))
    basis = (statement.basis or "") if statement is not None else ""
    return Verdict("allow", (basis,), None, consent_id, _relied_on_until(case, state))


def denials_of(case: Case) -> tuple[str, ...]:
    """Return the code of every cause that forbids the contact, each once."""
    return tuple(dict.fromkeys([*_denials_by_person(case), *_denials_by_state(case)]))


def is_unsubscribed(case: Case) -> bool:
    """Whether an unsubscription from the channel stands, which no newer grant has lifted."""
    lifted = ledger.lifted_at(case.statements, case.channel)
    return any(block.reason == "unsubscribed" and (lifted is None or lifted <= block.since) for block in case.blocks)


def _denials_by_person(case: Case) -> Iterator[str]:
    standing = ledger.state(case.statements, case.purpose, case.channel, case.at).standing
    if standing != "granted":
        yield BY_STANDING[standing]
    if is_unsubscribed(case) and not _is_transactional(case):
        yield "unsubscribed"
    yield from (BY_SUPPRESSION[block.reason] for block in case.blocks if block.reason != "unsubscribed")


def _denials_by_state(case: Case) -> Iterator[str]:
    if case.is_gone:
        yield "erased"
    if not case.has_address:
        yield "no_address"
    elif case.is_bounced:
        yield "address_bounced"
    if case.retention_expires_on is not None and case.retention_expires_on < case.today:
        yield "retention_expired"
    if case.live_selection_at is not None and case.live_selection_at <= case.at and not _is_transactional(case):
        yield "live_selection"


def _delays(case: Case) -> Iterator[Delay]:
    waits = {
        "frequency_cap": _cap_ends(case),
        "cooling_off": _cooling_off_ends(case),
        "leased": case.leased_until,
        "fatigue": _fatigue_ends(case),
    }
    yield from (Delay(code, until) for code, until in waits.items() if until is not None and until > case.at)
    opening = _first_allowed(case, case.at)
    if not window.is_in_hours(case.at, case.windows, case.calendar):
        yield Delay("outside_window", opening)
    if opening > case.at and window.is_on_holiday(case.at, case.windows, case.calendar):
        yield Delay("public_holiday", opening)


def _cap_ends(case: Case) -> datetime | None:
    if case.cap is None:
        return None
    span = timedelta(days=case.cap.days)
    counted = [use for use in case.uses if use.counted_at > case.at - span]
    return counted[case.cap.most - 1].counted_at + span if len(counted) >= case.cap.most else None


def _cooling_off_ends(case: Case) -> datetime | None:
    if case.rejected_at is None or case.rejected_at > case.at or _is_transactional(case):
        return None
    return case.rejected_at + COOLING_OFF


def _fatigue_ends(case: Case) -> datetime | None:
    if case.guard is None:
        return None
    signs = [case.last_interaction_at, *(use.human_sign_at for use in case.uses)]
    last_sign = max((sign for sign in signs if sign is not None), default=None)
    unanswered = [use for use in case.uses if last_sign is None or use.counted_at > last_sign]
    if len(unanswered) < case.guard.after:
        return None
    return unanswered[0].counted_at + REST[case.guard.action]


def _first_allowed(case: Case, moment: datetime) -> datetime:
    return window.next_opening(moment, case.windows, case.calendar) or case.at + NEVER


def _relied_on_until(case: Case, state: State) -> datetime:
    expiry = state.statement.expires_at if state.statement is not None else None
    return min(case.at + VALID_FOR, expiry) if expiry is not None else case.at + VALID_FOR


def _is_transactional(case: Case) -> bool:
    return case.purpose in TRANSACTIONAL


def local_date(at: datetime, zone: str) -> date:
    """Return the date of `at` in the IANA zone `zone`."""
    return at.astimezone(ZoneInfo(zone)).date()
