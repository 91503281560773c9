from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from app.connectors import generic
from app.connectors.generic import GenericSettings
from app.connectors.signals import ExternalId, Parsed, Request, Signal
from app.kit import json

NOW = datetime(2026, 11, 23, tzinfo=UTC)
CHOSEN: dict[str, Any] = {
    "header": "X-Token",
    "mapping": {
        "items": "/events",
        "external_id": "/id",
        "type": "/what",
        "occurred_at": "/at",
        "email": "/who/mail",
        "phone": "/who/phone",
        "person": "/who/person",
        "topics": "/tags",
        "data": "/more",
    },
    "types": {"came": "event_attended", "liked": "custom:liked"},
}
SECRET = "0123456789abcdef"


def stored(**changes: Any) -> dict[str, Any]:
    return GenericSettings.model_validate(CHOSEN | changes).model_dump(mode="json", exclude_none=True)


def parsed(*items: Any, **changes: Any) -> Parsed:
    return generic.parse({}, json.dumpb({"events": list(items)}), stored(**changes))


def item(**members: Any) -> dict[str, Any]:
    known = {"id": 7, "what": "came", "at": "2026-11-23T09:00:00+09:00", "who": {"mail": "a@example.com"}}
    return known | members


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"x-token": SECRET}, None),
        ({"x-token": SECRET + "x"}, "bad_signature"),
        ({"x-token": "é"}, "bad_signature"),
        ({}, "missing_signature"),
    ],
)
def test_one_header_is_the_secret(headers: dict[str, str], reason: str | None) -> None:
    request = Request("POST", "https://example.test", headers, b"")
    assert generic.verify(request, ["another secret..", SECRET], NOW, {}, stored()).reason == reason


@pytest.mark.parametrize(
    "secret", ["", "with a line\r\nbreak....", "０１２３４５６７８９０１２３４５", " 0123456789abcdef"]
)
def test_a_secret_must_fit_a_header(secret: str) -> None:
    assert not generic.accepts_secret(secret)
    assert generic.accepts_secret(SECRET)


@pytest.mark.parametrize(
    "change",
    [
        {"header": "a b"},
        {"types": {"came": "invented"}},
        {"types": {"came": "custom:UPPER"}},
        {"mapping": {"type": "/a"}},
        {"mapping": CHOSEN["mapping"] | {"type": "what"}},
        {"mapping": CHOSEN["mapping"] | {"type": "/~2"}},
    ],
)
def test_settings_are_strict(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        stored(**change)


def test_an_item_is_read_by_its_pointers() -> None:
    whole = item(
        who={"mail": "a@example.com", "phone": "+819012345678", "person": {"source": "crm", "id": "9"}},
        tags=["python", "python", 3],
        more={"event": {"id": "m"}},
    )
    assert parsed(whole).signals == (
        Signal(
            type="event_attended",
            occurred_at=NOW,
            external_id="7",
            email="a@example.com",
            phone="+819012345678",
            person=ExternalId("crm", "9"),
            topics=("python",),
            data={"event": {"id": "m"}},
        ),
    )


@pytest.mark.parametrize(
    "written", ["2026-11-23T00:00:00Z", 1_795_392_000, "1795392000", 1_795_392_000_000, 1_795_392_000.0]
)
def test_times(written: Any) -> None:
    assert parsed(item(at=written)).signals[0].occurred_at == NOW


@pytest.mark.parametrize(
    "change",
    [
        {"at": "2026-11-23T00:00:00"},
        {"at": None},
        {"at": True},
        {"at": "9999-12-31T23:59:59-01:00"},
        {"what": 3},
        {"more": {"a": "\0"}},
    ],
)
def test_what_cannot_be_read_is_counted(change: dict[str, Any]) -> None:
    assert parsed(item(**change)) == Parsed(unreadable=1)


def test_types_that_are_not_named_are_ignored() -> None:
    assert parsed(item(what="left"), item(what="liked")).ignored == 1


def test_without_an_id_the_item_names_itself() -> None:
    (one,), (two,), (other,) = (
        parsed(each).signals for each in (item(id=None), dict(reversed(item(id=None).items())), item(id=None, more={}))
    )
    assert one.external_id == two.external_id != other.external_id


def test_without_items_the_body_is_the_event() -> None:
    mapping = {name: at for name, at in CHOSEN["mapping"].items() if name not in {"items", "external_id"}}
    found = generic.parse({}, json.dumpb(item()), stored(mapping=mapping))
    assert [each.email for each in found.signals] == ["a@example.com"]
    whole = {**CHOSEN["mapping"], "items": ""}
    assert len(generic.parse({}, json.dumpb([item(), item()]), stored(mapping=whole)).signals) == 2


@pytest.mark.parametrize(
    ("pointer", "found"),
    [
        ("", {"a/b": [1, {"~": 2}], "": 3}),
        ("/a~1b/0", 1),
        ("/a~1b/1/~0", 2),
        ("/", 3),
        ("/a~1b/7", None),
        ("/a~1b/x", None),
        ("/no/no", None),
    ],
)
def test_pointers(pointer: str, found: Any) -> None:
    assert generic.resolve({"a/b": [1, {"~": 2}], "": 3}, pointer) == found


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["id", "at", "what", "who"]), inner),
    max_leaves=8,
)


@settings(max_examples=150)
@given(
    items=st.lists(
        JSON
        | st.fixed_dictionaries(
            {"what": st.just("came"), "at": JSON}, optional={"who": JSON, "more": JSON, "tags": JSON, "id": JSON}
        ),
        max_size=5,
    )
)
def test_no_item_makes_it_raise_and_each_is_counted(items: list[Any]) -> None:
    found = parsed(*items)
    assert len(found.signals) + found.ignored + found.unreadable == len(items)
