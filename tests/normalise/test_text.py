"""Folding of text: variant kanji, width, kana, case; laws for any string."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.normalise.companies import company_key
from app.normalise.text import clean, fold_kana, fold_latin, fold_variants, script_of, search_key

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40) | st.text(
    "々ヽ佐ﾞかわ゙ー髙\ud800\x00 Āßİ", max_size=12
)

_SAME = """
髙橋 高橋 山﨑 山崎 渡邉 渡辺 渡邊 渡辺 齋藤 斎藤 齊藤 斉藤 濵田 浜田 濱田 浜田 中嶋 中島 中嶌 中島 德田 徳田 惠子 恵子
廣瀬 広瀬 澤田 沢田 櫻井 桜井 瀨戸 瀬戸 眞鍋 真鍋 國分 国分 條 条 槇原 槙原 栁沢 柳沢 桒原 桑原 𠮷田 吉田 淸水 清水
靑木 青木 福冨 福富 富澤 富沢 龍一 竜一 籔内 薮内 藪内 薮内 萬田 万田 與田 与田 壽 寿 舘野 館野 邊見 辺見
塚本 塚本 神谷 神谷
福田 福田 羽田 羽田 都築 都築 兒玉 児玉 關 関 黑田 黒田 增田 増田 橫山 横山 佐々木 佐佐木 葛󠄀城 葛城 嵜本 崎本
"""
_OTHER = """
斎藤 斉藤 大田 太田 土田 士田 菊池 菊地 安部 阿部 伊藤 伊東 木村 本村 川崎 河崎 中谷 仲谷 坂本 阪本 未田 末田 千田 干田
"""
SAME, OTHER = _SAME.split(), _OTHER.split()


@pytest.mark.parametrize(("variant", "base"), list(zip(SAME[::2], SAME[1::2], strict=True)))
def test_variants_of_one_character_fold_together(variant: str, base: str) -> None:
    assert fold_variants(variant) == fold_variants(base)


@pytest.mark.parametrize(("one", "other"), list(zip(OTHER[::2], OTHER[1::2], strict=True)))
def test_different_names_stay_apart(one: str, other: str) -> None:
    assert fold_variants(one) != fold_variants(other)


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("ﾀｶﾊｼ", "タカハシ"),
        ("たかはし", "タカハシ"),
        ("ｶﾞｷﾞｸﾞ", "ガギグ"),
        ("ゔぁん", "ヴァン"),
        ("わ゙", "ヷ"),
        ("　山田　 太郎\t", "山田 太郎"),
        ("ＴＡＲＯ", "TARO"),
    ],
)
def test_kana_become_full_katakana(written: str, folded: str) -> None:
    assert fold_kana(written) == folded


@pytest.mark.parametrize(
    ("written", "folded"),
    [("Satō", "sato"), ("José  Ñandú", "jose nandu"), ("Łukasz", "lukasz"), ("Straße", "strasse"), ("がぎ", "がぎ")],
)
def test_latin_letters_lose_case_and_accents(written: str, folded: str) -> None:
    assert fold_latin(written) == folded


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("山田", "kanji"),
        ("佐々木 さくら", "kanji"),
        ("さくら", "kana"),
        ("ジョー", "kana"),
        ("Taro O'Neil", "latin"),
        ("Ōno", "latin"),
        ("Иван", "other"),
        ("12", None),
        ("", None),
    ],
)
def test_script_of_a_text(text: str, script: str | None) -> None:
    assert script_of(text) == script


@pytest.mark.parametrize("fold", [clean, fold_kana, fold_latin, fold_variants, search_key])
@given(text=ANY_TEXT)
def test_folding_twice_changes_nothing(fold: Callable[[str], str], text: str) -> None:
    assert fold(fold(text)) == fold(text)
    fold(text).encode("utf-8")


@pytest.mark.parametrize(
    "written",
    [
        "株式会社トヨタ自動車",
        "トヨタ自動車㈱",
        "ﾄﾖﾀ自動車(株)",
        "トヨタ自動車 株式会社",
        "（株）トヨタ自動車",
        "とよた自動車",
    ],
)
def test_a_company_has_one_key(written: str) -> None:
    assert company_key(written) == "トヨタ自動車"


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("Acme Co., Ltd.", "acme"),
        ("ACME, Inc.", "acme"),
        ("Acme K.K.", "acme"),
        ("Cosmo", "cosmo"),
        ("株式会社", "株式会社"),
        ("東京株式会社研究所", "東京株式会社研究所"),
        ("株式会社髙島屋", "高島屋"),
        ("NPO法人 あい", "アイ"),
        ("---", None),
        ("", None),
    ],
)
def test_legal_forms_fall_at_the_ends_only(written: str, key: str | None) -> None:
    assert company_key(written) == key


@given(ANY_TEXT)
def test_any_text_has_a_company_key_that_is_its_own_key(text: str) -> None:
    key = company_key(text)
    assert key is None or company_key(key) is not None
