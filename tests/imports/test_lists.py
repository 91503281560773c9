"""Lists of people at an event: which column holds what, and what a word in it means."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.imports import attendance
from app.imports.columns import HEADERS
from app.imports.happening import Event

EVENT = Event("77", "検索の夜", datetime(2026, 6, 20, 10, tzinfo=UTC), date(2026, 6, 20), topics=("search",))
PEATIX = [
    "販売ID",
    "参加者名",
    "チケット名",
    "ステータス",
    "注文日時",
    "氏名",
    "メール",
    "個人情報の利用に同意しますか？",
]


@pytest.mark.parametrize(
    ("provider", "header", "meaning"),
    [
        (
            "peatix",
            PEATIX,
            {
                "販売ID": None,
                "参加者名": "full_name_kana",
                "チケット名": None,
                "ステータス": "registration",
                "注文日時": "registered_on",
                "個人情報の利用に同意しますか？": "consented",
            },
        ),
        ("peatix", ["Attendee name", "Sales ID", "Status"], {
            "Attendee name": "full_name", "Sales ID": None, "Status": "registration",
        }),
        ("peatix", ["同意日"], {}),
        ("doorkeeper", ["氏名", "申込日時", "チェックイン日時"], {
            "申込日時": "registered_on", "チェックイン日時": "attendance",
        }),
        ("connpass", ["ユーザー名", "表示名", "参加ステータス", "出欠ステータス"], {
            "ユーザー名": "external_ids", "表示名": "other_names", "参加ステータス": "registration",
            "出欠ステータス": "attendance",
        }),
    ],
)  # fmt: skip
def test_the_columns_of_each_tool_are_known(provider: str, header: list[str], meaning: dict[str, str | None]) -> None:
    assert attendance.mapping_of(provider, header) == meaning


@pytest.mark.parametrize("provider", sorted(attendance.PROVIDERS))
def test_every_meaning_is_a_field_of_rows(provider: str) -> None:
    assert {field for field in attendance.mapping_of(provider, PEATIX).values() if field} <= set(HEADERS)


@pytest.mark.parametrize(
    ("text", "presence"),
    [
        ("出席", "attended"), ("参加済み", "attended"), ("チェックイン済", "attended"), ("Checked-in", "attended"),
        ("○", "attended"), ("TRUE", "attended"), ("2026/06/20 19:03", "attended"), ("欠席", "no_show"),
        ("未チェックイン", "no_show"), ("No show", "no_show"), ("キャンセル", "cancelled"),
        ("払い戻し済み", "cancelled"),
        ("×", "registered"), ("-", "registered"), ("FALSE", "registered"), ("？", None), ("遅刻するかも", None),
    ],
)  # fmt: skip
def test_words_marks_and_moments_say_who_came(text: str, presence: str | None) -> None:
    assert attendance.presence(text) == presence


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("参加", "registered"), ("販売済み", "registered"), ("補欠", "registered"), ("キャンセル待ち", "registered"),
        ("参加キャンセル", "cancelled"), ("Refunded", "cancelled"),
    ],
)  # fmt: skip
def test_a_registration_stands_until_it_is_given_up(text: str, state: str) -> None:
    assert attendance.registration(text) == state


@pytest.mark.parametrize(
    ("text", "agrees"),
    [
        ("はい", True), ("同意する", True), ("個人情報の利用に同意します", True), ("✓", True), ("I agree", True),
        ("いいえ", False), ("同意しない", False), ("同意しません", False), ("disagree", False),
        ("", False), ("未回答", False),
    ],
)  # fmt: skip
def test_only_an_agreement_is_one(text: str, agrees: bool) -> None:
    assert attendance.agrees(text) is agrees


def test_what_happened_is_told_in_the_order_in_which_it_did() -> None:
    def told(states: set[attendance.Presence], today: date) -> list[tuple[str, date, datetime | None]]:
        found = attendance.happenings(EVENT, today, date(2026, 6, 1), states)
        return [(each.type, each.on, each.at) for each in found]

    registered = ("event_registered", date(2026, 6, 1), None)
    after = date(2026, 7, 1)
    assert told(set(), after) == [registered]
    assert told({"registered", "attended"}, after) == [registered, ("event_attended", EVENT.day, EVENT.starts_at)]
    assert told({"no_show"}, after) == [registered, ("event_no_show", EVENT.day, EVENT.starts_at)]
    assert told({"cancelled", "attended"}, date(2026, 6, 5)) == [
        registered,
        ("event_cancelled", date(2026, 6, 5), None),
    ]


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=30), header=st.lists(st.text(max_size=10), max_size=6))
def test_any_text_can_be_read(text: str, header: list[str]) -> None:
    attendance.presence(text)
    attendance.registration(text)
    attendance.agrees(text)
    for provider in attendance.PROVIDERS:
        assert set(attendance.mapping_of(provider, header)) <= set(header)
