"""How one part of a name compares with the same part of another name."""

import re
from enum import StrEnum
from functools import lru_cache
from itertools import product

from app.normalise.name_lists import is_given_name, nickname_roots
from app.normalise.names import NamePart
from app.normalise.romaji import is_romaji, romaji_key
from app.normalise.text import script_of

_FEWEST_LETTERS = 4
# Bank files write small kana large, and a long vowel as a bar: ｼﾖｳﾀ, ショータ.
_ONE_SIZE = str.maketrans("ァィゥェォッャュョヮヂヅヵヶ", "アイウエオツヤユヨワジズカケ")
_BAR = re.compile("(.)ー+")
_LONG = {
    **dict.fromkeys("オコソトノホモヨロゴゾドボポウクスツヌフムユルグズブプヴ", "ウ"),
    **dict.fromkeys("エケセテネヘメレゲゼデベペイキシチニヒミリギジビピ", "イ"),
    **dict.fromkeys("アカサタナハマヤラワガザダバパ", "ア"),
}


class Likeness(StrEnum):
    """From the same to another name; `UNKNOWN` when no script is shown by both."""

    EQUAL = "equal"
    OTHER_KANJI = "other_kanji"
    OTHER_READING = "other_reading"
    NICKNAME = "nickname"
    INITIAL = "initial"
    EDIT = "edit"
    LONG_VOWEL = "long_vowel"
    SOME_WORDS = "some_words"
    OTHER_NAME = "other_name"
    DIFFERENT = "different"
    UNKNOWN = "unknown"

    @property
    def is_matched(self) -> bool:
        return self not in (Likeness.DIFFERENT, Likeness.UNKNOWN)


@lru_cache(maxsize=8_192)
def compare_parts(a: NamePart, b: NamePart, *, is_given: bool) -> Likeness:
    """Compare in every script that both show; `is_given` lets nicknames and the given-name list speak."""
    shown = (_compare_kanji(a, b), _compare_kana(a, b), _compare_latin(a, b, is_given=is_given))
    if all(same is None for same in shown):
        return Likeness.UNKNOWN
    if False not in shown:
        return Likeness.EQUAL
    if True in shown:
        return Likeness.OTHER_KANJI if shown[0] is False else Likeness.OTHER_READING
    return _nearness(a, b, is_given=is_given)


def _compare_kanji(a: NamePart, b: NamePart) -> bool | None:
    if a.kanji is None or b.kanji is None:
        return None
    if a.kanji == b.kanji:
        return True
    return False if script_of(a.kanji) == script_of(b.kanji) else None


def _compare_kana(a: NamePart, b: NamePart) -> bool | None:
    return None if a.kana is None or b.kana is None else is_same_kana(a.kana, b.kana)


def is_same_kana(a: str, b: str) -> bool:
    """Say whether two katakana readings are equal but for small letters and bars for long vowels."""
    return a == b or one_sized(a) == one_sized(b)


def one_sized(kana: str) -> str:
    """Write small kana large and a bar as the vowel that it lengthens."""
    return _BAR.sub(lambda found: found[1] + _LONG.get(found[1], ""), kana.translate(_ONE_SIZE))


def _compare_latin(a: NamePart, b: NamePart, *, is_given: bool) -> bool | None:
    """Compare Latin with Latin, or kana alone with Latin alone by the romaji key."""
    if a.latin and b.latin:
        return _is_same_latin(a.latin, b.latin, is_given=is_given)
    if {(part.kana is None, part.latin is None) for part in (a, b)} == {(False, True), (True, False)}:
        return not set(a.keys).isdisjoint(b.keys)
    return None


def _is_same_latin(a: str, b: str, *, is_given: bool) -> bool:
    joined = a.replace(" ", ""), b.replace(" ", "")
    if joined[0] == joined[1]:
        return True
    # Only spellings of Japanese readings meet by the key: it makes one name of Kelly and Kerry.
    if all(map(is_romaji, joined)) and romaji_key(a) == romaji_key(b):
        return True
    return is_given and _is_same_but_middle(a.split(), b.split())


def _is_same_but_middle(a: list[str], b: list[str]) -> bool:
    """John, John M. and John Michael; not John Michael and John Robert."""
    if a[0] != b[0] or len(a[0]) == 1:
        return False
    return all(x == y or _is_initial(x, y) for x, y in zip(a[1:], b[1:], strict=False))


def _is_initial(a: str, b: str) -> bool:
    return 1 in (len(a), len(b)) and a[0] == b[0]


def _nearness(a: NamePart, b: NamePart, *, is_given: bool) -> Likeness:
    if a.kana and b.kana and romaji_key(a.kana) == romaji_key(b.kana):
        return Likeness.LONG_VOWEL
    words_a, words_b = (a.latin or "").split(), (b.latin or "").split()
    if is_given and words_a and words_b and nickname_roots(words_a[0]) & nickname_roots(words_b[0]):
        return Likeness.NICKNAME
    if _begins_alike(a, b):
        return Likeness.INITIAL
    if any(len(word) > 1 for word in set(words_a) & set(words_b)):
        return Likeness.SOME_WORDS
    if _is_one_edit_apart(a, b) and not (is_given and _is_listed(a) and _is_listed(b)):
        return Likeness.EDIT
    return Likeness.DIFFERENT


def _begins_alike(a: NamePart, b: NamePart) -> bool:
    """Say whether one side is a single letter with which the other's spelling or reading begins."""
    starts = [{spelling for spelling in (*part.keys, part.latin) if spelling} for part in (a, b)]
    return any(_is_initial(x.split()[0], y.split()[0]) for x, y in product(*starts))


def _spellings(part: NamePart) -> set[str]:
    return set(part.keys) if part.latin is None else {part.latin.replace(" ", "")}


def _is_one_edit_apart(a: NamePart, b: NamePart) -> bool:
    is_spelled = a.latin and b.latin
    pairs = product(_spellings(a), _spellings(b)) if is_spelled else product(a.keys, b.keys)
    return any(min(len(x), len(y)) >= _FEWEST_LETTERS and one_edit(x, y) for x, y in pairs)


def _is_listed(part: NamePart) -> bool:
    return is_given_name((part.latin or "").replace(" ", ""), part.keys)


def one_edit(a: str, b: str) -> bool:
    """Say whether one letter was changed, missing, added, or exchanged with its neighbour."""
    if a == b or abs(len(a) - len(b)) > 1:
        return False
    short, long = sorted((a, b), key=len)
    i = next((i for i, letter in enumerate(short) if letter != long[i]), len(short))
    if len(short) < len(long):
        return short[i:] == long[i + 1 :]
    return short[i + 1 :] == long[i + 1 :] or (
        short[i + 2 :] == long[i + 2 :] and short[i : i + 2] == long[i : i + 2][::-1]
    )
