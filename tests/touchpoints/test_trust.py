from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.touchpoints.trust import Evidence, Judgement, judge

T0 = datetime(2026, 11, 1, tzinfo=UTC)


def signal(id_: str, type_: str = "email_clicked", after: float = 100, **more: Any) -> Evidence:
    given: dict[str, Any] = {"agent": "browser"} | more
    return Evidence(id_, type_, T0 + timedelta(seconds=after), **given)


DELIVERED = signal("delivered", "email_delivered", 0)


def alone(**more: Any) -> Judgement:
    return judge([DELIVERED, signal("it", **more)])["it"]


@pytest.mark.parametrize(
    ("given", "actor", "reasons"),
    [
        ({}, "human", ("browser_agent",)),
        ({"agent": "mail_program"}, "human", ("mail_program_agent",)),
        ({"provider_flag": "machine"}, "machine", ("provider_says_machine",)),
        ({"agent": "bare_mozilla", "type_": "email_opened"}, "machine", ("bare_mozilla_agent",)),
        ({"agent": "empty"}, "machine", ("empty_agent",)),
        ({"agent": "scanner"}, "machine", ("scanner_agent",)),
        ({"method": "head", "type_": "page_viewed"}, "machine", ("head_request",)),
        ({"after": 5}, "machine", ("click_at_delivery",)),
        ({"after": 5.001}, "human", ("browser_agent",)),
        ({"after": 0}, "machine", ("click_at_delivery",)),
        ({"after": -1}, "human", ("browser_agent",)),
        ({"after": 1, "type_": "email_opened"}, "human", ("browser_agent",)),
        ({"agent": "image_proxy", "type_": "email_opened"}, "unknown", ("image_proxy",)),
        ({"provider_flag": "image_proxy", "type_": "email_opened"}, "unknown", ("image_proxy",)),
        ({"agent": "none"}, "unknown", ("no_agent",)),
        ({"agent": "other"}, "unknown", ("unfamiliar_agent",)),
        ({"agent": "none", "after": 2}, "machine", ("click_at_delivery",)),
        (
            {"agent": "scanner", "method": "head", "after": 2},
            "machine",
            ("scanner_agent", "head_request", "click_at_delivery"),
        ),
        ({"type_": "email_unsubscribed", "agent": "scanner", "method": "head"}, "human", ("deed",)),
        ({"type_": "event_attended", "agent": "none"}, "human", ("deed",)),
        ({"type_": "custom:visit", "provider_flag": "machine"}, "human", ("deed",)),
    ],
)
def test_one_signal(given: dict[str, Any], actor: str, reasons: tuple[str, ...]) -> None:
    found = alone(**given)
    assert (found.actor, found.reasons) == (actor, reasons)


def test_a_late_delivery_changes_the_judgement() -> None:
    click = signal("it", after=3)
    assert judge([click])["it"] == Judgement("human", ("browser_agent",), None)
    assert judge([click, DELIVERED])["it"] == Judgement("machine", ("click_at_delivery",), 3.0)


@pytest.mark.parametrize(
    ("clicks", "machines"),
    [
        ([("a", 100), ("b", 101), ("c", 102)], {"0", "1", "2"}),
        ([("a", 100), ("b", 101), ("c", 102.001)], set()),
        ([("a", 100), ("b", 101), ("b", 102)], set()),
        ([("a", 100), ("b", 101), ("c", 102), ("a", 200)], {"0", "1", "2"}),
        ([(None, 100), ("b", 101), ("c", 102)], set()),
    ],
)
def test_three_links_within_two_seconds(clicks: list[tuple[str | None, float]], machines: set[str]) -> None:
    found = judge(signal(str(i), url=url, after=after) for i, (url, after) in enumerate(clicks))
    assert {id_ for id_, each in found.items() if each.actor == "machine"} == machines


@settings(max_examples=100)
@given(data=st.data())
def test_the_order_of_arrival_changes_nothing(data: st.DataObject) -> None:
    several = st.builds(
        signal,
        st.integers(0, 99).map(str),
        st.sampled_from(["email_clicked", "email_opened", "email_delivered"]),
        st.integers(0, 20),
        url=st.sampled_from(["a", "b", "c", None]),
        agent=st.sampled_from(["browser", "none", "empty"]),
    )
    signals = data.draw(st.lists(several, unique_by=lambda each: each.id, max_size=12))
    assert judge(data.draw(st.permutations(signals))) == judge(signals)
