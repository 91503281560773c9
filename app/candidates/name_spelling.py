"""How names are compared by criteria: width, case, kana, accents, variant kanji and spaces do not matter.

Letter by letter, so that the same comparison can be said to the database: a name is spelled as wanted when it fits
the pattern of all spellings of each wanted letter.
"""

import re
import unicodedata
from collections import defaultdict
from functools import cache

from app.criteria.fold import fold
from app.normalise.text import fold_kana, fold_latin, fold_variants

_LATIN = (*range(0xE0, 0x250), *range(0x1E00, 0x1F00))
_HIRAGANA = range(0x3041, 0x3097)
_KANJI = (*range(0x3400, 0xA000), *range(0xFA0E, 0xFA2A), *range(0x20000, 0x32400))


def fold_name(name: str) -> str:
    """Give one spelling to what a reader takes for the same name."""
    return fold(name).replace(" ", "").translate(_letters())


def spelled(wanted: str, *, whole: bool) -> str:
    """Give the regular expression (POSIX advanced) that `fold(name)` without spaces fits when the name holds `wanted`.

    `wanted` is folded by `fold_name`; with `whole` the name must be equal to it.
    """
    pattern = "".join(map(_any_of, wanted))
    return f"^{pattern}$" if whole else pattern


def _any_of(letter: str) -> str:
    variants = _spellings().get(letter)
    return f"[{letter}{variants}]" if variants else re.escape(letter) if letter.isascii() else letter


@cache
def _letters() -> dict[int, str]:
    found: dict[int, str] = {}
    for codes, folded in ((_LATIN, fold_latin), (_HIRAGANA, fold_kana), (_KANJI, fold_variants)):
        for code in codes:
            letter = chr(code)
            base = folded(letter) if unicodedata.is_normalized("NFKC", letter) else letter
            if len(base) == 1 and base != letter and fold(letter) == letter and fold(base) == base:
                found[code] = base
    return {code: base for code, base in found.items() if ord(base) not in found}


@cache
def _spellings() -> dict[str, str]:
    spellings: dict[str, str] = defaultdict(str)
    for code, base in _letters().items():
        spellings[base] += chr(code)
    return dict(spellings)
