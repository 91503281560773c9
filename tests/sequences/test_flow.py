"""Which step follows which."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.kit.ids import new_id
from app.sequences import definition as words
from app.sequences import flow
from app.sequences.definition import Definition

AT = datetime(2026, 11, 23, tzinfo=UTC)


def send(key: str) -> dict[str, Any]:
    return {"key": key, "type": "send", "template_id": str(new_id())}


def wait(key: str, length: str) -> dict[str, Any]:
    return {"key": key, "type": "wait", "for": length}


def branch(key: str, then: list[Any], otherwise: list[Any]) -> dict[str, Any]:
    tree = {"field": "tags", "op": "has", "value": "x"}
    return {"key": key, "type": "branch", "if": tree, "then": then, "else": otherwise}


def of(*steps: dict[str, Any]) -> Definition:
    return Definition.model_validate({"steps": steps})


def test_a_branch_is_left_to_what_follows_it() -> None:
    made = of(branch("b", [send("x"), branch("c", [send("y")], [])], [send("z")]), send("end"))
    follows = {key: getattr(words.following(made, key), "key", None) for key in ("b", "x", "c", "y", "z", "end")}
    assert follows == {"b": "end", "x": "c", "c": "end", "y": "end", "z": "end", "end": None}


def test_waits_that_are_over_are_passed_and_the_mail_is_due_when_they_ended() -> None:
    made = of(wait("a", "PT1H"), wait("b", "PT2H"), send("mail"))
    plan = flow.plan(made, words.first(made), AT, AT + timedelta(hours=9), "UTC")
    assert (plan.step, plan.at) == ("mail", AT + timedelta(hours=3))
    early = flow.plan(made, words.first(made), AT, AT + timedelta(minutes=61), "UTC")
    assert (early.step, early.waits_until, early.send) == ("b", AT + timedelta(hours=3), None)


def test_the_end_and_an_exit_are_told_apart() -> None:
    made = of({"key": "out", "type": "exit", "reason": "enough"})
    plan = flow.plan(made, words.first(made), AT, AT, "UTC")
    assert (plan.state, plan.reason) == ("exited", "enough")
    assert flow.plan(made, None, AT, AT, "UTC").state == "completed"


@given(st.lists(st.sampled_from(["PT1S", "P1D", "PT0S"]), max_size=8), st.integers(0, 10**6))
def test_going_on_in_two_goes_is_going_on_in_one(lengths: list[str], seconds: int) -> None:
    made = of(*(wait(f"w{index}", length) for index, length in enumerate(lengths)), send("mail"))
    late = AT + timedelta(seconds=seconds)
    once = flow.plan(made, words.first(made), AT, late, "UTC")
    plan = flow.plan(made, words.first(made), AT, AT, "UTC")
    while plan.waits_until is not None and plan.waits_until <= late:
        plan = flow.plan(made, words.following(made, plan.step or ""), plan.waits_until, late, "UTC")
    assert (plan.step, plan.at) == (once.step, once.at)
