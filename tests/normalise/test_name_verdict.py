"""Whether two names can be one person's."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.normalise.name_parts import one_edit
from app.normalise.name_verdict import equal_scripts, name_verdict
from app.normalise.names import NameFeatures, NameStatement, parse_name

_WORDS = """
山田 山田太郎 太郎 花子 渡辺 渡邉 佐々木 ヤマダ タロウ ジロウ ヤマダタロウ
Taro Yamada Tarou T. Robert Bob Roberto Kelly Kerry Jr. Smith
"""
WORDS = st.sampled_from(_WORDS.split())
PHRASES = st.none() | st.lists(WORDS, max_size=3).map(" ".join)
NAMES = st.builds(
    NameStatement,
    PHRASES,
    PHRASES,
    PHRASES,
    PHRASES,
    PHRASES,
    PHRASES,
    PHRASES,
    PHRASES,
    st.lists(WORDS, max_size=1).map(tuple),
).map(parse_name)


def name(text: str) -> NameFeatures:
    """A full name; `|` divides it from the reading, `/` that from other names."""
    written, _, others = text.partition("/")
    full, _, kana = written.partition("|")
    parsed = parse_name(
        NameStatement(full_name=full or None, full_name_kana=kana or None, other_names=tuple(others.split()))
    )
    assert parsed is not None
    return parsed


TABLE = [
    ("山田 太郎", "山田 太郎", "agree", "equal"),
    ("山田太郎", "山田　太郎", "agree", "equal"),
    ("髙橋 花子", "高橋花子", "agree", "equal"),
    ("太郎 山田", "山田 太郎", "agree", "swapped"),
    ("東海 林太郎", "東海林太郎", "agree", "equal"),
    ("ﾀｶﾊｼ ﾊﾅｺ", "たかはし はなこ", "agree", "equal"),
    ("ｼﾖｳｼﾞ ｼﾖｳﾀ", "ショウジ ショータ", "agree", "equal"),
    ("ヤマダタロウ", "ヤマダ タロウ", "agree", "equal_unsplit"),
    ("山田 太郎|ヤマダ タロウ", "Taro Yamada", "agree", "equal"),
    ("サトウ ジュンコ", "Zyunko Satoh", "agree", "equal"),
    ("Taro Yamada", "YAMADA Taro", "agree", "equal"),
    ("Yamada Taro", "Taro Yamada", "agree", "swapped"),
    ("Shin'ichi Ohno", "Sinichi Oono", "agree", "equal"),
    ("John Smith", "John Michael Smith", "agree", "equal"),
    ("José García", "Jose Garcia", "agree", "equal"),
    ("佐藤 花子", "鈴木 花子", "partial", "family_changed"),
    ("佐藤 花子", "鈴木 花子/佐藤", "partial", "family_other_name"),
    ("Robert Smith", "Bob Smith", "partial", "given_nickname"),
    ("R. Smith", "Robert Smith", "partial", "given_initial"),
    ("ヤマダ タロウ", "T. Yamada", "partial", "given_initial"),
    ("Hiroshi Yamada", "Hirosshu Yamada", "disagree", "given_differs"),
    ("Margaret Smith", "Margraet Smith", "partial", "given_edit"),
    ("Emily Smith", "Emily Smyth", "partial", "family_edit"),
    ("山田 太郎|ヤマダ タロウ", "山田 太朗|ヤマダ タロウ", "partial", "given_other_kanji"),
    ("山田 裕子|ヤマダ ユウコ", "山田 裕子|ヤマダ ヒロコ", "partial", "given_other_reading"),
    ("山田裕子|ヤマダユウコ", "山田裕子|ヤマダヒロコ", "partial", "given_other_reading"),
    ("ヤマダ ユキ", "ヤマダ ユウキ", "partial", "given_long_vowel"),
    ("山田", "山田 太郎", "partial", "one_word"),
    ("佐々木", "佐々木 希", "partial", "family_only"),
    ("佐藤", "佐藤", "partial", "one_word"),
    ("William Smith/Taro", "Taro Smith", "partial", "given_other_name"),
    ("山田 太郎", "山田 次郎", "disagree", "given_differs"),
    ("山田 太郎", "山田 太朗", "disagree", "given_differs"),
    ("Yuki Sato", "Yuka Sato", "disagree", "given_differs"),
    ("サトウ ユキ", "Yuka Sato", "disagree", "given_differs"),
    ("Kelly Smith", "Kerry Smith", "disagree", "given_differs"),
    ("Eric Smith", "Erin Smith", "disagree", "given_differs"),
    ("James Thomas", "Thomas Edwards", "disagree", "given_differs"),
    ("John Smith", "John Smith Jr.", "disagree", "generation"),
    ("John Smith Sr.", "John Smith, Jr.", "disagree", "generation"),
    ("山田", "鈴木 花子", "disagree", "word_differs"),
    ("山田 太郎", "Taro Yamada", "missing", "no_common_script"),
    ("山田 太郎", "ヤマダ タロウ", "missing", "no_common_script"),
    ("Иван Петров", "山田 太郎", "missing", "no_common_script"),
]


@pytest.mark.parametrize(("left", "right", "verdict", "level"), TABLE)
def test_verdict_and_level(left: str, right: str, verdict: str, level: str) -> None:
    found = name_verdict(name(left), name(right))
    assert (found.verdict, found.level) == (verdict, level)
    assert name_verdict(name(right), name(left)) == found


@pytest.mark.parametrize(
    ("left", "right"), [("山田 太郎", "山田 次郎"), ("John Smith", "John Smith Jr."), ("Ann Lee", "Bob Ray")]
)
def test_other_given_names_and_generations_contradict(left: str, right: str) -> None:
    assert name_verdict(name(left), name(right)).contradicts


def test_an_unknown_given_name_never_contradicts() -> None:
    assert not name_verdict(name("山田"), name("鈴木 花子")).contradicts


def test_a_script_that_one_side_alone_shows_says_nothing() -> None:
    whole = NameStatement(
        full_name="髙橋 花子",
        full_name_kana="タカハシ ハナコ",
        family_name_romaji="Takahashi",
        given_name_romaji="Hanako",
    )
    found = name_verdict(name("高橋 花子"), parse_name(whole))
    assert (found.verdict, found.level) == ("agree", "equal")
    assert name_verdict(parse_name(whole), name("高橋 桃子")).contradicts


@pytest.mark.parametrize("kana", [("ヤマモト", "メグ"), ("メグ", "ヤマモト"), (None, None)])
def test_the_order_of_a_reading_is_not_a_difference(kana: tuple[str | None, str | None]) -> None:
    def read(family: str, given: str, kana: tuple[str | None, str | None] = (None, None)) -> NameFeatures | None:
        return parse_name(NameStatement(None, "山本", "芽久", None, *kana, family, given))

    found = name_verdict(read("Yamamoto", "Megu", kana), read("Megu", "Yamamoto"))
    assert (found.verdict, found.level) == ("agree", "equal")
    assert name_verdict(read("Megu", "Yamamoto", kana), read("Yamamoto", "Megu", ("ヤマモト", "メグ"))) == found
    other = name_verdict(read("Yamamoto", "Megu", kana), read("Fumihisa", "Yamamoto"))
    assert (other.verdict, other.level) == ("partial", "given_other_reading")


def test_a_missing_name_is_missing() -> None:
    assert name_verdict(None, name("山田 太郎")).verdict == "missing"
    assert name_verdict(None, None).verdict == "missing"


@pytest.mark.parametrize(
    ("left", "right", "scripts"),
    [
        ("髙橋 花子|タカハシ ハナコ", "高橋花子|たかはし はなこ", {"kanji", "kana", "romaji"}),
        ("高橋 花子|タカハシ ハナコ", "Hanako Takahashi", {"romaji"}),
        ("高橋 花子", "花子 高橋", {"kanji"}),
        ("高橋 花子", "高橋 次郎", set()),
    ],
)
def test_scripts_in_which_names_are_equal(left: str, right: str, scripts: set[str]) -> None:
    assert equal_scripts(name(left), name(right)) == scripts
    assert equal_scripts(name(right), name(left)) == scripts


@given(NAMES, NAMES)
@example(
    parse_name(NameStatement(given_name_kana="山田", family_name_romaji="Taro", given_name_romaji="Taro Taro Taro")),
    parse_name(
        NameStatement(family_name_kana="山田太郎", family_name_romaji="Taro Taro Taro", given_name_romaji="Taro Taro")
    ),
)
def test_verdicts_are_symmetric(a: NameFeatures | None, b: NameFeatures | None) -> None:
    assert name_verdict(a, b) == name_verdict(b, a)
    if a is not None and b is not None:
        assert equal_scripts(a, b) == equal_scripts(b, a)


@given(NAMES)
def test_a_name_never_contradicts_itself(a: NameFeatures | None) -> None:
    found = name_verdict(a, a)
    assert not found.contradicts
    assert found.verdict in ("agree", "partial") or a is None


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("kenji", "kenzi", True),
        ("kenji", "kenj", True),
        ("kenji", "kenjii", True),
        ("kenji", "kneji", True),
        ("kenji", "kenji", False),
        ("kenji", "kanju", False),
        ("abcd", "badc", False),
        ("", "a", True),
    ],
)
def test_one_edit(a: str, b: str, expected: bool) -> None:
    assert one_edit(a, b) is expected
    assert one_edit(b, a) is expected
