"""Search terms: what a name, a company or a skill is filed under, and what a query asks for.

`n:` terms are two neighbouring characters of writing that holds kanji, and its last one alone. `w:` terms are words in
Latin letters; readings in kana are words too, by their romaji key, so that サトウ, さとう, Sato and satoh meet. What is
asked may be the beginning of a term: `is_open` says of which terms that holds.
"""

import re
from collections.abc import Collection, Iterable, Iterator

from app.normalise.names import NameFeatures, NamePart
from app.normalise.romaji import romaji_key
from app.normalise.text import script_of, search_key

_LONGEST_WORD = 40
_MOST_TERMS = 32
_LONGEST_TEXT = 500
_NOT_IN_WORD = re.compile(r"[^\w+#.ー]+")
_APOSTROPHE = re.compile("['’`]")
_SCRIPT_RUN = re.compile(r"[a-z0-9+#.]+|[ァ-ヺー]+")
_HONORIFIC = re.compile("(?<=..)(?:サン|サマ|様|氏|殿)$")
_SMALL_KE = str.maketrans({"ヶ": "ケ", "ヵ": "カ"})


def name_terms(name: NameFeatures) -> set[str]:
    """List the terms under which a person's name is filed: every script, every part, the whole, other names."""
    terms = {term for part in (name.whole, *name.others) for term in _neighbours(part.kanji or "")}
    for part in (name.family, name.given, name.whole, *name.others):
        terms.update(_words_of(part))
    return terms.union(map(_word, name.whole_keys))


def _words_of(part: NamePart) -> Iterator[str]:
    yield from map(_word, part.keys)
    for word in (part.latin or "").split():
        if key := _word_key(word):
            yield _word(key)


def text_terms(text: str) -> set[str]:
    """List the terms of a company, a skill or other short text (its first 500 characters)."""
    terms: set[str] = set()
    for word in _words(text):
        if script_of(word) in ("kanji", "other"):
            terms.update(_neighbours(word))
        for run in _SCRIPT_RUN.findall(word):
            if key := _word_key(run):
                terms.add(_word(key))
    return terms


def query_terms(query: str) -> list[str]:
    """List the terms that a candidate must all have to be found; empty when there is nothing to ask."""
    return list(dict.fromkeys(_asked(query)))[:_MOST_TERMS]


def is_open(term: str) -> bool:
    """Say whether what is asked by `term` may go on: words being typed, and one character, which begins a pair."""
    return term.startswith("w:") or len(term) == len("n:") + 1


def answers(term: str, filed: Collection[str]) -> bool:
    """Say whether somebody who is filed under these terms is found by `term`."""
    return term in filed or (is_open(term) and any(each.startswith(term) for each in filed))


def _asked(query: str) -> Iterator[str]:
    for word in _words(query):
        if script_of(word) in ("kanji", "other"):
            yield from _pairs(_HONORIFIC.sub("", word))
        elif key := _word_key(_open_end(word)):
            yield _word(key)


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


def _neighbours(text: str) -> Iterator[str]:
    yield from (f"n:{text[i : i + 2]}" for i in range(len(text)))


def _word(key: str) -> str:
    return f"w:{key[:_LONGEST_WORD]}"
