"""Folding of written text: width, spaces, case, kana and variant kanji."""

import re
import unicodedata
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

Script = Literal["kanji", "kana", "latin", "other"]

# Zero-width and soft characters, variation selectors (葛󠄀), surrogates without a partner.
_INVISIBLE = re.compile(
    "[\u00ad\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef\ud800-\udfff]"
)
_BLANK = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_MARK = re.compile("[\u0300-\u036f]")
_REPEATED = re.compile(r"(\S)([々ヽ]+)")
_KATAKANA = {code: code + 0x60 for code in (*range(0x3041, 0x3097), 0x309D, 0x309E)}
# Letters that Unicode does not decompose into a base and a mark.
_PLAIN_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})
_KANA_RANGES = ((0x3041, 0x309F), (0x30A1, 0x30FA), (0x30FC, 0x30FF), (0x31F0, 0x31FF))
_KANJI_RANGES = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF), (0x3005, 0x3007))


def clean(text: str) -> str:
    """Apply NFKC, drop invisible characters, make runs of blanks and controls one space, none at the ends."""
    if text.isascii() and text.isalnum():
        return text
    return _BLANK.sub(" ", unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))).strip()


def fold_kana(text: str) -> str:
    """Clean the text and write hiragana and half-width kana as full katakana."""
    cleaned = clean(text)
    # Composed again: わ with a voicing mark has no composed hiragana, but a katakana.
    return cleaned if cleaned.isascii() else unicodedata.normalize("NFC", cleaned.translate(_KATAKANA))


def fold_variants(text: str) -> str:
    """Clean the text, write variant kanji in one form (髙 as 高) and iteration marks out (佐々木)."""
    cleaned = clean(text)
    if cleaned.isascii():
        return cleaned
    spelled = _REPEATED.sub(lambda found: found[1] * len(found[0]), cleaned.translate(_variants()))
    return unicodedata.normalize("NFC", spelled)


@cache
def _variants() -> dict[int, str]:
    """Load the fold table of the MJ shrink map; see mj_fold.LICENSE.txt."""
    lines = Path(__file__).with_name("mj_fold.tsv").read_text(encoding="utf-8").splitlines()
    return {ord(variant): base for variant, base in (line.split("\t") for line in lines)}


def fold_latin(text: str) -> str:
    """Clean and lower-case the text and drop accents of Latin letters; kana keep their voicing marks."""
    cleaned = clean(text)
    if cleaned.isascii():
        return cleaned.lower()
    lowered = unicodedata.normalize("NFKC", cleaned.casefold())
    plain = "".join(map(_without_accent, lowered)).translate(_PLAIN_LETTERS)
    return clean(_MARK.sub("", plain))


def _without_accent(letter: str) -> str:
    base = unicodedata.normalize("NFD", letter)
    return base[0] if len(base) > 1 and base[0] < "\u0250" else letter


def search_key(text: str) -> str:
    """Give one spelling to what a reader takes for the same: case, accents, width, kana, variant kanji."""
    return fold_variants(fold_kana(fold_latin(text)))


def script_of(text: str) -> Script | None:
    """Tell the script of cleaned text: kanji if any, kana or Latin if all letters are; None without any."""
    if text.isascii():
        return "latin" if any(map(str.isalpha, text)) else None
    kinds = {_letter_script(letter) for letter in text if letter.isalpha()}
    if "kanji" in kinds:
        return "kanji"
    return kinds.pop() if len(kinds) == 1 else ("other" if kinds else None)


@lru_cache(maxsize=8_192)
def _letter_script(letter: str) -> Script:
    code = ord(letter)
    if code < 0x250 or 0x1E00 <= code <= 0x1EFF:
        return "latin"
    if any(low <= code <= high for low, high in _KANA_RANGES):
        return "kana"
    return "kanji" if any(low <= code <= high for low, high in _KANJI_RANGES) else "other"
