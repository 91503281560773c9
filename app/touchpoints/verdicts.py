"""Verdicts over stored touchpoints: which of them are judged together, and which verdicts change."""

from collections.abc import Hashable, Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from app.touchpoints.trust import ACTOR_RULE_VERSION, Evidence, Judgement, judge, judge_alone


class Judged(Protocol):
    """A stored touchpoint, or a row with the same names."""

    @property
    def id(self) -> UUID: ...
    @property
    def type(self) -> str: ...
    @property
    def occurred_at(self) -> datetime: ...
    @property
    def url(self) -> Any: ...  # noqa: ANN401 (a member of free data)
    @property
    def message_id(self) -> str | None: ...
    @property
    def candidate_id(self) -> UUID | None: ...
    @property
    def identifier_hash(self) -> bytes | None: ...
    @property
    def actor(self) -> Any: ...  # noqa: ANN401 (one of three words)
    @property
    def actor_by(self) -> str: ...
    @property
    def actor_reasons(self) -> Sequence[str]: ...
    @property
    def actor_rule_version(self) -> int | None: ...
    @property
    def provider_flag(self) -> Any: ...  # noqa: ANN401 (one of two words, or None)
    @property
    def agent_class(self) -> Any: ...  # noqa: ANN401 (a class of app.touchpoints.agents)
    @property
    def method_class(self) -> Any: ...  # noqa: ANN401 (a class of app.touchpoints.agents)


def judged(touchpoints: Iterable[Judged]) -> dict[UUID, Judgement]:
    """Judge all of them, each among those of its message and recipient; what was said by somebody is left out."""
    found: dict[UUID, Judgement] = {}
    groups: dict[Hashable, list[Judged]] = {}
    for each in touchpoints:
        if each.message_id is not None:
            groups.setdefault((each.message_id, each.candidate_id or each.identifier_hash), []).append(each)
        elif each.actor_by == "rule":
            found[each.id] = _alone(each)
    for group in groups.values():
        verdicts = _judge(group) if len(group) > 1 else {group[0].id: _alone(group[0])}
        found.update((each.id, verdicts[each.id]) for each in group if each.actor_by == "rule")
    return found


def changed(touchpoints: Sequence[Judged]) -> dict[UUID, Judgement]:
    """Give the verdicts that are not what is stored."""
    verdicts = judged(touchpoints)
    return {
        each.id: verdict
        for each in touchpoints
        if (verdict := verdicts.get(each.id)) is not None
        and (each.actor, tuple(each.actor_reasons), each.actor_rule_version)
        != (verdict.actor, verdict.reasons, ACTOR_RULE_VERSION)
    }


def may_change(touchpoint: Judged) -> bool:
    """Whether its verdict depends on others, or was made by an older rule."""
    return touchpoint.message_id is not None or touchpoint.actor_rule_version not in {None, ACTOR_RULE_VERSION}


def _alone(touchpoint: Judged) -> Judgement:
    return judge_alone(touchpoint.type, touchpoint.provider_flag, touchpoint.agent_class, touchpoint.method_class)


def _judge(group: Sequence[Judged]) -> dict[UUID, Judgement]:
    verdicts = judge(map(_evidence, group))
    return {each.id: verdicts[str(each.id)] for each in group}


def _evidence(touchpoint: Judged) -> Evidence:
    return Evidence(
        id=str(touchpoint.id),
        type=touchpoint.type,
        occurred_at=touchpoint.occurred_at,
        url=touchpoint.url if isinstance(touchpoint.url, str) else None,
        provider_flag=touchpoint.provider_flag,
        agent=touchpoint.agent_class,
        method=touchpoint.method_class,
    )
