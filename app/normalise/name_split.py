"""Where the family name ends and the given name begins."""

import re
from functools import cache
from typing import NamedTuple

from namedivider_core import BasicNameDivider

from app.normalise.name_lists import long_surnames
from app.normalise.text import fold_latin, fold_variants, script_of

_SEPARATOR = re.compile(r"[\s・=_/]+")
_LATIN_SEPARATOR = re.compile(r"[^\w'’`.-]+|_+")
_TITLE = frozenset(("mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sir"))
_HONORIFIC = re.compile(r"(?:\s*(?:様|殿|先生|氏)|\s+(?:さん|さま|くん|君))$")
_DEGREE = frozenset(("phd", "md", "mba", "msc", "bsc", "ma", "ba", "ms", "cpa", "esq", "pe", "pmp", "cfa"))
_SUFFIX = {
    "jr": "jr", "junior": "jr", "sr": "sr", "senior": "sr", "ii": "ii", "iii": "iii", "iv": "iv",
    "2nd": "ii", "3rd": "iii",
}  # fmt: skip
_PARTICLES = "van von de da di del della der den la le du dos das bin ibn al el ter ten"
_PARTICLE = frozenset(_PARTICLES.split())
_LETTERS = re.compile("[^a-z0-9]")


class Split(NamedTuple):
    """Parts of one written name; `score`, in 0..1, only where the border was guessed."""

    family: str | None = None
    given: str | None = None
    whole: str | None = None
    score: float | None = None
    suffix: str | None = None


def split_name(cleaned: str) -> Split:
    """Split a cleaned full name: Japanese family first, Latin given first unless a comma or capitals tell.

    A name of one word that is neither kanji nor long enough to divide has only `whole`.
    """
    return _split_latin(cleaned) if script_of(cleaned) == "latin" else _split_japanese(cleaned)


def _split_japanese(cleaned: str) -> Split:
    name = _HONORIFIC.sub("", cleaned) or cleaned
    words = [word for word in _SEPARATOR.split(name.replace(",", " ").replace("、", " ")) if word]
    if len(words) < 2:
        return _divide(words[0]) if words else Split()
    whole = "".join(words)
    foreign_order = "・" in name or (script_of(words[0]) == "latin" and script_of(words[-1]) == "kanji")
    if foreign_order:
        return Split(words[-1], " ".join(words[:-1]), whole)
    return Split(words[0], " ".join(words[1:]), whole)


@cache
def _divider() -> BasicNameDivider:
    return BasicNameDivider()


def _divide(word: str) -> Split:
    """Guess the border in an unsplit name that begins with kanji; two characters are taken for a family name."""
    if script_of(word) != "kanji" or script_of(word[0]) != "kanji" or len(word) < 3:
        return Split(whole=word)
    head = fold_variants(word[:3])
    if word[:3] in long_surnames() or head in long_surnames():
        return Split(word[:3], word[3:], word, 1.0) if len(word) > 3 else Split(word, None, word)
    divided = _divider().divide_name(word)
    return Split(divided.family, divided.given, word, float(divided.score))


def _bare(word: str) -> str:
    return _LETTERS.sub("", fold_latin(word))


def _split_latin(cleaned: str) -> Split:
    segments = [segment for segment in map(_latin_words, cleaned.split(",")) if segment]
    kept, suffix = _without_titles(segments, fewest=1 if len(segments) > 1 else 2)
    words = [word for segment in kept for word in segment]
    if len(words) < 2:
        return Split(whole=words[0] if words else None, suffix=suffix)
    family, given = _order(kept, words)
    return Split(" ".join(family) or None, " ".join(given) or None, " ".join(words), None, suffix)


def take_generation(latin: str) -> tuple[str, str | None]:
    """Latin words of a part without titles, and the generation (Jr.) that was written with them."""
    kept, suffix = _without_titles([words] if (words := _latin_words(latin)) else [], fewest=1)
    return " ".join(word for segment in kept for word in segment), suffix


def _latin_words(segment: str) -> list[str]:
    return [word for word in _LATIN_SEPARATOR.split(segment.replace(".", ". ")) if _bare(word)]


def _without_titles(segments: list[list[str]], *, fewest: int) -> tuple[list[list[str]], str | None]:
    """Drop titles in front, degrees behind a comma, and take the generation (Jr., III) from an end.

    Before the first comma it is one only behind `fewest` words: Carlos Junior may be all of a name.
    """
    suffix = None
    kept: list[list[str]] = []
    for position, segment in enumerate(segments):
        words = segment[1:] if position == 0 and len(segment) > 1 and _bare(segment[0]) in _TITLE else segment
        if position and all(_bare(word) in _DEGREE for word in words):
            continue
        least = 0 if position else fewest
        if len(words) > least and _bare(words[-1]) in _SUFFIX:
            suffix, words = _SUFFIX[_bare(words[-1])], words[:-1]
        if words:
            kept.append(words)
    return kept, suffix


def _order(segments: list[list[str]], words: list[str]) -> tuple[list[str], list[str]]:
    if len(segments) > 1:
        return segments[0], [word for segment in segments[1:] for word in segment]
    capitals = [word for word in words if len(_bare(word)) > 1 and word.isupper()]
    if capitals and len(capitals) < len(words) and (words[0] in capitals or words[-1] in capitals):
        return capitals, [word for word in words if word not in capitals]
    start = next((i for i, word in enumerate(words) if i and _bare(word) in _PARTICLE), len(words) - 1)
    return words[start:], words[:start]
