"""Phone numbers: one E.164 for every spelling, the kind of line, dummies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.normalise.phones import parse_phone


@pytest.mark.parametrize(
    "raw",
    [
        "090-2468-1357",
        "09024681357",
        "０９０－２４６８－１３５７",
        "090ー2468ー1357",
        "090−2468‐1357",
        "090 2468 1357",
        "(090)2468-1357",
        "+81 90 2468 1357",
        "+81 (0)90-2468-1357",
        "81-90-2468-1357",
        "9024681357",
        "9024681357.0",
        "tel:+81-90-2468-1357",
    ],
)
def test_spellings_of_one_mobile(raw: str) -> None:
    found = parse_phone(raw)
    assert found is not None
    assert (found.e164, found.kind, found.is_dummy) == ("+819024681357", "mobile", False)


@pytest.mark.parametrize(
    ("raw", "region", "e164", "kind"),
    [
        ("03-3581-1110", "JP", "+81335811110", "fixed"),
        ("0120-444-113", "JP", "+81120444113", "other"),
        ("050-3456-7801", "JP", "+815034567801", "other"),
        ("(415) 555-2671", "US", "+14155552671", "mobile"),
        ("+44 7911 123456", "JP", "+447911123456", "mobile"),
        ("020 7946 0018", "GB", "+442079460018", "fixed"),
    ],
)
def test_lines_of_other_kinds_and_countries(raw: str, region: str, e164: str, kind: str) -> None:
    found = parse_phone(raw, region)
    assert found is not None
    assert (found.e164, found.kind) == (e164, kind)


@pytest.mark.parametrize(
    "raw", ["", "1234", "000-0000-0000", "n/a", "090-2468", "+999 1", "\x00", "\ud800", "1" * 10_000, "090-2468-13579"]
)
def test_what_is_no_number(raw: str) -> None:
    assert parse_phone(raw) is None


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        ("090-0000-0000", "mobile"),
        ("070-0000-0000", "mobile"),
        ("080-1111-1111", "mobile"),
        ("090-1234-5678", "mobile"),
        ("070-8765-4321", "mobile"),
        ("03-0000-0000", "fixed"),
        ("03-1234-5678", "fixed"),
    ],
)
def test_dummies_are_numbers_of_nobody(raw: str, kind: str) -> None:
    found = parse_phone(raw)
    assert found is not None
    assert (found.kind, found.is_dummy) == (kind, True)


def test_an_unknown_region_reads_international_numbers_only() -> None:
    assert parse_phone("09024681357", "XX") is None
    assert parse_phone("+819024681357", "XX") is not None


@given(st.text(st.characters(exclude_categories=()), max_size=40) | st.text("0123456789+-() ー", max_size=16))
def test_reading_what_was_read_changes_nothing(text: str) -> None:
    found = parse_phone(text)
    if found is not None:
        assert parse_phone(found.e164) == found
