"""The comparisons of the model and their levels: which level two records meet on each feature.

A verdict is a function of the level; what a level weighs is the model's. The names of comparisons and levels are those
of the model file.
"""

from collections.abc import Collection, Sequence
from typing import Final, Literal, NamedTuple

from app.normalise.name_parts import Likeness, compare_parts, one_edit
from app.normalise.name_verdict import name_verdict
from app.normalise.names import NameFeatures

Verdict = Literal["agree", "partial", "disagree", "missing", "generic", "prior"]

CONTRADICTING: Final = frozenset({"given_differs", "names_differ"})
"""Levels of the name at which the given names or the generations exclude each other."""


class Level(NamedTuple):
    """One level of a comparison; `counted` is the column whose frequency in the pool weighs with it."""

    name: str
    verdict: Verdict
    counted: str | None = None


NAME: Final = (
    Level("kanji", "agree", "name_kanji"),
    Level("reading", "agree", "name_key"),
    Level("swapped", "agree", "name_key"),
    Level("other_spelling", "partial"),
    Level("near", "partial"),
    Level("family_changed", "partial"),
    Level("one_part", "partial"),
    Level("given_differs", "disagree"),
    Level("names_differ", "disagree"),
    Level("other_part", "disagree"),
)
SHARED: Final = (Level("shared", "agree"), Level("not_shared", "disagree"))
BIRTH_DATE: Final = (Level("equal", "agree"), Level("near", "partial"), Level("differs", "disagree"))
EMPLOYER: Final = (Level("equal", "agree", "employer"), Level("differs", "disagree"))
COMPARISONS: Final[dict[str, tuple[Level, ...]]] = {
    "name": NAME,
    "email": SHARED,
    "mobile": SHARED,
    "fixed_phone": SHARED,
    "profile_url": SHARED,
    "birth_date": BIRTH_DATE,
    "employer": EMPLOYER,
    "external_id": SHARED,
}
"""Every comparison in the order of an explanation, its levels in the order in which they are tried."""

LEVELS: Final = {(comparison, level.name): level for comparison, levels in COMPARISONS.items() for level in levels}

_PARTIAL: Final = {
    "given_only": "one_part",
    "family_only": "one_part",
    "one_word": "one_part",
    "family_changed": "family_changed",
    **dict.fromkeys(
        (
            f"{part}_{likeness}"
            for part in ("given", "family")
            for likeness in (Likeness.OTHER_KANJI, Likeness.OTHER_READING, Likeness.LONG_VOWEL)
        ),
        "other_spelling",
    ),
}


class Found(NamedTuple):
    """What comparing one feature gave: the level (None: nothing to compare), and the values that decided."""

    level: str | None
    left: str | None = None
    right: str | None = None
    is_generic: bool = False


NOTHING: Final = Found(None)


def name_level(a: NameFeatures | None, b: NameFeatures | None) -> str | None:
    """Return the level that two names meet; symmetric. None: nothing that could be compared."""
    verdict, level, contradicts = name_verdict(a, b)
    if verdict == "missing" or a is None or b is None:
        return None
    if verdict == "agree":
        return _agreeing(level, a, b)
    if verdict == "partial":
        return _PARTIAL.get(level, "near")
    if not contradicts:
        return "other_part"
    family = compare_parts(a.family, b.family, is_given=False)
    return "given_differs" if family is Likeness.EQUAL else "names_differ"


def _agreeing(level: str, a: NameFeatures, b: NameFeatures) -> str:
    if level == "swapped":
        return "swapped"
    return "kanji" if a.whole.kanji and a.whole.kanji == b.whole.kanji else "reading"


def shared_level(left: Sequence[str], right: Sequence[str], generic: Collection[str]) -> Found:
    """Compare two lists of match keys; values of `generic` weigh nothing, and are told where only they are shared."""
    if not left or not right:
        return NOTHING if not (left or right) else Found(None, _first(left), _first(right))
    telling = [value for value in left if value not in generic], [value for value in right if value not in generic]
    both = next((value for value in telling[0] if value in telling[1]), None)
    if both is not None:
        return Found("shared", both, both)
    nobodys = next((value for value in left if value in right), None)
    if nobodys is not None:
        return Found(None, nobodys, nobodys, is_generic=True)
    return Found("not_shared" if all(telling) else None, _first(telling[0] or left), _first(telling[1] or right))


def url_level(left: Sequence[str], right: Sequence[str], generic: Collection[str]) -> Found:
    """Compare profile URLs: only profiles on one site can differ."""
    found = shared_level(left, right, generic)
    if found.level != "not_shared":
        return found
    sites = {site_of(each) for each in left if each not in generic}
    for theirs in right:
        if theirs not in generic and site_of(theirs) in sites:
            mine = next(each for each in left if each not in generic and site_of(each) == site_of(theirs))
            return Found("not_shared", mine, theirs)
    return Found(None, found.left, found.right)


def site_of(url: str) -> str:
    """Return the host of a profile's match key."""
    return url.partition("/")[0]


def birth_level(left: str | None, right: str | None) -> Found:
    """Compare birth dates (ISO 8601): near is one digit or two neighbouring ones, or day and month exchanged."""
    if left is None or right is None:
        return Found(None, left, right)
    if left == right:
        return Found("equal", left, right)
    swapped = f"{left[:4]}-{left[8:]}-{left[5:7]}"
    return Found("near" if swapped == right or one_edit(left, right) else "differs", left, right)


def employer_level(left: str | None, right: str | None) -> Found:
    """Compare employers by their match keys."""
    if left is None or right is None:
        return Found(None, left, right)
    return Found("equal" if left == right else "differs", left, right)


def external_level(left: Sequence[str], right: Sequence[str], unique_sources: Collection[str]) -> Found:
    """Compare external ids: other ids weigh nothing but in a source that gives each person one."""
    both = next((each for each in left if each in right), None)
    if both is not None:
        return Found("shared", both, both)
    for mine in left:
        source = mine.partition("\x1f")[0]
        theirs = next((each for each in right if each.partition("\x1f")[0] == source), None)
        if theirs is not None and source in unique_sources:
            return Found("not_shared", mine, theirs)
    return NOTHING


def _first(values: Sequence[str]) -> str | None:
    return values[0] if values else None
