"""Names for made-up people: common Japanese and Western ones by rank, rarer ones put together from their usual parts.

The ranks are common knowledge, the shares a rule of thumb: that of a name falls with its rank r as 1 / (r + lag), which
is about how family names fall in most countries (Zipf, 1949; with Mandelbrot's lag, 1953). Combined at random they name
nobody in particular.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import product
from pathlib import Path
from typing import Final, Literal, NamedTuple

from app.normalise.names import name_part
from app.normalise.romaji import kana_to_romaji, romaji_key

Sex = Literal["f", "m"]
Age = Literal["older", "younger"]

JAPANESE: Final = 0.75
"""The share of Japanese among the people."""

_FILE: Final = Path(__file__).with_name("names.txt")
_KATAKANA: Final = "".join(map(chr, range(0x30A1, 0x30FB))) + "ー"
_LAG: Final = 13
_PUT_TOGETHER: Final = 0.35
"""The share of people whose name is no common one but put together from parts."""


class Name(NamedTuple):
    """One part of a name: `kanji` and `kana` of a Japanese one, `latin` as its bearer writes it."""

    latin: str
    kanji: str | None = None
    kana: str | None = None


@cache
def _sections() -> Mapping[str, Sequence[Name]]:
    """Read names.txt: names by rank under headings; Japanese ones are kanji with their reading behind, 佐藤サトウ."""
    parts = _FILE.read_text(encoding="utf-8").split("[")[1:]
    sections = (part.partition("]")[::2] for part in parts)
    return {heading: [_read(word) for word in words.split()] for heading, words in sections}


def _read(word: str) -> Name:
    kanji = word.rstrip(_KATAKANA)
    return Name(word) if word.isascii() or kanji == word else _japanese(kanji, word.removeprefix(kanji))


class Shares(NamedTuple):
    """Names with the share of each, which sum to 1."""

    names: Sequence[Name]
    shares: Sequence[float]


def _common(names: Sequence[Name]) -> Shares:
    weights = [1 / (rank + _LAG) for rank in range(1, len(names) + 1)]
    return Shares(names, [weight / sum(weights) for weight in weights])


def _with_rare(common: Shares, rare: Sequence[Name]) -> Shares:
    """Give the common names what is left of the rare ones; a name that is both is a common one."""
    known = {name[:2] for name in common.names}
    others = [name for name in dict.fromkeys(rare) if name[:2] not in known]
    shares = [share * (1 - _PUT_TOGETHER) for share in common.shares] + [_PUT_TOGETHER / len(others)] * len(others)
    return Shares([*common.names, *others], shares)


def _japanese(kanji: str, kana: str) -> Name:
    return Name(kana_to_romaji(kana).capitalize(), kanji, kana)


def _composed(heading: str, tag: str = "") -> list[Name]:
    """Put heads and tails together, such as 上 and 田, or Ash and ford."""
    heads, tails = _sections()[f"{heading} heads{tag}"], _sections()[f"{heading} tails{tag}"]
    return [_joined(head, tail) for head, tail in product(heads, tails) if head != tail]


def _joined(head: Name, tail: Name) -> Name:
    if head.kana is None or tail.kana is None:
        return Name(head.latin + tail.latin)
    return _japanese(f"{head.kanji}{tail.kanji}", head.kana + tail.kana)


@cache
def japanese_families() -> Shares:
    return _with_rare(_common(_sections()["japanese families"]), _composed("japanese family"))


@cache
def japanese_given(sex: Sex, age: Age) -> Shares:
    common = _common(_sections()[f"japanese given {sex} {age}"])
    return _with_rare(common, _composed("japanese given", f" {sex}"))


@cache
def western_families() -> Shares:
    return _with_rare(_common(_sections()["western families"]), _composed("western family"))


@cache
def western_given(sex: Sex) -> Shares:
    return _common(_sections()[f"western given {sex}"])


def words_of(heading: str) -> Sequence[str]:
    return [name.latin for name in _sections()[heading]]


@cache
def short_forms() -> Mapping[str, str]:
    """Return what some given names are called for short."""
    pairs = (word.split(":", 1) for word in words_of("short forms"))
    return dict(pairs)


class Frequency(NamedTuple):
    """The share of people, in 0..1, who have `value` as their `part` in the column (kanji or romaji key)."""

    part: str
    column: str
    value: str
    share: float


def frequencies() -> list[Frequency]:
    """Return the shares of family and given names among the people, the most common first."""
    found: dict[tuple[str, str, str], float] = {}
    for part, weight, table in _tables():
        for name, share in zip(table.names, table.shares, strict=True):
            written = name_part((name.kanji,)).kanji
            spellings = (("kanji", written), ("key", romaji_key(name.kana or name.latin)))
            for column, value in spellings:
                if value:
                    found[part, column, value] = found.get((part, column, value), 0.0) + weight * share
    return sorted((Frequency(*key, share) for key, share in found.items()), key=lambda each: (-each.share, each))


def _tables() -> Iterator[tuple[str, float, Shares]]:
    yield "family", JAPANESE, japanese_families()
    yield "family", 1 - JAPANESE, western_families()
    for sex in _SEXES:
        yield "given", (1 - JAPANESE) / 2, western_given(sex)
        for age in _AGES:
            yield "given", JAPANESE / 4, japanese_given(sex, age)


_SEXES: Final[tuple[Sex, ...]] = ("f", "m")
_AGES: Final[tuple[Age, ...]] = ("older", "younger")
_LEAST_SHARE: Final = 0.000_25


def frequencies_text() -> str:
    """Return the file of shipped frequencies: the shares of all names but those that are put together."""
    common = (each for each in frequencies() if each.share >= _LEAST_SHARE)
    return "".join(f"{each.part}\t{each.column}\t{each.value}\t{each.share:.3g}\n" for each in common)
