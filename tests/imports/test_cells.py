"""What single cells say."""

from datetime import date

import pytest

from app.candidates.custom_fields import Definition, FieldType
from app.imports import cell


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", 5),
        ("5年", 5),
        ("３．５", 3.5),
        ("3年6ヶ月", 3.5),
        ("約10年以上", 10),
        ("2年半", 2.5),
        ("未経験", 0),
        ("10 years", 10),
    ],
)
def test_years_are_read_as_people_write_them(text: str, expected: float) -> None:
    assert cell.years(text) == expected


@pytest.mark.parametrize("text", ["たくさん", "-3", "200", "5人", "1e3"])
def test_what_are_no_years_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="years"):
        cell.years(text)


def test_days_may_be_serials_of_a_spreadsheet_but_not_bare_years() -> None:
    assert cell.day("45292") == date(2024, 1, 1)
    assert cell.day("令和6年4月1日") == date(2024, 4, 1)
    for text in ("2024", "2024/02/31", "soon"):
        with pytest.raises(ValueError):  # noqa: PT011 (any reason will do)
            cell.day(text)


def test_lists_are_split_but_words_with_a_slash_stay_whole() -> None:
    assert cell.words("Python、Go, Rust・Java／Kotlin") == ["Python", "Go", "Rust", "Java", "Kotlin"]
    assert cell.words("CI/CD, PL/SQL、TCP/IP") == ["CI/CD", "PL/SQL", "TCP/IP"]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("〒150-0002 東京都渋谷区渋谷1-1-1", {"region": "東京都", "city": "渋谷区"}),
        ("神奈川県横浜市西区みなとみらい2-2", {"region": "神奈川県", "city": "横浜市西区"}),
        ("大阪府堺市", {"region": "大阪府", "city": "堺市"}),
        ("三重県四日市市諏訪町1-5", {"region": "三重県", "city": "四日市市"}),
        ("北海道", {"region": "北海道"}),
        ("千葉県市川市八幡1", {"region": "千葉県", "city": "市川市"}),
    ],
)
def test_of_an_address_prefecture_and_city_are_kept(address: str, expected: dict[str, str]) -> None:
    assert cell.place(address) == expected


def test_results_are_types_of_touchpoints() -> None:
    found = {text: cell.result(text) for text in ("不採用", "辞退", "内定 辞退", "採用見送り", "選考中止", "選考中")}
    assert found == {
        "不採用": "rejected",
        "辞退": "offer_declined",
        "内定 辞退": "offer_declined",
        "採用見送り": "rejected",
        "選考中止": "rejected",
        "選考中": None,
    }


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("text", "3", "3"),
        ("number", "１，２００．５", 1200.5),
        ("number", "nan", "nan"),
        ("number", "三", "三"),
        ("boolean", "はい", True),
        ("boolean", "No", False),
        ("boolean", "たぶん", "たぶん"),
        ("date", "2026年4月1日", "2026-04-01"),
        ("date", "2026/02/31", "2026/02/31"),
        ("choice", "東", "東"),
        ("choices", "東、西", ["東", "西"]),
    ],
)
def test_a_cell_is_read_as_its_field_is_defined(kind: FieldType, text: str, said: object) -> None:
    assert cell.as_defined(text, Definition("k", kind)) == said


def test_a_cell_of_a_field_that_nobody_defined_is_text() -> None:
    assert cell.as_defined("3", None) == "3"
