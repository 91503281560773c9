"""A written name becomes parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.normalise.names import NameStatement, dump_name, load_name, parse_name

ANY_TEXT = (
    st.none()
    | st.text(st.characters(exclude_categories=()), max_size=20)
    | st.text("山田太郎タろ TaroJr.,()・ 　\x00\ud800", max_size=14)
)
STATEMENTS = st.builds(
    NameStatement,
    *(ANY_TEXT for _ in range(8)),
    st.lists(ANY_TEXT.filter(lambda text: text is not None), max_size=2).map(tuple),
)


def parts(**statement: str) -> tuple[object, ...]:
    name = parse_name(NameStatement(**statement))  # type: ignore[arg-type]  # only strings are given
    assert name is not None
    return tuple(part.kanji or part.kana or part.latin for part in (name.family, name.given))


@pytest.mark.parametrize(
    ("full_name", "family", "given_name"),
    [
        ("山田 太郎", "山田", "太郎"),
        ("山田　太郎", "山田", "太郎"),
        ("山田太郎", "山田", "太郎"),
        ("山田太郎 様", "山田", "太郎"),
        ("髙橋花子", "高橋", "花子"),
        ("東海林太郎", "東海林", "太郎"),
        ("佐々木希", "佐佐木", "希"),
        ("佐藤さくら", "佐藤", "サクラ"),
        ("ﾀﾅｶ ﾀﾛｳ", "タナカ", "タロウ"),
        ("ジョン・スミス", "スミス", "ジョン"),
        ("Taro Yamada", "yamada", "taro"),
        ("YAMADA Taro", "yamada", "taro"),
        ("Taro YAMADA", "yamada", "taro"),
        ("Yamada, Taro", "yamada", "taro"),
        ("Ｔａｒｏ　Ｙａｍａｄａ", "yamada", "taro"),
        ("Dr. Taro Yamada, PhD", "yamada", "taro"),
        ("Vincent van Gogh", "van gogh", "vincent"),
        ("John Michael Smith Jr.", "smith", "john michael"),
        ("Shin'ichi O'Hara", "ohara", "shinichi"),
        ("佐々木", "佐佐木", None),
        ("佐藤", None, None),
        ("Madonna", None, None),
    ],
)
def test_a_full_name_is_split(full_name: str, family: str | None, given_name: str | None) -> None:
    assert parts(full_name=full_name) == (family, given_name)


def test_stated_parts_win_and_complete_the_full_name() -> None:
    assert parts(full_name="林田太郎", family_name="林") == ("林", "田太郎")
    assert parts(full_name="Taro Yamada", family_name="Yamada") == ("yamada", "taro")
    assert parts(full_name="別 名", family_name="山田", given_name="太郎") == ("山田", "太郎")


@pytest.mark.parametrize(
    "statement",
    [
        NameStatement(full_name="John Smith Jr."),
        NameStatement(full_name="Smith Jr., John"),
        NameStatement(family_name="Smith Jr.", given_name="John"),
        NameStatement(family_name="Smith, Jr.", given_name="John"),
        NameStatement(family_name="Smith", given_name="John", full_name="John Smith Jr."),
        NameStatement(family_name_romaji="Smith Jr", given_name_romaji="John"),
    ],
)
def test_a_generation_is_found_wherever_it_stands(statement: NameStatement) -> None:
    name = parse_name(statement)
    assert name is not None
    assert (name.family.latin, name.given.latin, name.suffix) == ("smith", "john", "jr")


def test_a_name_that_only_sounds_like_a_generation_is_a_name() -> None:
    assert parts(given_name="Junior", family_name="Silva") == ("silva", "junior")
    assert parts(full_name="Junior Silva") == ("silva", "junior")


def test_every_script_of_a_part_is_kept() -> None:
    name = parse_name(
        NameStatement(
            full_name="髙橋 花子", full_name_kana="ﾀｶﾊｼ ﾊﾅｺ", family_name_romaji="Takahashi", given_name_romaji="Hanako"
        )
    )
    assert name is not None
    assert (name.family.kanji, name.family.kana, name.family.latin) == ("高橋", "タカハシ", "takahashi")
    assert name.sorted_pairs == {("hanako", "takahashi")}
    assert name.split_score is None


@pytest.mark.parametrize("full_name", ["山田太郎(ヤマダ タロウ)", "山田 太郎（やまだ　たろう）"])
def test_a_reading_in_brackets_is_the_reading(full_name: str) -> None:
    name = parse_name(NameStatement(full_name=full_name))
    assert name is not None
    assert (name.family.kanji, name.given.kana) == ("山田", "タロウ")


def test_a_nickname_in_quotes_is_another_name() -> None:
    name = parse_name(NameStatement(full_name='Robert "Bob" Smith'))
    assert name is not None
    assert [other.latin for other in name.others] == ["bob"]


def test_a_guessed_border_has_a_score() -> None:
    guessed = parse_name(NameStatement(full_name="山田太郎"))
    assert guessed is not None
    assert guessed.split_score is not None
    assert 0 < guessed.split_score <= 1
    assert guessed.whole.kanji == "山田太郎"


@pytest.mark.parametrize(
    "statement", [NameStatement(), NameStatement(full_name="123 -"), NameStatement(full_name="\x00")]
)
def test_no_letter_is_no_name(statement: NameStatement) -> None:
    assert parse_name(statement) is None


@given(STATEMENTS)
def test_any_statement_is_read_and_survives_storage(statement: NameStatement) -> None:
    name = parse_name(statement)
    if name is not None:
        assert load_name(dump_name(name)) == name
