"""What criteria may ask of a candidate's profile, and where that is in the database."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import Select, Text, and_, case, cast, false, func, literal, not_, or_, select, true

from app.candidates.models import Candidate
from app.candidates.name_spelling import fold_name, spelled
from app.criteria import sql
from app.criteria.fields import Field, Fields, custom, each, elements, scalar
from app.criteria.sql import Adapter, Adapters, Condition, Expression
from app.criteria.tree import Leaf

NAMES: Final = (
    "full_name", "full_name_kana", "family_name", "given_name", "family_name_kana", "given_name_kana",
    "family_name_romaji", "given_name_romaji",
)  # fmt: skip
TEXTS: Final = ("language", "timezone", "headline", "current_company", "department")
COLUMNS: Final = ("version", "birth_date", "years_of_experience", "last_interaction_at", "created_at", "updated_at")
PLACES: Final = ("country_code", "region", "city")
LISTS: Final = {
    "email_addresses": ("value", "type"),
    "phone_numbers": ("value", "type"),
    "external_ids": ("source", "id"),
    "links": ("type", "url"),
    "sources": ("type", "name", "detail"),
}

FIELDS: Final = Fields.of(
    [
        Field("id", "text", lambda facts: [str(facts["id"])]),
        scalar("version", "number"),
        scalar("status", "text"),
        *(scalar(name, "folded", fold=fold_name) for name in NAMES),
        each("other_names", "folded", fold=fold_name),
        scalar("birth_date", "date"),
        *(scalar(name, "text") for name in TEXTS),
        *(scalar(f"location.{name}", "text") for name in PLACES),
        scalar("years_of_experience", "number"),
        *(each(f"{name}.{member}", "text") for name, members in LISTS.items() for member in members),
        *(elements(name, **{member: (member, "text", "eq") for member in members}) for name, members in LISTS.items()),
        each("sources.occurred_on", "date"),
        each("skills.name", "folded"),
        each("skills.level", "number"),
        each("skills.years", "number"),
        elements(
            "skills",
            name=("name", "folded", "eq"),
            level_gte=("level", "number", "gte"),
            years_gte=("years", "number", "gte"),
        ),
        each("interests", "folded"),
        each("tags", "folded"),
        scalar("last_interaction_at", "datetime"),
        scalar("retention.expires_on", "date"),
        scalar("retention.basis", "text"),
        scalar("created_at", "datetime"),
        scalar("updated_at", "datetime"),
    ],
    [custom("custom_fields")],
)


def _named(value: Expression) -> Adapter:
    return _spelled(lambda test: test(value))


def _each_named(values: Expression) -> Adapter:
    item = func.jsonb_array_elements_text(values, type_=Text).column_valued()

    def some(test: Callable[[Expression], Condition]) -> Condition:
        found: Select[str] = select(item).where(test(item))
        return found.exists()

    return _spelled(some)


def _spelled(some: Callable[[Callable[[Expression], Condition]], Condition]) -> Adapter:
    def adapter(leaf: Leaf, now: datetime) -> Condition:
        del now
        wanted = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
        if leaf.op == "exists":
            found = some(lambda value: value.is_not(None))
            return found if leaf.value else not_(found)
        if leaf.op == "has_all":
            return and_(true(), *(some(_fits([one])) for one in wanted))
        found = some(_fits(wanted, whole=leaf.op != "contains"))
        return found.is_not(true()) if leaf.op in {"ne", "not_in"} else found

    return adapter


def _fits(wanted: Iterable[str], *, whole: bool = True) -> Callable[[Expression], Condition]:
    patterns = [spelled(one, whole=whole) for one in wanted]

    def test(value: Expression) -> Condition:
        written = func.replace(sql.folded(value), literal(" ", Text), literal("", Text), type_=Text)
        return or_(false(), *(written.regexp_match(pattern) for pattern in patterns))

    return test


def _column(name: str) -> Expression:
    column: Expression = getattr(Candidate, name)
    return column


PERSON: Final[Expression] = Candidate.id.expression
"""The candidate that a condition is about: what other slices know of a person is joined to this."""

ADAPTERS: Final[Adapters] = {
    "id": sql.column(cast(Candidate.id, Text)),
    "status": sql.column(case((Candidate.hidden_at.is_(None), "active"), else_="hidden")),
    **{name: _named(_column(name)) for name in NAMES},
    "other_names": _each_named(_column("other_names")),
    **{name: sql.column(_column(name)) for name in (*TEXTS, *COLUMNS)},
    **{f"location.{name}": sql.column(Candidate.location[name].astext) for name in PLACES},
    **{
        f"{name}.{member}": sql.each_member(_column(name), member)
        for name, members in {**LISTS, "skills": ("name", "level", "years")}.items()
        for member in members
    },
    "sources.occurred_on": sql.each_member(_column("sources"), "occurred_on"),
    **{name: sql.elements(_column(name)) for name in (*LISTS, "skills")},
    "interests": sql.each_text(_column("interests")),
    "tags": sql.each_text(_column("tags")),
    "retention.expires_on": sql.column(_column("retention_expires_on")),
    "retention.basis": sql.column(_column("retention_basis")),
    "custom_fields": sql.keyed(_column("custom_fields")),
}
