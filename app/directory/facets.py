"""The statement that counts the values of some people: which of them, where the values are, how often each occurs.

The page that the counts stand beside is told by the same statement where it is of the same order: whoever meets the
criteria is looked up once.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    DateTime,
    Select,
    Subquery,
    Table,
    Text,
    Uuid,
    cast,
    func,
    literal,
    literal_column,
    null,
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


def counts(found: Select[Any], names: Sequence[str], first: int) -> CompoundSelect[Any]:
    """Count the values of the newest 10,000 of `found`.

    A row with an id is one of the `first` of them; one without id and facet says how many were looked at.
    """
    people = found.selected_columns.id.table
    values = (_place(name, people).label(name) for name in names)
    hits = found.add_columns(people.c.created_at, *values).order_by(people.c.created_at.desc(), people.c.id)
    newest = hits.limit(FACET_SAMPLE + 1).cte("newest")
    sample = newest.select().limit(FACET_SAMPLE).subquery("hits")
    size = newest.select().with_only_columns(*_columns(people=func.count()), maintain_column_froms=True)
    places = newest.select().order_by(newest.c.created_at.desc(), newest.c.id).limit(first).subquery("places")
    page = places.select().with_only_columns(*_columns(id_=places.c.id, created_at=places.c.created_at))
    return union_all(size, page, *(_facet(name, sample) for name in names))


def _columns(
    facet: ColumnElement[Any] = literal("", Text),  # noqa: B008 (an expression never changes)
    value: ColumnElement[Any] = literal("", Text),  # noqa: B008
    people: ColumnElement[Any] = literal(0),  # noqa: B008
    id_: ColumnElement[Any] = cast(null(), Uuid),  # noqa: B008
    created_at: ColumnElement[Any] = cast(null(), DateTime(timezone=True)),  # noqa: B008
) -> tuple[ColumnElement[Any], ...]:
    names = ("facet", "value", "people", "id", "created_at")
    return tuple(each.label(name) for each, name in zip((facet, value, people, id_, created_at), names, strict=True))


def _place(name: str, people: Table) -> ColumnElement[Any]:
    """Return where the values of a facet are; those of `skills.name` and `sources.type` are members of objects."""
    if name == "score.tier":
        return literal_column(TIER.format(person="candidates.id"), Text)
    column, _, member = name.partition(".")
    place: ColumnElement[Any] = people.c[column]
    return place[member].astext if name == "location.city" else place


def _facet(name: str, hits: Subquery) -> Select[Any]:
    value, rows = _values(name, hits)
    held = rows.with_only_columns(hits.c.id, cast(value, Text).label("value")).subquery()
    people = func.count(held.c.id.distinct() if name in REPEATED else held.c.id)
    counted = (
        held.select()
        .with_only_columns(*_columns(literal(name, Text), held.c.value, people))
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
