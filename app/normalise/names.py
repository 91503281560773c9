"""A person's name as features that can be compared."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from typing import Any

from app.normalise.name_split import Split, split_name, take_generation
from app.normalise.romaji import romaji_key
from app.normalise.text import clean, fold_kana, fold_latin, fold_variants, script_of

_NOT_LETTER = re.compile("[^a-z0-9 ]")
_NOT_WRITTEN = re.compile(r"[\W_]+")
_SMALL_KE = str.maketrans({"ヶ": "ケ", "ヵ": "カ"})
_ALIAS = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]|「([^「」]*)」|[\"“]([^\"“”]*)[\"”]")


@dataclass(frozen=True, slots=True)
class NameStatement:
    """What one record says of a name, as written; `other_names` are middle, maiden, married, nickname."""

    full_name: str | None = None
    family_name: str | None = None
    given_name: str | None = None
    full_name_kana: str | None = None
    family_name_kana: str | None = None
    given_name_kana: str | None = None
    family_name_romaji: str | None = None
    given_name_romaji: str | None = None
    other_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NamePart:
    """One part of a name in each script that shows it.

    `kanji` is folded, and also holds any script that is neither kana nor Latin; `kana` is katakana; `latin`
    is lower-case ASCII words. `keys` are the romaji keys of `kana` and `latin`.
    """

    kanji: str | None = None
    kana: str | None = None
    latin: str | None = None
    keys: tuple[str, ...] = ()

    @property
    def is_known(self) -> bool:
        return bool(self.kanji or self.kana or self.latin)

    @property
    def spellings(self) -> tuple[str, ...]:
        """What stands for this part in a key: the folded kanji and the romaji keys."""
        return (*((self.kanji,) if self.kanji else ()), *self.keys)


@dataclass(frozen=True, slots=True)
class NameFeatures:
    """A name ready to be compared. `whole` has no border; `split_score`, in 0..1, is set where it was guessed."""

    family: NamePart
    given: NamePart
    whole: NamePart
    others: tuple[NamePart, ...] = ()
    suffix: str | None = None
    split_score: float | None = None

    @property
    def sorted_pairs(self) -> frozenset[tuple[str, str]]:
        """Romaji keys of family and given name in alphabetical order: equal whichever came first."""
        pairs = product(self.family.keys, self.given.keys)
        return frozenset((min(pair), max(pair)) for pair in pairs)

    @property
    def whole_keys(self) -> frozenset[str]:
        """Romaji keys of the name without its border, family first and, where that is known, given first."""
        pairs = [*product(self.family.keys, self.given.keys), *product(self.given.keys, self.family.keys)]
        return frozenset(filter(None, (*(romaji_key(a + b) for a, b in pairs), *self.whole.keys)))


def name_part(texts: Iterable[str | None]) -> NamePart:
    """Join the spellings of one part, in whatever scripts; the first of each script counts."""
    shown: dict[str, str] = {}
    for text in texts:
        script = script_of(text) if text else None
        if text is None or script is None:
            continue
        channel = "kanji" if script == "other" else script
        folded = _folded(text, channel)
        if folded:
            shown.setdefault(channel, folded)
    keys = dict.fromkeys(romaji_key(shown[channel]) for channel in ("kana", "latin") if channel in shown)
    return NamePart(shown.get("kanji"), shown.get("kana"), shown.get("latin"), tuple(filter(None, keys)))


def _folded(text: str, channel: str) -> str:
    if channel == "latin":
        return " ".join(_NOT_LETTER.sub("", fold_latin(text)).split())
    if channel == "kana":
        return _NOT_WRITTEN.sub("", fold_kana(text))
    return _NOT_WRITTEN.sub("", fold_variants(fold_kana(text.casefold())).translate(_SMALL_KE))


def with_kana(part: NamePart, kana: str | None) -> NamePart:
    """Give the part another reading and make its keys anew."""
    keys = dict.fromkeys(filter(None, (romaji_key(kana or ""), romaji_key(part.latin or ""))))
    return replace(part, kana=kana, keys=tuple(keys))


@lru_cache(maxsize=4_096)
def parse_name(statement: NameStatement) -> NameFeatures | None:
    """Read a name, or return None when the statement holds no letter at all."""
    full, aliases = _without_aliases(statement.full_name)
    full_kana, more = _without_aliases(statement.full_name_kana)
    written = _form(statement.family_name, statement.given_name, full)
    forms = [
        written,
        _form(statement.family_name_kana, statement.given_name_kana, full_kana),
        _form(statement.family_name_romaji, statement.given_name_romaji, None),
    ]
    names = list(statement.other_names)
    for alias in (*aliases, *more):
        if _is_same_name(alias, written.whole):
            forms.append(split_name(alias))
        else:
            names.append(alias)
    whole = name_part(form.whole for form in forms)
    if not whole.is_known:
        return None
    return NameFeatures(
        family=name_part(form.family for form in forms),
        given=name_part(form.given for form in forms),
        whole=whole,
        others=_others(names),
        suffix=next((form.suffix for form in forms if form.suffix), None),
        split_score=written.score,
    )


def _without_aliases(text: str | None) -> tuple[str | None, tuple[str, ...]]:
    """Take off what stands in brackets or quotes beside a full name."""
    cleaned = clean(text or "")
    found = tuple(clean("".join(groups)) for groups in _ALIAS.findall(cleaned))
    return clean(_ALIAS.sub(" ", cleaned)) or None, tuple(filter(None, found))


def _is_same_name(alias: str, whole: str | None) -> bool:
    """Say whether brackets hold the name in another script, 山田太郎(ヤマダタロウ), not another name."""
    script = script_of(alias)
    if script is None or script == script_of(whole or ""):
        return False
    return script in ("kana", "kanji") or " " in alias


def _form(family: str | None, given: str | None, full: str | None) -> Split:
    """Split one spelling of the name; stated parts win over those found in the full name."""
    family, given = clean(family or "") or None, clean(given or "") or None
    if family and given:
        return _stated(family, given, full)
    if not full:
        return _stated(family, given)
    if stated := family or given:
        rest = clean(full.removeprefix(stated) if full.startswith(stated) else full.removesuffix(stated))
        if rest != full:
            return _stated(family or rest or None, given or rest or None)
    return split_name(full)


def _stated(family: str | None, given: str | None, full: str | None = None) -> Split:
    """Take parts as they are stated; a generation stands in one of them, or in the full name alone."""
    if script_of((family or "") + (given or "")) != "latin":
        return Split(family, given, "".join(filter(None, (family, given))) or None)
    bare_family, suffix = take_generation(family or "")
    bare_given, given_suffix = take_generation(given or "")
    whole = " ".join(filter(None, (bare_given, bare_family)))
    suffix = suffix or given_suffix or (split_name(full).suffix if full else None)
    return Split(bare_family or None, bare_given or None, whole or None, None, suffix)


def _others(names: Iterable[str]) -> tuple[NamePart, ...]:
    words = dict.fromkeys(word for name in names for word in clean(name).split())
    return tuple(filter(lambda part: part.is_known, (name_part((word,)) for word in words)))


def dump_name(features: NameFeatures) -> dict[str, Any]:
    """Write features as a JSON object."""
    return {
        "family": _dump_part(features.family),
        "given": _dump_part(features.given),
        "whole": _dump_part(features.whole),
        "others": [_dump_part(part) for part in features.others],
        "suffix": features.suffix,
        "split_score": features.split_score,
    }


def _dump_part(part: NamePart) -> dict[str, Any]:
    return {"kanji": part.kanji, "kana": part.kana, "latin": part.latin, "keys": list(part.keys)}


def load_name(stored: dict[str, Any]) -> NameFeatures:
    """Read the features that `dump_name` wrote, also after they went through JSON."""
    return NameFeatures(
        family=_load_part(stored["family"]),
        given=_load_part(stored["given"]),
        whole=_load_part(stored["whole"]),
        others=tuple(map(_load_part, stored["others"])),
        suffix=stored["suffix"],
        split_score=stored["split_score"],
    )


def _load_part(stored: dict[str, Any]) -> NamePart:
    return NamePart(stored["kanji"], stored["kana"], stored["latin"], tuple(stored["keys"]))
