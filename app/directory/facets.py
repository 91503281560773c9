"""The statement that counts the values of some people: which of them, where the values are, how often each occurs."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    Subquery,
    Table,
    Text,
    cast,
    func,
    literal,
    literal_column,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.directory.schemas import FACET_SAMPLE, FACET_VALUES
from app.scores.default_model import DEFAULT_MODEL

_SERVING: Final = "from score_models m where m.key = 'default' and m.state = 'published'"
LOWEST: Final = f"coalesce((select m.definition -> 'tiers' -> 0 ->> 'key' {_SERVING}), '{DEFAULT_MODEL.tiers[0].key}')"
"""Where somebody stands who is not counted yet."""
TIER: Final = f"""coalesce((select s.tier from scores s where s.candidate_id = {{person}} and s.model_key = 'default'
  and s.model_version = coalesce((select m.version {_SERVING}), 1)), {LOWEST})"""  # noqa: S608 (constants)
FACETS: Final = ("tags", "interests", "skills.name", "sources.type", "current_company", "location.city", "score.tier")
REPEATED: Final = frozenset({"sources.type"})
"""Of these one person can have the same value several times; of the other lists it is the key of an item."""


def counts(found: Select[Any], names: Sequence[str]) -> CompoundSelect[Any]:
    """Count the values of the newest 10,000 of `found`; a row without a facet says how many people that are."""
    people = next(each for each in found.get_final_froms() if isinstance(each, Table) and each.name == "candidates")
    values = (_place(name, people).label(name) for name in names)
    hits = found.add_columns(*values).order_by(people.c.created_at.desc(), people.c.id)
    newest = hits.limit(FACET_SAMPLE + 1).cte("newest")
    sample = newest.select().limit(FACET_SAMPLE).subquery("hits")
    columns = (_none().label("facet"), _none().label("value"), func.count().label("people"))
    size = newest.select().with_only_columns(*columns, maintain_column_froms=True)
    return union_all(size, *(_facet(name, sample) for name in names))


def _place(name: str, people: Table) -> ColumnElement[Any]:
    """Return where the values of a facet are; those of `skills.name` and `sources.type` are members of objects."""
    if name == "score.tier":
        return literal_column(TIER.format(person="candidates.id"), Text)
    column, _, member = name.partition(".")
    place: ColumnElement[Any] = people.c[column]
    return place[member].astext if name == "location.city" else place


def _none() -> ColumnElement[str]:
    return literal("", Text)


def _facet(name: str, hits: Subquery) -> Select[Any]:
    value, rows = _values(name, hits)
    held = rows.with_only_columns(hits.c.id, cast(value, Text).label("value")).subquery()
    people = func.count(held.c.id.distinct() if name in REPEATED else held.c.id)
    counted = (
        held.select()
        .with_only_columns(literal(name, Text).label("facet"), held.c.value, people.label("people"))
        .where(held.c.value.is_not(None))
        .group_by(held.c.value)
        .order_by(people.desc(), held.c.value.collate("C"))
        .limit(FACET_VALUES)
        .subquery()
    )
    return counted.select()


def _values(name: str, hits: Subquery) -> tuple[ColumnElement[Any], Select[Any]]:
    column, member = hits.c[name], name.partition(".")[2]
    if name in ("tags", "interests"):
        item: ColumnElement[Any] = func.jsonb_array_elements_text(column, type_=Text).column_valued(
            joins_implicitly=True
        )
        return item, hits.select().with_only_columns(hits.c.id, item)
    if name in ("skills.name", "sources.type"):
        item = func.jsonb_array_elements(column, type_=JSONB).column_valued(joins_implicitly=True)
        return item[member].astext, hits.select().with_only_columns(hits.c.id, item)
    return column, hits.select()
