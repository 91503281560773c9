"""Whether two names can be one person's."""

from dataclasses import replace
from itertools import product
from typing import Literal, NamedTuple

from app.normalise.name_parts import Likeness, compare_parts, is_same_kana
from app.normalise.names import NameFeatures, NamePart, with_kana

Verdict = Literal["agree", "partial", "disagree", "missing"]
NameScript = Literal["kanji", "kana", "romaji"]

_FEWEST_KANA = 5
_RANK: dict[Verdict, int] = {"agree": 3, "partial": 2, "missing": 1, "disagree": 0}


class NameVerdict(NamedTuple):
    """`level` says by what; with `contradicts` the given names or generations exclude each other."""

    verdict: Verdict
    level: str
    contradicts: bool = False


def name_verdict(a: NameFeatures | None, b: NameFeatures | None) -> NameVerdict:
    """Compare two names; symmetric. A missing name, or scripts without a bridge, is `missing`.

    `agree`: both parts equal in a script that both show and different in no other, the order aside.
    `partial`: not contradicting, and one part equal, by nickname, by initial or one edit apart.
    """
    if a is None or b is None:
        return NameVerdict("missing", "absent")
    if a.suffix != b.suffix and a.whole.latin and b.whole.latin:
        return NameVerdict("disagree", "generation", contradicts=True)
    if _is_one_word(a) or _is_one_word(b):
        return _compare_words(a, b)
    left, right = _aligned(a, b), _aligned(b, a)
    straight = _compare_both(left, right)
    if straight.verdict == "agree":
        return _with_whole_reading(straight, a, b)
    return _in_either_order(straight, left, right)


def equal_scripts(a: NameFeatures, b: NameFeatures) -> frozenset[NameScript]:
    """Name the scripts in which two whole names are equal, the order of the parts aside."""
    kanji = not _orders(a, "kanji").isdisjoint(_orders(b, "kanji"))
    kana = any(is_same_kana(mine, theirs) for mine, theirs in product(_orders(a, "kana"), _orders(b, "kana")))
    romaji = bool(a.sorted_pairs & b.sorted_pairs) or bool(a.whole_keys & b.whole_keys)
    found: dict[NameScript, bool] = {"kanji": kanji, "kana": kana, "romaji": romaji}
    return frozenset(script for script, is_equal in found.items() if is_equal)


def _orders(features: NameFeatures, script: Literal["kanji", "kana"]) -> set[str]:
    family, given, whole = (getattr(part, script) for part in (features.family, features.given, features.whole))
    borders = {family + given, given + family} if family and given else set()
    return borders | ({whole} if whole else set())


def _is_one_word(features: NameFeatures) -> bool:
    return not (features.family.is_known or features.given.is_known)


def _compare_both(a: NameFeatures, b: NameFeatures) -> NameVerdict:
    given = _likeness(a, b, is_given=True)
    if given is Likeness.DIFFERENT:
        return NameVerdict("disagree", "given_differs", contradicts=True)
    family = _likeness(a, b, is_given=False)
    if family is given is Likeness.UNKNOWN:
        return NameVerdict("missing", "no_common_script")
    if family is given is Likeness.EQUAL:
        return NameVerdict("agree", "equal")
    if given.is_matched:
        return NameVerdict("partial", _partial_level(family, given))
    if family.is_matched:
        return NameVerdict("partial", "family_only")
    return NameVerdict("disagree", "family_differs")


def _partial_level(family: Likeness, given: Likeness) -> str:
    if family is Likeness.UNKNOWN:
        return "given_only"
    if given is not Likeness.EQUAL:
        return f"given_{given}"
    return "family_changed" if family is Likeness.DIFFERENT else f"family_{family}"


def _likeness(a: NameFeatures, b: NameFeatures, *, is_given: bool) -> Likeness:
    mine, theirs = (a.given, b.given) if is_given else (a.family, b.family)
    found = compare_parts(mine, theirs, is_given=is_given)
    if found is Likeness.DIFFERENT and (_is_among(mine, b.others) or _is_among(theirs, a.others)):
        return Likeness.OTHER_NAME
    return found


def _is_among(part: NamePart, others: tuple[NamePart, ...]) -> bool:
    return any(compare_parts(part, other, is_given=True) is Likeness.EQUAL for other in others)


