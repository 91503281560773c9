"""What criteria may ask of scores: `score.value`, `score.tier` of the default model, `score.<model>.…` of another."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import and_, extract, func, literal, select

from app.candidates.criteria_fields import PERSON
from app.criteria import sql
from app.criteria.fields import Facts, Field, Fields
from app.criteria.sql import Adapters, Condition, Expression
from app.criteria.tree import Leaf
from app.scores.models import Score, ScoreModel

DEFAULT: Final = "default"
HALVINGS_MAX: Final = 900.0
"""Beyond so many half-lives nothing is left, and the power would underflow."""

_KINDS: Final[dict[str, Literal["number", "text"]]] = {"value": "number", "tier": "text"}
_LONG_NAME: Final = 3


def _read(model: str, member: str) -> Callable[[Facts], Iterator[Any]]:
    def read(facts: Facts) -> Iterator[Any]:
        found = facts.get("scores", {}).get(model)
        if found is not None:
            yield found[member]

    return read


def _named(name: str) -> Field | None:
    steps = name.split(".")
    if len(steps) != _LONG_NAME or steps[0] != "score" or not steps[1] or steps[2] not in _KINDS:
        return None
    return Field(name, _KINDS[steps[2]], _read(steps[1], steps[2]), group="score")


FIELDS: Final = Fields.of(
    [Field(f"score.{member}", kind, _read(DEFAULT, member), group="score") for member, kind in _KINDS.items()],
    [_named],
)
"""Of facts under `scores`: model → `{"value", "tier"}` (see `service.facts`)."""


def value_at(at: datetime) -> Expression:
    """Return the value of a row of scores at a time, in points."""
    days = extract("epoch", literal(at) - Score.since) / 86_400.0
    halvings = func.least(func.greatest(days, 0.0) / Score.half_life_days, HALVINGS_MAX)
    value: Expression = Score.fit + Score.interest * func.power(2.0, -halvings)
    return value


def counted_by(model: str, person: Expression) -> Condition:
    """Say which row of scores is that of `person` by the version of `model` that serves."""
    serving = select(ScoreModel.version).where(ScoreModel.key == model, ScoreModel.state == "published")
    return and_(
        Score.candidate_id == person,
        Score.model_key == model,
        Score.model_version == func.coalesce(serving.scalar_subquery(), 1),
    )


def _score(leaf: Leaf, now: datetime) -> Condition:
    *_, model, member = ("score", DEFAULT, *leaf.field.name.split(".")[1:])[-3:]
    asked: Expression = value_at(now) if member == "value" else Score.tier.expression
    found = select(asked).where(counted_by(model, PERSON)).scalar_subquery()
    return sql.column(found)(leaf, now)


ADAPTERS: Final[Adapters] = {"score": _score}
