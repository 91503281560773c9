"""One key for every romanisation of a reading."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.normalise.romaji import is_romaji, kana_to_romaji, romaji_key

ONE_KEY = [
    ["Sato", "Satoh", "Satou", "SATŌ", "Satô", "サトウ", "ｻﾄｳ", "さとう", "サトー"],
    ["Ohno", "Oono", "Ōno", "Ono", "オオノ", "おおの"],
    ["Yuki", "Yuuki", "Yūki", "ユウキ"],
    ["Shinichi", "Sinichi", "Shin'ichi", "Shin-ichi", "Sin'iti", "シンイチ"],
    ["Junko", "Zyunko", "Jyunko", "ジュンコ"],
    ["Homma", "Honma", "ホンマ"],
    ["Mizutani", "Miduтani".replace("т", "t"), "ミズタニ", "ミヅタニ"],
    ["Eiji", "Eizi", "エイジ"],
    ["Kyouhei", "Kyohei", "Kyōhei", "キョウヘイ"],
    ["Ootsuka", "Otsuka", "Ohtsuka", "Ōtsuka", "Ootuka", "オオツカ"],
    ["Hattori", "ハットリ", "HATTORI"],
    ["Hatchoubori", "Hacchobori", "Hattyobori", "ハッチョウボリ"],
    ["Fujita", "Hujita", "Huzita", "フジタ"],
    ["Shota", "Syota", "Shohta", "Shouta", "Shōta", "ショウタ"],
    ["Tsuchiya", "Tutiya", "ツチヤ"],
]


@pytest.mark.parametrize("spellings", ONE_KEY, ids=lambda spellings: spellings[0])
def test_every_spelling_of_a_reading_has_one_key(spellings: list[str]) -> None:
    assert len({romaji_key(spelling) for spelling in spellings}) == 1


@pytest.mark.parametrize(
    ("a", "b"), [("Sato", "Saito"), ("Kato", "Kudo"), ("Taro", "Jiro"), ("Yuka", "Yuki"), ("Ito", "Ita")]
)
def test_other_readings_have_other_keys(a: str, b: str) -> None:
    assert romaji_key(a) != romaji_key(b)


@pytest.mark.parametrize(
    ("kana", "romaji"),
    [("サトウ", "satou"), ("きょうこ", "kyouko"), ("ハッチョウ", "hatchou"), ("ケーコ", "keeko"), ("ッ", "")],
)
def test_kana_are_written_in_hepburn(kana: str, romaji: str) -> None:
    assert kana_to_romaji(kana) == romaji


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("satoh", True),
        ("hattori", True),
        ("shinnichi", True),
        ("honma", True),
        ("kelly", False),
        ("kerry", False),
        ("smith", False),
        ("", False),
    ],
)
def test_only_japanese_syllables_are_romaji(word: str, expected: bool) -> None:
    assert is_romaji(word) is expected


def test_a_long_word_is_judged_at_once() -> None:
    assert not is_romaji("aho" * 5_000 + "!")


@given(st.text(st.characters(exclude_categories=()), max_size=30) | st.text("aiueotskhmnbpcyzjdlvwxqgr", max_size=16))
def test_a_key_is_its_own_key_and_plain_letters(text: str) -> None:
    key = romaji_key(text)
    assert romaji_key(key) == key
    assert key == "" or (key.isascii() and key.isalpha() and key.islower())


@given(st.text(st.characters(min_codepoint=0x3041, max_codepoint=0x30FF), max_size=12))
def test_kana_and_their_romanisation_meet(kana: str) -> None:
    romaji = kana_to_romaji(kana)
    if romaji.isascii():
        assert romaji_key(romaji) == romaji_key(kana)
