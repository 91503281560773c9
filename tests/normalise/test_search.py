"""Whom a query finds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.normalise.names import NameStatement, parse_name
from app.normalise.search import answers, name_terms, query_terms, text_terms


def finds(query: str, full_name: str, kana: str | None = None) -> bool:
    name = parse_name(NameStatement(full_name=full_name, full_name_kana=kana))
    assert name is not None
    asked = query_terms(query)
    filed = name_terms(name)
    return bool(asked) and all(answers(term, filed) for term in asked)


def is_filed(query: str, text: str) -> bool:
    filed = text_terms(text)
    return all(answers(term, filed) for term in query_terms(query))


@pytest.mark.parametrize(
    "query",
    [
        "佐藤",
        "佐",
        "太郎",
        "佐藤太郎",
        "佐藤 太郎",
        "サトウ",
        "さとう",
        "ｻﾄｳ",
        "サト",
        "Sato",
        "satoh",
        "Satō",
        "sat",
        "SATOU TARO",
        "たろう",
        "さとうたろう",
        "佐藤 たろう",
        "satotaro",
    ],
)
def test_a_name_with_its_reading_is_found(query: str) -> None:
    assert finds(query, "佐藤 太郎", "サトウ タロウ")
    assert finds(query, "佐藤太郎", "ｻﾄｳ ﾀﾛｳ")


@pytest.mark.parametrize(
    ("query", "full_name"),
    [
        ("髙橋", "高橋花子"),
        ("高橋", "髙橋 花子"),
        ("渡辺", "渡邉 一郎"),
        ("渡邊", "渡辺 一郎"),
        ("佐佐木", "佐々木 希"),
        ("佐々木", "佐々木希"),
        ("ﾀｶﾊｼ", "Hanako Takahashi"),
        ("takahashi", "タカハシ ハナコ"),
        ("kelly", "Kelly O'Brien"),
        ("o'brien", "Kelly O'Brien"),
        ("jose", "José García"),
        ("さくら", "佐藤 さくら"),
        ("sac", "佐藤 さちこ"),
        ("美つ子", "山田 美つ子"),
        ("김", "김 철수"),
    ],
)
def test_spellings_meet(query: str, full_name: str) -> None:
    assert finds(query, full_name)


@pytest.mark.parametrize(
    ("query", "full_name"),
    [("鈴木", "佐藤 太郎"), ("藤佐", "佐藤 太郎"), ("suzuki", "Taro Sato"), ("", "佐藤"), ("--", "佐藤")],
)
def test_others_are_not_found(query: str, full_name: str) -> None:
    assert not finds(query, full_name)


@pytest.mark.parametrize("query", ["トヨタ", "とよた", "toyota", "トヨタ自動車", "自動車", "株式会社トヨタ", "toy"])
def test_a_company_is_found(query: str) -> None:
    assert is_filed(query, "株式会社トヨタ自動車")


@pytest.mark.parametrize(
    ("query", "text"), [("c++", "C++"), ("3m", "3M Japan"), ("node.js", "Node.js"), ("python", "Python"), ("C#", "C#")]
)
def test_skills_are_words(query: str, text: str) -> None:
    assert is_filed(query, text)


@given(st.text(st.characters(exclude_categories=()), max_size=40))
def test_a_text_is_found_by_itself(text: str) -> None:
    asked = query_terms(text)
    assert len(asked) <= 32
    if not text.rstrip().casefold().endswith("c"):
        filed = text_terms(text)
        assert all(answers(term, filed) for term in asked if term.startswith("n:"))
