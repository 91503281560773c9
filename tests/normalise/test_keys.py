"""Blocking keys and their hashes."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.normalise.keys import BlockingKey, Identity, blocking_keys, key_hash
from app.normalise.names import NameStatement, parse_name

SECRET = b"0123456789abcdef"


def keys(full_name: str, kana: str | None = None) -> frozenset[BlockingKey]:
    return blocking_keys(Identity(parse_name(NameStatement(full_name=full_name, full_name_kana=kana))))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (keys("髙橋 花子"), keys("高橋花子")),
        (keys("花子 高橋"), keys("高橋 花子")),
        (keys("Hanako Takahashi"), keys("高橋花子", "ﾀｶﾊｼ ﾊﾅｺ")),
        (keys("TAKAHASHI Hanako"), keys("Takahashi Hanako")),
        (keys("サトウタロウ"), keys("Taro Satoh")),
        (keys("東海林太郎"), keys("東海 林太郎")),
    ],
)
def test_spellings_of_one_name_share_a_key(left: frozenset[BlockingKey], right: frozenset[BlockingKey]) -> None:
    assert left & right


def test_every_kind_of_key() -> None:
    identity = Identity(
        name=parse_name(NameStatement(full_name="山田 太郎", full_name_kana="ヤマダ タロウ")),
        emails=("taro@example.com",),
        phones=("+819024681357",),
        urls=("x.com/taro",),
        external_ids=(("greenhouse", "1"),),
        employers=("アクメ",),
        birth_date=date(1990, 1, 2),
    )
    assert {key.kind for key in blocking_keys(identity)} == {
        "email", "phone", "url", "external_id", "sorted_name", "kanji_name", "unsplit_name",
        "family_employer", "given_employer", "birth_family", "birth_given",
    }  # fmt: skip
    assert BlockingKey("birth_family", "山田\x1f1990-01-02") in blocking_keys(identity)


def born(name: NameStatement) -> frozenset[BlockingKey]:
    return blocking_keys(Identity(parse_name(name), employers=("アクメ",), birth_date=date(1990, 1, 2)))


@pytest.mark.parametrize(("kanji", "romaji"), [("中島", "Nakashima"), ("髙橋", "Takahashi"), ("東", "Azuma")])
def test_a_family_name_in_kanji_is_found_by_its_usual_readings(kanji: str, romaji: str) -> None:
    written, latin = born(NameStatement(family_name=kanji, given_name="健")), born(NameStatement(f"Ken {romaji}"))
    assert {key.kind for key in written & latin} == {"birth_family"}


def test_a_stated_reading_leaves_nothing_to_guess() -> None:
    stated = born(NameStatement(family_name="中島", given_name="健", family_name_kana="ナカジマ"))
    assert not stated & born(NameStatement("Ken Nakashima"))


def test_nothing_known_has_no_key() -> None:
    assert blocking_keys(Identity()) == frozenset()


def test_a_hash_depends_on_tenant_kind_and_value() -> None:
    hashes = {
        key_hash(secret, kind, value)
        for secret in (SECRET, SECRET[::-1])
        for kind in ("email", "phone")
        for value in ("a", "b")
    }
    assert len(hashes) == 8
    assert {len(one) for one in hashes} == {8}


@pytest.mark.parametrize("secret", [b"", b"short", b"x" * 65])
def test_a_secret_has_a_length(secret: bytes) -> None:
    with pytest.raises(ValueError, match="16 to 64"):
        key_hash(secret, "email", "a")


@given(st.text(st.characters(exclude_categories=())))
def test_any_value_has_one_hash(value: str) -> None:
    assert key_hash(SECRET, "email", value) == key_hash(SECRET, "email", value)
