"""Columns are recognised by their headers, or by the mapping."""

import pytest

from app.imports.columns import Column, field_of, looks_like_header, recognise
from tests.factories.spreadsheets import HEADER


def _fields(*headers: str, mapping: dict[str, str | None] | None = None) -> list[str | None]:
    return [column.field for column in recognise(headers, mapping or {})[0]]


def test_the_headers_of_japanese_companies_are_known() -> None:
    assert _fields(*HEADER) == [
        "full_name",
        "full_name_kana",
        "email_addresses",
        "phone_numbers",
        "current_company",
        "years_of_experience",
        "skills",
        "applied_on",
        "result",
        "consented_on",
    ]
    assert _fields(
        "姓",
        "名",
        "セイ",
        "メイ",
        "携帯電話",
        "現職",
        "役職",
        "部署",
        "生年月日",
        "タグ",
        "備考",
        "LinkedIn",
        "都道府県",
    ) == [
        "family_name",
        "given_name",
        "family_name_kana",
        "given_name_kana",
        "phone_numbers",
        "current_company",
        "headline",
        "department",
        "birth_date",
        "tags",
        "source.detail",
        "links.linkedin",
        "location.region",
    ]


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("＊氏　名（必須）", "full_name"),
        ("ﾒｰﾙｱﾄﾞﾚｽ", "email_addresses"),
        ("E-mail", "email_addresses"),
        ("First Name", "given_name"),
        ("Date of Birth", "birth_date"),
        ("【電話番号】", "phone_numbers"),
        ("location.region", "location.region"),
        ("email_addresses", "email_addresses"),
    ],
)
def test_width_blanks_and_asterisks_do_not_matter(header: str, field: str) -> None:
    assert _fields(header) == [field]


def test_unknown_doubled_and_forbidden_columns_are_left_out_with_a_warning() -> None:
    columns, warnings = recognise(["氏名", "名前", "血液型", "本籍", "電話番号", "携帯"], {"ない列": "tags"})
    assert [column.field for column in columns] == ["full_name", None, None, None, "phone_numbers", "phone_numbers"]
    assert [(note.column, note.code) for note in warnings] == [
        ("名前", "duplicate_column"),
        ("血液型", "unmapped_column"),
        ("本籍", "forbidden_column"),
        ("ない列", "mapped_column_missing"),
    ]


def test_a_mapping_wins_over_the_header() -> None:
    mapping = {"氏名": "custom_fields.label", "メモ": None, "連絡": "email_addresses[0].value"}
    columns, warnings = recognise(["氏名", "メモ", "連絡"], mapping)
    assert columns == [Column("氏名", "custom_fields.label"), Column("メモ", None), Column("連絡", "email_addresses")]
    assert warnings == []


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("email_addresses", "email_addresses"),
        ("email_addresses.0.value", "email_addresses"),
        ("email_addresses/0/value", "email_addresses"),
        ("skills[].name", "skills"),
        ("sources[0].occurred_on", "applied_on"),
        ("location.city", "location.city"),
        ("links[0].url", "links"),
        ("external_ids[0].id", "external_ids"),
        ("custom_fields.shoe", "custom_fields.shoe"),
        ("shoe", None),
        ("candidates.id", None),
        ("", None),
    ],
)
def test_a_path_may_be_written_in_several_ways(path: str, field: str | None) -> None:
    assert field_of(path) == field


def test_a_title_above_the_table_is_no_header() -> None:
    assert not looks_like_header(["応募者一覧", "", ""], {})
    assert looks_like_header(["氏名", "血液型", "電話番号"], {})
