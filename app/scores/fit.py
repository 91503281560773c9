"""Fit rules: criteria over the profile and the timeline, each of which gives its points while it holds."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from app.candidates import criteria_fields as candidates
from app.criteria.predicate import holds
from app.criteria.tree import CriteriaInvalidError, Node, parse
from app.kit.errors import FieldError
from app.scores.errors import FitCriteriaInvalid
from app.scores.schemas import FitRule
from app.touchpoints import criteria_fields as touchpoints
from app.touchpoints.signals import TouchpointSignal

FIELDS: Final = candidates.FIELDS.joined(touchpoints.FIELDS)
"""Neither `score` nor `pool`, which are made of fit themselves."""

_SENTENCE: Final = "This cannot be asked so in a fit rule."


def read(rules: Sequence[FitRule]) -> dict[str, Node]:
    """Read the criteria by the names of their rules; raises FitCriteriaInvalid with every problem."""
    nodes: dict[str, Node] = {}
    found: list[FieldError] = []
    for place, rule in enumerate(rules):
        try:
            nodes[rule.rule] = parse(rule.when, FIELDS)
        except CriteriaInvalidError as error:
            at = f"/fit_rules/{place}/when"
            found += [FieldError(f"{at}{each.pointer}", each.code, _SENTENCE) for each in error.problems]
    if found:
        raise FitCriteriaInvalid(found)
    return nodes


def held(
    rules: Mapping[str, Node],
    profile: Mapping[str, Any],
    timeline: Iterable[TouchpointSignal],
    at: datetime,
) -> set[str]:
    """Name the rules that hold; the zone of `at` gives the calendar day."""
    if not rules:
        return set()
    facts = {**profile, **touchpoints.facts(timeline)}
    return {name for name, node in rules.items() if holds(node, facts, at)}
