"""Search terms: what a name, a company or a skill is filed under, and what a query asks for.

`n:` terms are one and two neighbouring characters of writing that holds kanji. `w:` terms are beginnings of words in
Latin letters; readings in kana are words too, by their romaji key, so that サトウ, さとう, Sato and satoh meet.
"""

import re
from collections.abc import Iterable, Iterator

from app.normalise.names import NameFeatures, NamePart
from app.normalise.romaji import romaji_key
from app.normalise.text import script_of, search_key

_LONGEST_BEGINNING = 16
_MOST_TERMS = 32
_LONGEST_TEXT = 500
_NOT_IN_WORD = re.compile(r"[^\w+#.ー]+")
_APOSTROPHE = re.compile("['’`]")
_SCRIPT_RUN = re.compile(r"[a-z0-9+#.]+|[ァ-ヺー]+")
_SMALL_KE = str.maketrans({"ヶ": "ケ", "ヵ": "カ"})


def name_terms(name: NameFeatures) -> set[str]:
    """List the terms under which a person's name is filed: every script, every part, the whole, other names."""
    parts = (name.family, name.given, name.whole, *name.others)
    terms = {term for part in parts for term in _part_terms(part)}
    for key in name.whole_keys:
        terms.update(_beginnings(key))
    return terms


def _part_terms(part: NamePart) -> Iterator[str]:
    if part.kanji:
        yield from _neighbours(part.kanji)
    for key in part.keys:
        yield from _beginnings(key)
    for word in (part.latin or "").split():
        yield from _beginnings(_word_key(word))


def text_terms(text: str) -> set[str]:
    """List the terms of a company, a skill or other short text (its first 500 characters)."""
    terms: set[str] = set()
    for word in _words(text):
        if script_of(word) in ("kanji", "other"):
            terms.update(_neighbours(word))
        for run in _SCRIPT_RUN.findall(word):
            terms.update(_beginnings(_word_key(run)))
    return terms


def query_terms(query: str) -> list[str]:
    """List the terms that a candidate must all have to be found; empty when there is nothing to ask."""
    return list(dict.fromkeys(_asked(query)))[:_MOST_TERMS]


def _asked(query: str) -> Iterator[str]:
    for word in _words(query):
        if script_of(word) in ("kanji", "other"):
            yield from _pairs(word)
        elif key := _word_key(_open_end(word)):
            yield f"w:{key[:_LONGEST_BEGINNING]}"


def _open_end(word: str) -> str:
    """Drop the end of a word that is still being typed: c may become ch, which the key does not write with k."""
    return word[:-1] if len(word) > 1 and word.isascii() and word[-1] == "c" else word


def _words(text: str) -> Iterable[str]:
    folded = _APOSTROPHE.sub("", search_key(text[:_LONGEST_TEXT]).translate(_SMALL_KE))
    return filter(None, (word.strip("._") for word in _NOT_IN_WORD.sub(" ", folded).split()))


def _word_key(word: str) -> str:
    """Fold a word of letters to its romaji key; words with digits or signs (c++, 3m) stay as they are."""
    plain = word.replace(".", "")
    return romaji_key(plain) if plain.isalpha() or script_of(plain) == "kana" else plain


def _pairs(word: str) -> list[str]:
    return [f"n:{word[i : i + 2]}" for i in range(len(word) - 1)] or [f"n:{word}"]


def _neighbours(word: str) -> Iterator[str]:
    yield from (f"n:{letter}" for letter in word)
    yield from _pairs(word)


def _beginnings(key: str) -> Iterator[str]:
    return (f"w:{key[:end]}" for end in range(1, min(len(key), _LONGEST_BEGINNING) + 1))