def _compare_swapped(a: NameFeatures, b: NameFeatures) -> NameVerdict | None:
    """Compare with the parts of one side exchanged; None unless both then match."""
    family = compare_parts(a.family, b.given, is_given=True)
    if not family.is_matched:
        return None
    given = compare_parts(a.given, b.family, is_given=True)
    if not given.is_matched:
        return None
    if family is given is Likeness.EQUAL:
        return NameVerdict("agree", "swapped")
    return NameVerdict("partial", "swapped_near")


def _in_either_order(straight: NameVerdict, a: NameFeatures, b: NameFeatures) -> NameVerdict:
    swapped = _compare_swapped(a, b)
    if swapped is None:
        return straight
    if straight.verdict == swapped.verdict == "partial" and _is_read_crosswise(a, b):
        return NameVerdict("agree", "equal")
    return max(straight, swapped, key=lambda found: _RANK[found.verdict])


def _is_read_crosswise(a: NameFeatures, b: NameFeatures) -> bool:
    """Say whether names are equal but for the order of a reading: 山本芽久 as Yamamoto Megu and as Megu Yamamoto."""
    shown = ("latin",), ("kana", "latin", "keys")
    crossed = [(_exchanged(one, *each), other) for one, other in ((a, b), (b, a)) for each in shown]
    found = (compare(*each) for each in crossed for compare in (_compare_both, _compare_swapped))
    return any(each and each.verdict == "agree" for each in found)


def _exchanged(name: NameFeatures, *shown: str) -> NameFeatures:
    family, given = ({each: getattr(part, each) for each in shown} for part in (name.family, name.given))
    return replace(name, family=replace(name.family, **given), given=replace(name.given, **family))


def _with_whole_reading(found: NameVerdict, a: NameFeatures, b: NameFeatures) -> NameVerdict:
    """Lower an `agree` of kanji to `partial` where readings without a border, compared whole, differ."""
    mine, theirs = a.whole.kana, b.whole.kana
    is_split = any(part.kana for part in (a.family, a.given, b.family, b.given))
    if mine and theirs and not is_split and not is_same_kana(mine, theirs):
        return NameVerdict("partial", "given_other_reading")
    return found


def _compare_words(a: NameFeatures, b: NameFeatures) -> NameVerdict:
    """Compare a name of one word: a family name, a given name, or both without a border."""
    whole = compare_parts(a.whole, b.whole, is_given=True)
    if whole is Likeness.EQUAL and (_is_full(a) or _is_full(b)):
        return NameVerdict("agree", "equal_unsplit")
    word, other = (a, b) if _is_one_word(a) else (b, a)
    found = {whole, *(compare_parts(word.whole, part, is_given=True) for part in (other.family, other.given))}
    if any(likeness.is_matched for likeness in found):
        return NameVerdict("partial", "one_word")
    if Likeness.DIFFERENT in found:
        return NameVerdict("disagree", "word_differs")
    return NameVerdict("missing", "no_common_script")


def _is_full(features: NameFeatures) -> bool:
    return (features.family.is_known and features.given.is_known) or len(features.whole.kana or "") >= _FEWEST_KANA


def _aligned(a: NameFeatures, b: NameFeatures) -> NameFeatures:
    """Put the borders of `a` where `b` states them, if `a` has none or a guess and its letters allow it."""
    aligned = _aligned_kanji(a, b)
    if a.whole.kana is None or a.family.kana or a.given.kana or b.family.kana is None:
        return aligned
    if not a.whole.kana.startswith(b.family.kana):
        return aligned
    given = a.whole.kana.removeprefix(b.family.kana) or None
    return replace(aligned, family=with_kana(aligned.family, b.family.kana), given=with_kana(aligned.given, given))


def _aligned_kanji(a: NameFeatures, b: NameFeatures) -> NameFeatures:
    is_open = a.split_score is not None or not (a.family.kanji or a.given.kanji)
    if not is_open or b.split_score is not None or a.whole.kanji is None or b.family.kanji is None:
        return a
    if not a.whole.kanji.startswith(b.family.kanji):
        return a
    given = a.whole.kanji.removeprefix(b.family.kanji) or None
    return replace(a, family=replace(a.family, kanji=b.family.kanji), given=replace(a.given, kanji=given))
