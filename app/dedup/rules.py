"""What two people's records decide: the weights of their features, a tenant's policy, and who contradicts whom.

Only the same external id, a tenant's rule, and a contact of somebody without a name that nobody else has, link by
themselves. All else needs the automatic threshold, so many agreeing features, and names that do not contradict.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from app.candidates.profile import SOURCE_ORDER
from app.dedup import levels
from app.dedup.frequencies import shipped
from app.dedup.levels import CONTRADICTING, LEVELS, Found, Verdict
from app.dedup.model import Model, Weight, default_model, frequency, prior, probability
from app.dedup.sides import Side
from app.normalise.name_verdict import equal_scripts

Decision = Literal["same", "possible", "different"]
Reason = Literal["possible", "contradiction", "several", "generic", "requested"]

FEATURES: Final = tuple(levels.COMPARISONS)
STRONG: Final = frozenset({"email", "mobile", "profile_url"})
"""Features of which a shared value opens a pair under any name."""
TELLING: Final = STRONG | {"birth_date"}
"""Features of which an automatic link needs one."""
AT_WORK: Final = frozenset({"employer", "name", "name_kanji", "name_kana", "name_romaji"})
"""Terms of a rule that two people of one employer can meet who share nothing else but their names."""
_RANK: Final[Mapping[str, int]] = {"same": 0, "possible": 1, "different": 2}


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


@dataclass(slots=True)
class Knowledge:
    """What is known beside two records.

    `pool` is the number of candidates; `holders` says how many of them hold a (column, value), `shipped` the share of
    it in the shipped frequencies; `generic` are match keys that too many people share.
    """

    policy: Policy = field(default_factory=Policy)
    model: Model = field(default_factory=default_model)
    pool: int = 0
    holders: dict[tuple[str, str], int] = field(default_factory=dict)
    shipped: dict[tuple[str, str], float] = field(default_factory=dict)
    generic: set[str] = field(default_factory=set)
    counting: int = 0
    """How often the pool's values were counted anew."""
    region: str | None = None
    """Where the tenant's phone numbers are dialled (ISO 3166)."""
    prior: float = field(init=False)
    """Bits before any evidence."""

    def __post_init__(self) -> None:
        self.prior = prior(self.pool)

    @property
    def version(self) -> str:
        """Names the weights and the frequencies that a decision rests on."""
        return f"{self.model.version}.{self.counting}"

    def learn(self, side: Side) -> None:
        """Take in what is shipped of a record's values."""
        for column, share in shipped(side).items():
            self.shipped[column, getattr(side, column)] = share

    def share(self, column: str, left: str | None, right: str | None) -> float | None:
        """Return the larger share of the pool that holds one of two values, in 0..1; None without a value."""
        if left is None or left == right:
            return self._share(column, right) if right is not None else None
        return max(self._share(column, left), self._share(column, right)) if right else self._share(column, left)

    def _share(self, column: str, value: str) -> float:
        return frequency(self.holders.get((column, value), 1), self.shipped.get((column, value), 0.0), self.pool)


class Evidence(NamedTuple):
    """One row of an explanation; `weight` is in bits."""

    feature: str
    verdict: Verdict
    weight: float = 0.0
    left: str | None = None
    right: str | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What two records say; `compared` and `bits` go by `FEATURES`, `by` is who decides: the model or a rule.

    `weight` is the sum of the bits and the prior.
    """

    decision: Decision
    reason: Reason
    compared: tuple[Found, ...]
    bits: tuple[float, ...]
    prior: float
    weight: float
    agreeing: frozenset[str]
    records: tuple[UUID | None, UUID | None] = (None, None)
    by: Literal["rule", "model"] = "model"

    @property
    def probability(self) -> float:
        """`1/(1 + 2^−weight)`, in 0..1."""
        return probability(self.weight)

    @property
    def contradicts(self) -> bool:
        return self.reason == "contradiction"

    @property
    def order(self) -> tuple[int, float]:
        """Sorts the best first."""
        return _RANK[self.decision], -self.weight

    def decided(
        self, decision: Decision, reason: Reason | None = None, by: Literal["rule", "model"] | None = None
    ) -> "Judgement":
        """Return this judgement with another decision; what it weighs stays."""
        return replace(self, decision=decision, reason=reason or self.reason, by=by or self.by)

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """Every feature with its verdict, then the prior."""
        rows = zip(FEATURES, self.compared, self.bits, strict=True)
        told = (Evidence(feature, _verdict(feature, found), bits, *found[1:3]) for feature, found, bits in rows)
        return (*told, Evidence("prior", "prior", self.prior))


def _verdict(feature: str, found: Found) -> Verdict:
    if found.level is None:
        return "generic" if found.is_generic else "missing"
    return LEVELS[feature, found.level].verdict


def log_odds(share: float) -> float:
    """Return log2(p / (1 − p)) bits of a probability in 0..1."""
    if share <= 0:
        return -math.inf
    return math.inf if share >= 1 else math.log2(share / (1 - share))


def name_suffices(side: Side, known: Knowledge) -> bool:
    """Whether sharing a name with this record, and nothing else, can open a pair or meet a tenant's rule."""
    by_rule = any(term.startswith("name") for rule in known.policy.rules for term in rule["all"])
    return by_rule or _can_open(_best_name(side, known), known)


def employer_suffices(side: Side, known: Knowledge, *, is_name_agreeing: bool = False) -> bool:
    """Whether the employer and a part of this record's name, and nothing else, can open a pair or meet a rule.

    With `is_name_agreeing` it is asked of the whole name.
    """
    by_rule = any(AT_WORK.issuperset(rule["all"]) for rule in known.policy.rules)
    names = known.model.of_names
    of_name = _best_name(side, known) if is_name_agreeing else max(each.bits for each in names if not each.counted)
    return by_rule or _can_open(of_name + _at_best(known.model.weights["employer", "equal"], side, known), known)


