"""Deterministic matching: verdicts by feature, and what they decide while no weights are trained.

Three rules link by themselves: a shared e-mail, mobile or personal profile URL that is not generic, under an agreeing
name; the same, where one side has no name and nobody else shares it; and a rule of the tenant. A shared one of these
under any other name, and an agreeing name with one more agreeing feature, open a pair.

The figures of a decision by rule are fixed: a link weighs +20 bits (the cap of the model's levels), a pair 0 bits, that
is a probability of one half, anything else −20 bits. The bits lie in equal parts on the features that agree (on the
prior, where none does), so that the evidence sums to the weight.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final, Literal

from app.candidates.features import Features, Kind
from app.candidates.profile import SOURCE_ORDER
from app.normalise.name_verdict import Verdict, equal_scripts, name_verdict
from app.normalise.names import NameFeatures

Decision = Literal["same", "possible", "different"]
Reason = Literal["possible", "contradiction", "several", "generic", "requested"]

FEATURES: Final = (
    "name", "email", "mobile", "fixed_phone", "profile_url", "birth_date", "employer", "external_id",
)  # fmt: skip
STRONG: Final = frozenset({"email", "mobile", "profile_url"})
SUPPORT: Final = frozenset({"birth_date", "employer", "fixed_phone"})
BITS: Final[Mapping[str, float]] = {"same": 20.0, "possible": 0.0, "different": -20.0}
_RANK: Final[Mapping[str, int]] = {"same": 0, "possible": 1, "different": 2}
_LINES: Final[tuple[tuple[str, Kind, str | None], ...]] = (
    ("email", "email", None),
    ("mobile", "phone", "mobile"),
    ("fixed_phone", "phone", "fixed"),
    ("profile_url", "url", None),
)


@dataclass(frozen=True, slots=True)
class Policy:
    """A tenant's words on matching; see the contract for the meaning of each."""

    auto_threshold: float = 0.99
    review_threshold: float = 0.5
    min_agreeing: int = 2
    automatic: bool = True
    rules: tuple[Mapping[str, Any], ...] = ()
    unique_sources: tuple[str, ...] = ()
    source_order: tuple[str, ...] = SOURCE_ORDER


@dataclass(frozen=True, slots=True)
class Evidence:
    """One row of an explanation; `weight` is in bits."""

    feature: str
    verdict: str
    weight: float = 0.0
    left: str | None = None
    right: str | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What two people's statements say: `is_nameless` when one side has no name but shares something strong."""

    decision: Decision
    reason: Reason
    evidence: tuple[Evidence, ...]
    contradicts: bool = False
    is_nameless: bool = False

    @property
    def agreeing(self) -> frozenset[str]:
        return frozenset(row.feature for row in self.evidence if row.verdict == "agree")

    @property
    def weight(self) -> float:
        """Bits: the sum of the evidence."""
        return sum(row.weight for row in self.evidence)

    @property
    def probability(self) -> float:
        """`1/(1 + 2^−weight)`, in 0..1."""
        return float(1.0 / (1.0 + 2.0**-self.weight))

    @property
    def order(self) -> tuple[int, int]:
        """Sorts the best first."""
        return _RANK[self.decision], -len(self.agreeing)

    def decided(self, decision: Decision, reason: Reason | None = None) -> "Judgement":
        """Return this judgement with another decision and the bits that go with it."""
        return replace(
            self, decision=decision, reason=reason or self.reason, evidence=tuple(weighed(self.evidence, decision))
        )


def judge(
    left: Sequence[Features], right: Sequence[Features], policy: Policy, generic: Collection[tuple[str, str]] = ()
) -> Judgement:
    """Judge two people by the best pair of their records; a contradiction between any two holds a link back.

    `generic` holds (kind, match key) of values that too many people share.
    """
    pairs = [judge_records(a, b, policy, generic) for a in left for b in right]
    best = min(pairs, key=lambda found: found.order)
    if best.is_nameless and _have_names(left) and _have_names(right):
        is_agreed = any(each.evidence[0].verdict == "agree" for each in pairs)
        best = replace(best, is_nameless=False).decided("same" if is_agreed else "possible", "possible")
    if best.decision != "different" and any(each.contradicts for each in pairs):
        return replace(best.decided("possible", "contradiction"), contradicts=True)
    return best


def _have_names(people: Iterable[Features]) -> bool:
    return any(each.name for each in people)


