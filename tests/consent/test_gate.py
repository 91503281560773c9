"""The gate: each code by the fact that causes it, and the laws that hold for all facts."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.consent.gate import (
    BY_STANDING,
    BY_SUPPRESSION,
    COOLING_OFF,
    NEVER,
    REST,
    VALID_FOR,
    Block,
    Cap,
    Case,
    Guard,
    Use,
    denials_of,
    judge,
)
from app.consent.ledger import Statement
from app.consent.reasons import DETAILS, explain
from app.consent.window import Calendar, Window, is_open

NOW: Final = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)  # Friday noon in Tokyo
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
GRANT: Final = Statement(UUID(int=1), "talent_pool", "email", "granted", "consent", NOW - 9 * DAY)
FREE: Final = Case("email", "talent_pool", NOW, date(2026, 11, 20), Calendar("Asia/Tokyo", "JP"), statements=(GRANT,))
OFFICE: Final = (Window(frozenset(range(5)), 540, 1080),)
NIGHT: Final = (Window(frozenset(range(5)), 1320, 1380),)
USES: Final = (Use(NOW - HOUR), Use(NOW - DAY), Use(NOW - 6 * DAY))

DENIALS: Final[dict[str, dict[str, Any]]] = {
    "consent_missing": {"statements": ()},
    "consent_withdrawn": {"statements": (replace(GRANT, status="withdrawn"),)},
    "consent_expired": {"statements": (replace(GRANT, expires_at=NOW),)},
    "unsubscribed": {"blocks": (Block("unsubscribed", NOW),)},
    "suppressed": {"blocks": (Block("manual", NOW),)},
    "complained": {"blocks": (Block("complaint", NOW),)},
    "address_bounced": {"is_bounced": True},
    "no_address": {"has_address": False},
    "erased": {"is_gone": True},
    "retention_expired": {"retention_expires_on": date(2026, 11, 19)},
    "live_selection": {"live_selection_at": NOW},
}
DELAYS: Final[dict[str, tuple[dict[str, Any], datetime]]] = {
    "frequency_cap": ({"cap": Cap(2, 7), "uses": USES}, NOW - DAY + 7 * DAY),
    "outside_window": ({"windows": NIGHT}, NOW + 10 * HOUR),
    "cooling_off": ({"rejected_at": NOW - DAY}, NOW - DAY + COOLING_OFF),
    "leased": ({"leased_until": NOW + HOUR}, NOW + HOUR),
    "fatigue": ({"guard": Guard(3, "slow"), "uses": USES}, NOW - HOUR + REST["slow"]),
}


@pytest.mark.parametrize("code", DENIALS)
def test_each_cause_denies_by_its_code(code: str) -> None:
    verdict = judge(replace(FREE, **DENIALS[code]))
    assert (verdict.answer, verdict.codes, verdict.not_before) == ("deny", (code,), None)


@pytest.mark.parametrize("code", DELAYS)
def test_each_cause_delays_until_it_ends(code: str) -> None:
    facts, until = DELAYS[code]
    case = replace(FREE, **facts)
    verdict = judge(case)
    assert (verdict.answer, verdict.codes, verdict.not_before) == ("not_before", (code,), until)
    if code != "fatigue":
        assert judge(replace(case, at=until)).answer == "allow"


def test_a_public_holiday_delays_to_the_next_working_day() -> None:
    verdict = judge(replace(FREE, at=NOW + 3 * DAY, windows=OFFICE))
    assert (verdict.codes, verdict.not_before) == (("public_holiday",), datetime(2026, 11, 24, 0, tzinfo=UTC))
    evening = judge(replace(FREE, at=NOW + 3 * DAY + 9 * HOUR, windows=OFFICE))
    assert evening.codes == ("outside_window", "public_holiday")


@pytest.mark.parametrize(
    "basis", ["consent", "existing_dealings", "written_notice", "published_address", "legitimate_interest"]
)
def test_every_basis_allows_and_is_the_reason(basis: str) -> None:
    verdict = judge(replace(FREE, statements=(replace(GRANT, basis=basis),)))
    assert (verdict.answer, verdict.codes, verdict.consent_id) == ("allow", (basis,), GRANT.id)
    assert verdict.expires_at == NOW + VALID_FOR


def test_an_answer_is_not_relied_on_beyond_the_consent() -> None:
    soon = NOW + timedelta(minutes=1)
    assert judge(replace(FREE, statements=(replace(GRANT, expires_at=soon),))).expires_at == soon


def test_all_reasons_are_listed_and_deny_beats_not_before() -> None:
    verdict = judge(replace(FREE, is_gone=True, has_address=False, rejected_at=NOW - DAY, leased_until=NOW + HOUR))
    assert verdict.answer == "deny"
    assert verdict.codes == ("erased", "no_address", "cooling_off", "leased")


def test_not_before_is_the_first_allowed_instant() -> None:
    verdict = judge(replace(FREE, leased_until=NOW + 9 * HOUR, windows=OFFICE))
    assert verdict.codes == ("leased",)
    assert verdict.not_before == datetime(2026, 11, 24, 0, tzinfo=UTC), "the lease ends on Friday evening"


def test_the_cap_counts_exactly_its_days() -> None:
    one = Cap(1, 7)
    assert judge(replace(FREE, cap=one, uses=(Use(NOW - 7 * DAY),))).answer == "allow"
    inside = judge(replace(FREE, cap=one, uses=(Use(NOW - 7 * DAY + HOUR),)))
    assert inside.not_before == NOW + HOUR


def test_a_human_sign_ends_fatigue() -> None:
    tired = replace(FREE, guard=Guard(3, "stop"), uses=USES)
    assert judge(tired).not_before == NOW - HOUR + REST["stop"]
    assert judge(replace(tired, last_interaction_at=NOW - 2 * DAY)).answer == "allow"
    answered = (*USES[:2], replace(USES[2], human_sign_at=NOW - 5 * DAY))
    assert judge(replace(tired, uses=answered)).answer == "allow"


def test_a_lift_must_be_newer_than_the_unsubscription() -> None:
    lifting = replace(GRANT, lift_suppression=True, purpose="events")
    case = replace(FREE, statements=(GRANT, lifting), blocks=(Block("unsubscribed", lifting.obtained_at),))
    assert judge(case).codes == ("unsubscribed",)
    earlier = Block("unsubscribed", lifting.obtained_at - timedelta(microseconds=1))
    assert judge(replace(case, blocks=(earlier,))).answer == "allow"
    assert judge(replace(case, blocks=(earlier, Block("complaint", earlier.since)))).codes == ("complained",)


def test_transactional_mail_passes_what_only_silences_advertising() -> None:
    service = replace(
        FREE,
        purpose="service",
        blocks=(Block("unsubscribed", NOW),),
        live_selection_at=NOW,
        rejected_at=NOW,
    )
    assert judge(service).codes == ("consent_missing",)
    own = replace(GRANT, purpose="service", basis="existing_dealings")
    assert judge(replace(service, statements=(own,))).answer == "allow"
    assert judge(replace(service, statements=(own,), blocks=(Block("manual", NOW),))).answer == "deny"


def test_the_last_day_of_retention_is_still_permitted() -> None:
    assert judge(replace(FREE, retention_expires_on=FREE.today)).answer == "allow"


def test_windows_that_exclude_each_other_never_open() -> None:
    verdict = judge(replace(FREE, windows=(*OFFICE, *NIGHT)))
    assert (verdict.codes, verdict.not_before) == (("outside_window",), NOW + NEVER)


def test_every_code_has_its_sentence() -> None:
    codes = {*DENIALS, *DELAYS, "public_holiday", *BY_SUPPRESSION.values(), *BY_STANDING.values()}
    assert codes < set(DETAILS)
    assert [reason.detail for reason in explain(["erased"])] == [DETAILS["erased"]]


facts = st.fixed_dictionaries(
    {},
    optional={
        "rejected_at": st.integers(0, 100).map(lambda days: NOW - days * DAY),
        "leased_until": st.integers(-5, 5).map(lambda hours: NOW + hours * HOUR),
        "windows": st.sampled_from([OFFICE, NIGHT, (*OFFICE, *NIGHT)]),
        "cap": st.builds(Cap, st.integers(1, 3), st.integers(1, 7)),
        "guard": st.builds(Guard, st.integers(1, 3), st.sampled_from(["slow", "stop"])),
        "uses": st.just(USES),
        "purpose": st.sampled_from(["talent_pool", "service"]),
    },
)
causes = st.sets(st.sampled_from(sorted(DENIALS)))
STRICTNESS: Final = {"allow": 0, "not_before": 1, "deny": 2}


def compose(base: dict[str, Any], chosen: set[str]) -> Case:
    case = replace(FREE, **base)
    for code in sorted(chosen):
        extra = dict(DENIALS[code])
        extra["blocks"] = (*case.blocks, *extra.get("blocks", ()))
        case = replace(case, **extra)
    return case


@given(facts, causes, st.sampled_from(sorted(DENIALS)))
def test_one_more_cause_never_makes_the_answer_more_permissive(
    base: dict[str, Any], chosen: set[str], added: str
) -> None:
    before, after = judge(compose(base, chosen)), judge(compose(base, chosen | {added}))
    assert STRICTNESS[after.answer] >= STRICTNESS[before.answer]


@given(facts, causes)
def test_the_answer_follows_from_its_reasons(base: dict[str, Any], chosen: set[str]) -> None:
    case = compose(base, chosen)
    verdict = judge(case)
    assert len(set(verdict.codes)) == len(verdict.codes) > 0
    assert verdict.codes[: len(denials_of(case))] == denials_of(case)
    assert (verdict.answer == "deny") == bool(denials_of(case))
    assert (verdict.not_before is not None) == (verdict.answer == "not_before")
    if verdict.not_before is not None and verdict.not_before < NOW + DAY * 300:
        assert verdict.not_before > case.at
        assert is_open(verdict.not_before, case.windows, case.calendar)
