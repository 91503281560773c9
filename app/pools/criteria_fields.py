"""What pools and searches may ask: the fields of every slice below, and membership of other pools."""

from typing import Final

from sqlalchemy import Text, cast, func, select

from app.candidates import criteria_fields as candidates
from app.criteria import sql
from app.criteria.fields import Field, Fields
from app.criteria.sql import Adapters
from app.criteria.tree import CriteriaInvalidError, Node, parse
from app.kit.errors import FieldError
from app.pools.errors import CriteriaInvalid
from app.pools.models import Pool, PoolMember
from app.scores import criteria_fields as scores
from app.touchpoints import criteria_fields as touchpoints

POOL: Final = Field("pool", "text", lambda facts: facts.get("pool", ()), many=True)
"""The pools that a candidate is in, each by its id and by its key."""

_NAMES = (
    select(func.array_cat(func.array_agg(cast(Pool.id, Text)), func.array_agg(Pool.key)))
    .join(PoolMember, PoolMember.pool_id == Pool.id)
    .where(PoolMember.candidate_id == candidates.PERSON, Pool.archived_at.is_(None))
    .correlate_except(Pool, PoolMember)
    .scalar_subquery()
)

FIELDS: Final = candidates.FIELDS.joined(touchpoints.FIELDS).joined(scores.FIELDS).joined(Fields.of([POOL]))
ADAPTERS: Final[Adapters] = {
    **candidates.ADAPTERS,
    **touchpoints.ADAPTERS,
    **scores.ADAPTERS,
    "pool": sql.array(_NAMES),
}

SENTENCES: Final = {
    "unknown_field": "There is no such field.",
    "unknown_op": "This field is not asked by this op.",
    "wrong_type": "This is not of the type that is asked for here.",
    "too_deep": "More than 8 combinations in one another.",
    "too_many_leaves": "More than 200 leaves.",
}


def read(criteria: object, pointer: str, fields: Fields = FIELDS) -> Node:
    """Read criteria that stand at `pointer` of a body; raises CriteriaInvalid with every problem."""
    try:
        return parse(criteria, fields)
    except CriteriaInvalidError as error:
        found = [FieldError(f"{pointer}{each.pointer}", each.code, SENTENCES[each.code]) for each in error.problems]
        raise CriteriaInvalid(errors=found) from error
