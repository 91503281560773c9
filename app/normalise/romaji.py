"""Readings as Latin letters, and one key for every customary romanisation of a reading.

The key is for blocking and for comparing across scripts. It lets different readings meet (オオノ and オノ),
so equality of kana stays the stronger statement.
"""

import re
from functools import lru_cache

from app.normalise.text import fold_kana, fold_latin

_ROWS = """
ア a イ i ウ u エ e オ o カ ka キ ki ク ku ケ ke コ ko サ sa シ shi ス su セ se ソ so
タ ta チ chi ツ tsu テ te ト to
ナ na ニ ni ヌ nu ネ ne ノ no ハ ha ヒ hi フ fu ヘ he ホ ho マ ma ミ mi ム mu メ me モ mo ヤ ya ユ yu ヨ yo
ラ ra リ ri ル ru レ re ロ ro ワ wa ヰ i ヱ e ヲ o ン n
ガ ga ギ gi グ gu ゲ ge ゴ go ザ za ジ ji ズ zu ゼ ze ゾ zo
ダ da ヂ ji ヅ zu デ de ド do バ ba ビ bi ブ bu ベ be ボ bo パ pa ピ pi プ pu ペ pe ポ po ヴ vu
ァ a ィ i ゥ u ェ e ォ o ャ ya ュ yu ョ yo ヮ wa ヵ ka ヶ ke
ファ fa フィ fi フェ fe フォ fo フュ fyu ティ ti ディ di トゥ tu ドゥ du テュ tyu デュ dyu
ウィ wi ウェ we ウォ wo ヴァ va ヴィ vi ヴェ ve ヴォ vo ヴュ vyu ツァ tsa ツィ tsi ツェ tse ツォ tso イェ ye
クァ kwa クィ kwi クェ kwe クォ kwo グァ gwa
"""
_CONTRACTED = "キ ky シ sh チ ch ニ ny ヒ hy ミ my リ ry ギ gy ジ j ヂ j ビ by ピ py"


def _syllables() -> dict[str, str]:
    words = _ROWS.split()
    table = dict(zip(words[::2], words[1::2], strict=True))
    rows = _CONTRACTED.split()
    for kana, onset in zip(rows[::2], rows[1::2], strict=True):
        for small, vowel in zip("ャュョェ", "auoe", strict=True):
            table[kana + small] = onset + vowel
    return table


_SYLLABLES = _syllables()
_KANA = re.compile("|".join(sorted(map(re.escape, _SYLLABLES), key=len, reverse=True)))
_GEMINATE = re.compile("ッ+([a-z])")
_LONG = re.compile("([aiueo])ー+")
# Left to right, longest first; sh, ch and ts stand for themselves so that their h and s are not read alone.
_SPELLINGS = {
    "cch": "ch", "tch": "ch", "tti": "chi", "tty": "ch", "dzu": "zu", "tsu": "tsu",
    "sy": "sh", "ty": "ch", "cy": "ch", "zy": "j", "jy": "j", "dy": "j",
    "si": "shi", "ti": "chi", "zi": "ji", "di": "ji", "tu": "tsu", "du": "zu", "hu": "fu",
    "wo": "o", "ph": "f", "sh": "sh", "ch": "ch", "c": "k",
}  # fmt: skip
_SPELLING = re.compile("|".join(sorted(_SPELLINGS, key=len, reverse=True)))
_ONE_LETTER = str.maketrans({"l": "r", "v": "b", "q": "k", "x": "ks"})
_NOT_LETTER = re.compile("[^a-z]")
_NASAL = re.compile("m(?=[bpm])")
_DOUBLE = re.compile(r"([a-z])\1+")
_LONG_O = re.compile("o[ou]+")
_LONG_H = re.compile("(?<=[aiueo])h(?=[^aiueoy]|$)")
_ROMAJI = re.compile(
    r"(?:(?:[kgsztdnhbpmrjf]y?|[yw]|sh|ch|ts|dz)?[aiueo](?:h(?![aiueoy]))?"
    r"|n(?![aiueo])|m(?=[bpm])|([kstpgdbzc])(?=\1)|t(?=ch))+"
)


def kana_to_romaji(kana: str) -> str:
    """Write a reading in Hepburn letters, long vowels as typed (サトウ: satou); what is not kana stays."""
    letters = _KANA.sub(lambda found: _SYLLABLES[found[0]], fold_kana(kana))
    return _LONG.sub(r"\1\1", _GEMINATE.sub(_double_consonant, letters)).replace("ッ", "").replace("ー", "")


def _double_consonant(found: re.Match[str]) -> str:
    return ("t" if found[1] == "c" else found[1]) + found[1]


@lru_cache(maxsize=16_384)
def romaji_key(name: str) -> str:
    """Give one key to Sato, Satoh, Satou, Satō and サトウ; empty without kana and Latin letters."""
    key = fold_latin(name if name.isascii() else kana_to_romaji(name))
    key = _NOT_LETTER.sub("", key)
    while (shorter := _fold_once(key)) != key:
        key = shorter
    return key


def _fold_once(letters: str) -> str:
    key = _SPELLING.sub(lambda found: _SPELLINGS[found[0]], letters.translate(_ONE_LETTER))
    key = _DOUBLE.sub(r"\1", _NASAL.sub("n", key))
    return _DOUBLE.sub(r"\1", _LONG_O.sub("o", _LONG_H.sub("", key)))


@lru_cache(maxsize=16_384)
def is_romaji(latin: str) -> bool:
    """Say whether lower-case ASCII letters can be read as Japanese syllables (kerry and smith cannot)."""
    return _ROMAJI.fullmatch(latin) is not None
