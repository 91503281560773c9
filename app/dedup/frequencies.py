"""The shipped frequencies of names: how common a full name is before a pool has told.

`frequencies.tsv` holds the shares of common family and given names, folded kanji and romaji keys, among the made-up
people that the shipped model was trained on; names combine freely, so a full name has the product of its parts' shares.
"""

from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from app.dedup.sides import SEPARATOR, Side

FILE: Final = Path(__file__).with_name("frequencies.tsv")


def shipped(side: Side) -> dict[str, float]:
    """Return column → share of the shipped records that hold this record's value, in 0..1."""
    return {column: share(column, value) for column, value in side.counted()}


@lru_cache(maxsize=65_536)
def share(column: str, value: str) -> float:
    """Return the share of one value; 0.0 of unknown names and of what is no name."""
    if column == "name_kanji":
        families, given = _shares("family", "kanji"), _shares("given", "kanji")
        borders = ((value[:border], value[border:]) for border in range(1, len(value)))
        return max((families.get(a, 0.0) * given.get(b, 0.0) for a, b in borders), default=0.0)
    if column == "name_key" and SEPARATOR in value:
        families, given = _shares("family", "key"), _shares("given", "key")
        first, _, second = value.partition(SEPARATOR)
        return sum(families.get(a, 0.0) * given.get(b, 0.0) for a, b in {(first, second), (second, first)})
    return 0.0


@cache
def _shares(part: str, script: str) -> Mapping[str, float]:
    rows = (line.split("\t") for line in FILE.read_text(encoding="utf-8").splitlines())
    return {value: float(stated) for of, written, value, stated in rows if (of, written) == (part, script)}