def _best_name(side: Side, known: Knowledge) -> float:
    return max(_at_best(each, side, known) for each in known.model.of_names)


def _can_open(bits: float, known: Knowledge) -> bool:
    return bits + known.prior >= log_odds(known.policy.review_threshold)


def _at_best(weight: Weight, side: Side, known: Knowledge) -> float:
    """Return the most bits of a level with this record: a level of values that it does not show cannot be met."""
    if weight.counted is None:
        return weight.bits
    share = known.share(weight.counted, None, getattr(side, weight.counted))
    return weight.at(share) if share is not None else -math.inf


def judge(left: Sequence[Side], right: Sequence[Side], known: Knowledge) -> Judgement:
    """Judge two people by the best pair of their records; a contradiction between any two holds a link back.

    Records that a person has linked contradict nobody.
    """
    judged = [(judge_records(a, b, known), a.is_vouched or b.is_vouched) for a in left for b in right]
    best = min((found for found, _ in judged), key=lambda found: found.order)
    if best.decision == "different" or best.contradicts:
        return best
    if any(found.contradicts and not is_vouched for found, is_vouched in judged):
        return best.decided("possible", "contradiction")
    return best


def contradict(left: Side, right: Side) -> bool:
    """Whether the names of two records exclude each other; records that a person has linked exclude nobody."""
    if left.is_vouched or right.is_vouched:
        return False
    return levels.name_level(left.name, right.name) in CONTRADICTING


def judge_records(left: Side, right: Side, known: Knowledge, name: Found | None = None) -> Judgement:
    """Judge two records; `name` is what comparing their names gave, where that is known."""
    compared = compare(left, right, known, name)
    bits, agreeing = _weigh(compared, left, right, known)
    weight = sum((*bits, known.prior))
    decision, by = _decide(compared[0].level, weight, agreeing, known.policy, left, right)
    return Judgement(
        decision,
        "contradiction" if compared[0].level in CONTRADICTING else "possible",
        compared,
        bits,
        known.prior,
        weight,
        agreeing,
        (left.record_id, right.record_id),
        by,
    )


def compare(left: Side, right: Side, known: Knowledge, name: Found | None = None) -> tuple[Found, ...]:
    """Find the level of each feature, in the order of `FEATURES`; that of the `name` may be known."""
    nobodys = (*left.nobodys, *left.generic, *right.nobodys, *right.generic)
    generic = known.generic.union(nobodys) if nobodys else known.generic
    return (
        name or Found(levels.name_level(left.name, right.name), _shown(left), _shown(right)),
        levels.shared_level(left.emails, right.emails, generic),
        levels.shared_level(left.mobiles, right.mobiles, generic),
        levels.shared_level(left.fixed_phones, right.fixed_phones, generic),
        levels.url_level(left.urls, right.urls, generic),
        levels.birth_level(left.birth_date, right.birth_date),
        levels.employer_level(left.employer, right.employer),
        levels.external_level(left.external_ids, right.external_ids, known.policy.unique_sources),
    )


def _weigh(
    compared: tuple[Found, ...], left: Side, right: Side, known: Knowledge
) -> tuple[tuple[float, ...], frozenset[str]]:
    """Return the bits of each feature, and the features that agree."""
    weights, bits, agreeing = known.model.weights, [], []
    for feature, found in zip(FEATURES, compared, strict=True):
        if found.level is None:
            bits.append(0.0)
            continue
        weight = weights[feature, found.level]
        if weight.counted is None:
            bits.append(weight.bits)
        else:
            share = known.share(weight.counted, getattr(left, weight.counted), getattr(right, weight.counted))
            bits.append(weight.at(share))
        if LEVELS[feature, found.level].verdict == "agree":
            agreeing.append(feature)
    return tuple(bits), frozenset(agreeing)


def _decide(
    name: str | None, weight: float, agreeing: frozenset[str], policy: Policy, left: Side, right: Side
) -> tuple[Decision, Literal["rule", "model"]]:
    is_possible = probability(weight) >= policy.review_threshold
    if name in CONTRADICTING:
        return ("possible" if is_possible or agreeing & STRONG else "different"), "model"
    by_rule = _rule(left, right, agreeing, policy)
    if by_rule == "same":
        return "same", "rule"
    if is_automatic(name, weight, agreeing, policy):
        return "same", "model"
    return ("possible" if by_rule or is_possible else "different"), "model"


def _shown(side: Side) -> str | None:
    name = side.name
    return (name.whole.kanji or name.whole.kana or name.whole.latin) if name else None


def is_automatic(name: str | None, weight: float, agreeing: frozenset[str], policy: Policy) -> bool:
    """Whether the model may link by itself: fixed lines never count, the employer only under a name that is near."""
    if not agreeing & TELLING or probability(weight) < policy.auto_threshold:
        return False
    is_name_near = name is not None and LEVELS["name", name].verdict in ("agree", "partial")
    counting = agreeing - ({"fixed_phone"} if is_name_near else {"fixed_phone", "employer"})
    return len(counting) >= policy.min_agreeing


def _rule(left: Side, right: Side, agreeing: frozenset[str], policy: Policy) -> Decision | None:
    """Return what a shared external id, or a rule of the tenant, decides."""
    if "external_id" in agreeing:
        return "same"
    if not policy.rules:
        return None
    scripts = equal_scripts(left.name, right.name) if left.name and right.name else ()
    terms = {*agreeing, *(f"name_{script}" for script in scripts)}
    decided: Collection[Decision] = {rule["decision"] for rule in policy.rules if set(rule["all"]) <= terms}
    return "same" if "same" in decided else "possible" if decided else None
