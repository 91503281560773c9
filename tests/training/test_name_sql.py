"""SQL and Python give two names one level."""

from collections.abc import Collection
from random import Random

import duckdb
import pytest

from app.candidates.features import Features
from app.dedup.levels import name_level
from app.dedup.sides import Side, side_of
from app.normalise.names import NameFeatures, NamePart, NameStatement, parse_name
from app.training import columns

_COMMON = {
    "kanji": "佐藤|斉藤|齋藤|髙橋|高橋|健|健一|太郎|優子|裕子|翔|金城武|𠮷田",
    "kana": "サトウ|さとう|サトー|オオノ|オノ|ケン|ケンイチ|ユウコ|ユーコ|ショウ|シヨウ|サイトウ|ヂ|ン",
    "latin": "Sato|Satoh|Satou|Kerry|Kelly|Kelley|Ken|Kenichi|Ken'ichi|Bob|Robert|Rob|Roberta|Jane|Smith|Smyth|Smit"
    "|Anna|Hanna|Yuko|Yuuko|Yūko|Jun|Jon|John|Johnathan|Maria|Mary|Marie|Mario|Mairo",
}
_ODD = {
    "kanji": "一|大|Ли|김|ヶ崎|々木|サトウken",
    "kana": "イ|ー|ヽ",
    "latin": "Sat0|J|J.|Mary-Jane|Mary Jane|O|Oo|ß|3|Ø|van",
}


def _word(dice: Random, script: str) -> str:
    return dice.choice((_ODD if dice.random() < 0.1 else _COMMON)[script].split("|"))


def _part(dice: Random, scripts: Collection[str]) -> dict[str, str | None]:
    shown = scripts if dice.random() < 0.9 else dice.sample(sorted(_COMMON), 1)
    return {script: _word(dice, script) if script in shown else None for script in _COMMON}


def _stated(dice: Random) -> NameStatement:
    scripts = dice.sample(sorted(_COMMON), dice.choice((1, 1, 2, 3)))
    family, given = _part(dice, scripts), _part(dice, scripts)
    return NameStatement(
        family_name=family["kanji"],
        given_name=given["kanji"],
        family_name_kana=family["kana"],
        given_name_kana=given["kana"],
        family_name_romaji=family["latin"],
        given_name_romaji=given["latin"],
        other_names=(_word(dice, "latin"),) if dice.random() < 0.05 else (),
    )


def _full(dice: Random) -> NameStatement:
    script = dice.choice(sorted(_COMMON))
    words = [_word(dice, script) for _ in range(dice.choice((1, 2, 2, 2, 3)))]
    name = dice.choice(("", " ", " ", ", ", "・")).join(words)
    kana = f"{_word(dice, 'kana')} {_word(dice, 'kana')}" if dice.random() < 0.3 else None
    return NameStatement(full_name=name + dice.choice(("", "", "", " Jr.")), full_name_kana=kana)


def _made(dice: Random) -> NameFeatures | None:
    """A name that no door lets in, so that the borders of what is plain are met too."""
    family, given, whole = (NamePart(**_part(dice, ["kanji", "latin"]), keys=("sato",)) for _ in range(3))
    return NameFeatures(family, given, whole)


def names(seed: int, many: int) -> list[NameFeatures]:
    dice = Random(seed)
    found = [parse_name((_stated if dice.random() < 0.7 else _full)(dice)) for _ in range(many)]
    return [name for name in [*found, *(_made(dice) for _ in range(many // 10))] if name]


@pytest.mark.parametrize("seed", range(3))
def test_sql_finds_the_level_that_python_finds(seed: int) -> None:
    sides = {str(i): side_of(Features(name=name)) for i, name in enumerate(names(seed, 110))} | {"none": Side()}
    with duckdb.connect() as connection:
        connection.register("features", columns.features_table(sides.items()))
        columns.prepare(connection, "features", "people")
        rows = connection.execute(
            """select l.record_id, r.record_id, name_level(l.name, r.name, l.spelled, r.spelled),
            l.spelled is not null and r.spelled is not null and plain_level(l.spelled, r.spelled) is not null
            from people as l, people as r"""
        ).fetchall()
    assert sum(is_fast for *_, is_fast in rows) > 1_000
    wrong = [
        (sides[left].name, sides[right].name, level)
        for left, right, level, _ in rows
        if level != (name_level(sides[left].name, sides[right].name) or "missing")
    ]
    assert wrong == []