def judge_records(left: Features, right: Features, policy: Policy, generic: Collection[tuple[str, str]]) -> Judgement:
    """Judge two records."""
    names = name_verdict(left.name, right.name)
    contradicts, evidence = names.contradicts, compare(left, right, names.verdict, policy, generic)
    found = Judgement("different", "possible", tuple(evidence), contradicts)
    name = found.evidence[0].verdict
    is_strong = bool(found.agreeing & STRONG)
    if contradicts:
        return found.decided("possible" if is_strong else "different", "contradiction")
    by_tenant = {rule["decision"] for rule in policy.rules if set(rule["all"]) <= _terms(left, right, found)}
    if "same" in by_tenant or (is_strong and name == "agree"):
        return found.decided("same")
    if is_strong and not (left.name and right.name):
        return replace(found.decided("possible", "several"), is_nameless=True)
    if is_strong or by_tenant or (name == "agree" and found.agreeing & SUPPORT):
        return found.decided("possible")
    return found.decided("different")


def may_match(left: Features, right: Features, policy: Policy) -> bool:
    """Whether judging these records can find anything but `different`; far cheaper than to judge them."""
    if policy.rules or not left.identifiers.isdisjoint(right.identifiers):
        return True
    supports = ((left.birth_date, right.birth_date), (left.employer, right.employer))
    is_supported = any(mine is not None and mine == theirs for mine, theirs in supports)
    return is_supported and name_verdict(left.name, right.name).verdict == "agree"


def compare(
    left: Features, right: Features, names: Verdict, policy: Policy, generic: Collection[tuple[str, str]]
) -> Iterator[Evidence]:
    """Give each feature its verdict, the name first, whose verdict is `names`."""
    yield Evidence("name", names, 0.0, _shown(left.name), _shown(right.name))
    for feature, kind, line in _LINES:
        yield _values(
            feature, left.keys(kind, line), right.keys(kind, line), [key for of, key in generic if of == kind]
        )
    yield _single("birth_date", left.birth_date, right.birth_date)
    yield _single("employer", left.employer, right.employer)
    yield _external(left, right, policy)


@cache
def _absent(feature: str) -> Evidence:
    return Evidence(feature, "missing")


def _values(feature: str, left: Sequence[str], right: Sequence[str], generic: Collection[str]) -> Evidence:
    if not left or not right:
        return _absent(feature) if not (left or right) else Evidence(feature, "missing", 0.0, *_firsts(left, right))
    shared = [value for value in left if value in right]
    telling = [value for value in shared if value not in generic]
    if telling:
        return Evidence(feature, "agree", 0.0, telling[0], telling[0])
    if shared:
        return Evidence(feature, "generic", 0.0, shared[0], shared[0])
    return Evidence(feature, "disagree", 0.0, left[0], right[0])


def _firsts(left: Sequence[str], right: Sequence[str]) -> tuple[str | None, str | None]:
    return next(iter(left), None), next(iter(right), None)


def _single(feature: str, left: str | None, right: str | None) -> Evidence:
    verdict = "missing" if left is None or right is None else "agree" if left == right else "disagree"
    return Evidence(feature, verdict, 0.0, left, right)


def _external(left: Features, right: Features, policy: Policy) -> Evidence:
    shared = set(left.external_ids) & set(right.external_ids)
    if shared:
        value = ":".join(min(shared))
        return Evidence("external_id", "agree", 0.0, value, value)
    unique = ({source for source, _ in side.external_ids} & set(policy.unique_sources) for side in (left, right))
    return Evidence("external_id", "disagree" if set.intersection(*unique) else "missing")


def _shown(name: NameFeatures | None) -> str | None:
    return (name.whole.kanji or name.whole.kana or name.whole.latin) if name else None


def _terms(left: Features, right: Features, found: Judgement) -> set[str]:
    """Return what a tenant's rule may name: agreeing features, and scripts in which the names are equal."""
    scripts = equal_scripts(left.name, right.name) if left.name and right.name else ()
    return {*found.agreeing, *(f"name_{script}" for script in scripts)}


def weighed(evidence: Sequence[Evidence], decision: Decision) -> Iterator[Evidence]:
    """Lay the bits of a decision on the agreeing features, or on the prior where none agrees."""
    bits, rows = BITS[decision], [row for row in evidence if row.feature != "prior"]
    carriers = [row.feature for row in rows if row.verdict == "agree"] if decision == "same" else []
    for row in rows:
        yield replace(row, weight=bits / len(carriers) if row.feature in carriers else 0.0)
    yield Evidence("prior", "prior", 0.0 if carriers else bits)
