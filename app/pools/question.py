"""What a pool asks of people, read once for each of its versions, and what of it is answered by the facts of one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final, Self
from uuid import UUID

from app.criteria import predicate
from app.criteria.fields import Facts
from app.criteria.tree import Node, leaves
from app.kit import json
from app.kit.statement import Row
from app.pools import membership
from app.pools.criteria_fields import FIELDS

Answer = tuple[Any, list[str]]
"""`why`, as JSON text, and `missing` of a MemberRead."""
REMEMBERED_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class Question:
    """The criteria of a pool in one version, each leaf of them as it is written, and the fields it requires."""

    version: int
    node: Node
    leaves: tuple[dict[str, Any], ...]
    required: tuple[tuple[str, Callable[[Facts], bool]], ...]
    names: frozenset[str]
    """The members of the facts that are asked for."""

    @classmethod
    def of(cls, pool: Row) -> Self:
        """Read the `version`, the `criteria` and the `required_fields` of a pool."""
        node, required = membership.node_of(pool), pool.required_fields
        return cls(
            pool.version,
            node,
            tuple(_written(pool.criteria, leaf.pointer) for leaf in leaves(node)),
            tuple((name, _known(name)) for name in required),
            frozenset(membership.names_of([node], required)),
        )

    def answerer(self, at: datetime) -> Callable[[Facts], Answer]:
        """Return what answers it at that moment by the facts of one person after the other."""
        explain = predicate.explainer(self.node, at)

        @cache
        def why(held: tuple[bool, ...]) -> Any:  # noqa: ANN401 (JSON text)
            found = zip(self.leaves, held, strict=True)
            return json.part([{"criterion": leaf, "holds": holds} for leaf, holds in found])

        def answer(facts: Facts) -> Answer:
            held, unknown = explain(facts)
            missing = [name for name, is_known in self.required if not is_known(facts)]
            return why(held), list(dict.fromkeys([*missing, *unknown])) if missing else unknown

        return answer


_remembered: dict[UUID, Question] = {}


def remembered(pool_id: UUID) -> Question | None:
    """Return what a pool asked when it was last read; its version tells whether it does so still."""
    return _remembered.get(pool_id)


def remember(pool_id: UUID, question: Question) -> Question:
    """Keep what a pool asks for whoever comes next."""
    if len(_remembered) >= REMEMBERED_MAX:
        _remembered.clear()
    _remembered[pool_id] = question
    return question


def _written(criteria: Any, pointer: str) -> dict[str, Any]:  # noqa: ANN401 (any JSON value)
    """Return the leaf that stands at a JSON pointer, as it was written."""
    found = criteria
    for step in pointer.split("/")[1:]:
        found = found[int(step)] if isinstance(found, list) else found[step]
    return dict(found)


def _known(name: str) -> Callable[[Facts], bool]:
    """Return what says whether a field has a value."""
    field = FIELDS.find(name)
    if field is None:
        return lambda facts: bool(facts.get(name))
    return lambda facts: any(True for _ in field.read(facts))
