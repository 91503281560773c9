"""What a row says, and what is wrong with it."""

from datetime import date

import pytest

from app.imports.columns import recognise
from app.imports.row import Form, Grant, Reading, read
from tests.factories.spreadsheets import HEADER, spreadsheet

TODAY = date(2026, 11, 23)


def _form(*headers: str, basis: str | None = None, source_type: str | None = None) -> Form:
    return Form(recognise(headers, {})[0], "greenhouse", source_type, basis, "JP", TODAY)


def _read(row: dict[str, str], basis: str | None = None, source_type: str | None = None) -> Reading:
    return read(_form(*row, basis=basis, source_type=source_type), list(row.values()))


def _notes(reading: Reading) -> list[tuple[str, str]]:
    return [(note.column, note.code) for note in reading.errors]


def test_a_whole_row() -> None:
    reading = _read(
        {
            "ID": "A-1",
            "氏名": "髙橋 花子",
            "フリガナ": "タカハシ ハナコ",
            "メール": "hanako@example.jp, h@example.com",
            "携帯": "０９０-1234-5678",
            "現職": "株式会社例",
            "生年月日": "昭和60年1月2日",
            "経験年数": "5年",
            "スキル": "Python、Go",
            "応募日": "2024/04/01",
            "選考結果": "内定辞退",
            "結果通知日": "2024-05-10",
            "同意日": "2024/4/1",
            "備考": "再応募歓迎",
            "住所": "東京都千代田区1-1",
            "LinkedIn": "https://www.linkedin.com/in/hanako",
            "タグ": "backend",
        }
    )
    assert reading.errors == []
    assert reading.fields is not None
    stated = reading.fields.stated()
    assert stated["external_ids"] == [{"source": "greenhouse", "id": "A-1"}]
    assert stated["birth_date"] == "1985-01-02"
    assert stated["location"] == {"region": "東京都", "city": "千代田区"}
    assert stated["sources"] == [{"type": "past_applicant", "occurred_on": "2024-04-01", "detail": "再応募歓迎"}]
    assert [each["value"] for each in stated["email_addresses"]] == ["hanako@example.jp", "h@example.com"]
    assert reading.grant == Grant("consent", date(2024, 4, 1))
    happened = [(each.type, each.on) for each in reading.happenings]
    assert happened == [("applied", date(2024, 4, 1)), ("offer_declined", date(2024, 5, 10))]


def test_every_broken_kind_of_the_factory_says_column_and_reason() -> None:
    form = _form(*HEADER)
    rows = [read(form, line) for line in spreadsheet(60, duplicates=5, broken=8).rows]
    broken = [_notes(each) for each in rows if each.errors]
    kinds = {notes[0]: len([each for each in broken if each == notes]) for notes in broken}
    assert kinds == {
        ("氏名", "nothing_identifies"): 2,
        ("応募日", "invalid_date"): 2,
        ("メールアドレス", "invalid_email"): 2,
        ("経験年数", "invalid_years"): 2,
    }


def test_a_bad_address_is_a_warning_when_something_else_identifies() -> None:
    reading = _read({"氏名": "山田 太郎", "メール": "not-an-address", "電話番号": "12"})
    assert reading.errors == []
    assert [(note.column, note.code) for note in reading.warnings] == [
        ("メール", "invalid_email"),
        ("電話番号", "invalid_phone"),
    ]


@pytest.mark.parametrize(
    ("header", "text", "code"),
    [
        ("生年月日", "2023-02-29", "invalid_date"),
        ("生年月日", "2099-01-01", "future_date"),
        ("同意日", "2027/01/01", "future_date"),
        ("応募日", "昨日", "invalid_date"),
        ("経験年数", "たくさん", "invalid_years"),
        ("国コード", "Japan", "invalid_value"),
        ("タグ", "x" * 300, "invalid_value"),
    ],
)
def test_what_cannot_be_makes_the_row_invalid(header: str, text: str, code: str) -> None:
    reading = _read({"氏名": "山田 太郎", header: text})
    assert reading.fields is None
    assert _notes(reading) == [(header, code)]


def test_flaws_of_the_file_are_errors_of_their_columns() -> None:
    reading = read(_form("氏名", "メモ"), ["山田", "x"], [[0, "unreadable_text"], [2, "too_many_cells"]])
    assert _notes(reading) == [("氏名", "unreadable_text"), ("", "too_many_cells")]


def test_consent_is_demanded_only_where_the_form_demands_it() -> None:
    assert _read({"氏名": "山田 太郎"}).grant is None
    assert _notes(_read({"氏名": "山田 太郎"}, basis="consent")) == [("", "no_consent_basis")]
    claimed = _read({"氏名": "山田 太郎", "応募日": "2024-04-01"}, basis="existing_dealings")
    assert claimed.grant == Grant("existing_dealings", date(2024, 4, 1))


def test_a_result_without_a_day_and_an_application_without_a_result_are_pointed_out() -> None:
    assert _read({"氏名": "山田", "選考結果": "不採用"}).warnings[0].code == "result_without_date"
    assert _read({"氏名": "山田", "応募日": "2024-04-01"}).warnings[0].code == "selection_goes_on"
    assert _read({"氏名": "山田", "応募日": "2024-04-01", "選考結果": "？"}).warnings[0].code == "unknown_result"


def test_people_met_elsewhere_have_not_applied() -> None:
    reading = _read({"氏名": "山田", "参加日": "2024-04-01"}, source_type="event_participant")
    assert reading.happenings == []
    assert reading.fields is not None
    assert reading.fields.sources[0].type == "event_participant"
