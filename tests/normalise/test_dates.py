"""Dates as Japanese files hold them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.normalise.dates import parse_date


@pytest.mark.parametrize(
    "text",
    [
        "2024-04-01",
        "2024/4/1",
        "2024.4.1",
        "2024年4月1日",
        "２０２４年４月１日",
        "20240401",
        "令和6年4月1日",
        "令和６年４月１日（月）",
        "R6.4.1",
        "r06/04/01",
        "令6.4.1",
        "2024年 4月 1日",
        "2024/04/01 0:00:00",
        "2024-04-01T09:30:00+09:00",
        "2024ー04ー01",
    ],
)
def test_spellings_of_one_day(text: str) -> None:
    assert parse_date(text) == date(2024, 4, 1)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("昭和60年1月2日", date(1985, 1, 2)),
        ("S60.1.2", date(1985, 1, 2)),
        ("昭64.1.7", date(1989, 1, 7)),
        ("平成元年1月8日", date(1989, 1, 8)),
        ("H31.4.30", date(2019, 4, 30)),
        ("平成31年5月1日", date(2019, 5, 1)),
        ("令和元年5月1日", date(2019, 5, 1)),
        ("大正元年7月30日", date(1912, 7, 30)),
        ("㍻2年1月1日", date(1990, 1, 1)),
        ("2024-02-29", date(2024, 2, 29)),
    ],
)
def test_eras(text: str, day: date) -> None:
    assert parse_date(text) == day


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "2023-02-29",
        "2024-13-01",
        "2024-00-10",
        "20241301",
        "昭和1年12月24日",
        "令和1年4月30日",
        "平成32年1月1日",
        "R0.1.1",
        "2024-04",
        "4/1/2024",
        "45383",
        "0000-01-01",
        "\x00",
        "\ud800",
        "9" * 5000,
        "2024年4月",
    ],
)
def test_what_is_no_day(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_date(text)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("45383", date(2024, 4, 1)),
        ("45383.5", date(2024, 4, 1)),
        ("1", date(1900, 1, 1)),
        ("59", date(1900, 2, 28)),
        ("61", date(1900, 3, 1)),
    ],
)
def test_serial_days_of_spreadsheets(text: str, day: date) -> None:
    assert parse_date(text, is_excel_serial=True) == day


@pytest.mark.parametrize("text", ["0", "60", "9999999", "-1"])
def test_serials_that_are_no_day(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_date(text, is_excel_serial=True)


@given(st.dates(date(1000, 1, 1)))
def test_a_written_date_is_read(day: date) -> None:
    assert parse_date(day.isoformat()) == parse_date(f"{day.year}年{day.month}月{day.day}日") == day


@given(
    st.text(st.characters(exclude_categories=()), max_size=20) | st.text("0123456789-/年月日令和RS元. ", max_size=12),
    st.booleans(),
)
def test_any_text_is_a_day_or_a_value_error(text: str, is_excel_serial: bool) -> None:
    try:
        found = parse_date(text, is_excel_serial=is_excel_serial)
    except ValueError:
        return
    assert isinstance(found, date)
