"""The shipped frequencies: shares of full names from the shares of their parts."""

import pytest

from app.candidates.features import read_features
from app.dedup.frequencies import share, shipped
from app.dedup.sides import SEPARATOR, side_of


def test_a_full_name_has_the_product_of_the_shares_of_its_parts() -> None:
    side = side_of(
        read_features({"full_name": "佐藤 誠", "full_name_kana": "サトウ マコト", "current_company": "山"}, "JP")
    )
    found = shipped(side)
    assert found["name_kanji"] == pytest.approx(share("name_kanji", "佐藤誠"))
    assert 1e-6 < found["name_kanji"] <= found["name_key"] < 1e-3
    assert found["employer"] == 0.0


def test_variants_of_a_name_share_one_entry_and_unsplit_names_have_theirs() -> None:
    written = [side_of(read_features({"full_name": name}, "JP")).name_kanji for name in ("髙橋 誠", "高橋誠")]
    assert written[0] == written[1]
    assert share("name_kanji", written[0] or "") > 0.0


def test_the_order_of_the_parts_is_free_in_romaji() -> None:
    assert share("name_key", SEPARATOR.join(("makoto", "sato"))) == share(
        "name_key", SEPARATOR.join(("sato", "makoto"))
    )


def test_unknown_names_have_none() -> None:
    assert share("name_kanji", "鱸鱏太") == share("name_key", "satomakoto") == share("employer", "佐藤誠") == 0.0
