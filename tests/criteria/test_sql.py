"""The SQL and the predicate are one meaning in two languages: on every row they agree."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    ARRAY,
    Column,
    Date,
    DateTime,
    Double,
    Integer,
    MetaData,
    Table,
    Text,
    insert,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from app.criteria import sql
from app.criteria.fields import Fields, custom, each, elements, scalar
from app.criteria.fold import fold
from app.criteria.predicate import holds
from app.criteria.tree import parse

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC).astimezone(ZoneInfo("Asia/Tokyo"))
TOUCHES = elements(
    "touches",
    types=("type", "text", "in"),
    topics_any=("topics", "folded", "in"),
    within_days=("at", "datetime", "within_days"),
)
FIELDS = Fields.of(
    [
        scalar("headline", "text"),
        scalar("nickname", "folded"),
        scalar("years", "number"),
        scalar("level", "number"),
        scalar("born", "date"),
        scalar("seen", "datetime"),
        each("tags", "folded"),
        each("codes", "text"),
        each("skills.name", "folded"),
        each("skills.years", "number"),
        each("sources.occurred_on", "date"),
        elements("skills", name=("name", "folded", "eq"), years_gte=("years", "number", "gte")),
        TOUCHES,
    ],
    [custom("extra")],
)
METADATA = MetaData()
PEOPLE = Table(
    "criteria_people",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("headline", Text),
    Column("nickname", Text),
    Column("years", Double),
    Column("level", Integer),
    Column("born", Date),
    Column("seen", DateTime(timezone=True)),
    Column("tags", JSONB),
    Column("codes", ARRAY(Text)),
    Column("skills", JSONB),
    Column("sources", JSONB),
    Column("extra", JSONB),
    prefixes=["TEMPORARY"],
)
TOUCH_ROWS = Table(
    "criteria_touches",
    METADATA,
    Column("person", Integer),
    Column("type", Text),
    Column("topics", ARRAY(Text)),
    Column("at", DateTime(timezone=True)),
    prefixes=["TEMPORARY"],
)
ADAPTERS: sql.Adapters = {
    "headline": sql.column(PEOPLE.c.headline),
    "nickname": sql.column(sql.folded(PEOPLE.c.nickname)),
    "years": sql.column(PEOPLE.c.years),
    "level": sql.column(PEOPLE.c.level),
    "born": sql.column(PEOPLE.c.born),
    "seen": sql.column(PEOPLE.c.seen),
    "tags": sql.each_text(PEOPLE.c.tags),
    "codes": sql.array(PEOPLE.c.codes),
    "skills.name": sql.each_member(PEOPLE.c.skills, "name"),
    "skills.years": sql.each_member(PEOPLE.c.skills, "years"),
    "sources.occurred_on": sql.each_member(PEOPLE.c.sources, "occurred_on"),
    "skills": sql.elements(PEOPLE.c.skills),
    "extra": sql.keyed(PEOPLE.c.extra),
    "touches": sql.related(
        select(TOUCH_ROWS.c.type).where(TOUCH_ROWS.c.person == PEOPLE.c.id),
        {
            "type": sql.column(TOUCH_ROWS.c.type),
            "topics": sql.array(TOUCH_ROWS.c.topics),
            "at": sql.column(TOUCH_ROWS.c.at),
        },
    ),
}

WORDS = st.sampled_from(
    ["Python", "ＰＹＴＨＯＮ", "python", "Straße", "STRASSE", "ｶﾞ", "ガ", "İ", "ﬀ", "ς", "Σ", "%", "", "高"]
)
CHARACTERS = st.characters(exclude_categories=["Cs", "Cn", "Co"], exclude_characters="\0")
NUMBERS = st.sampled_from([0, 1, 3, 3.0, 0.1, -2.5, 1e300, 12345678901])
INTEGERS = st.sampled_from([0, 1, 3, -2])
DAYS = st.integers(-3, 40).map(lambda days: date(2026, 11, 23) - timedelta(days=days))
MOMENTS = st.integers(-72, 24 * 40).map(lambda hours: NOW.astimezone(UTC) - timedelta(hours=hours))
SCALARS = st.one_of(WORDS, NUMBERS, st.booleans())
MAYBE = st.none


def objects(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=members)


PERSON = st.fixed_dictionaries(
    {
        "headline": MAYBE() | WORDS,
        "nickname": MAYBE() | WORDS,
        "years": MAYBE() | NUMBERS,
        "level": MAYBE() | INTEGERS,
        "born": MAYBE() | DAYS,
        "seen": MAYBE() | MOMENTS,
        "tags": st.lists(WORDS, max_size=3),
        "codes": MAYBE() | st.lists(WORDS, max_size=3),
        "skills": st.lists(objects(name=WORDS, years=MAYBE() | NUMBERS), max_size=3),
        "sources": st.lists(objects(occurred_on=MAYBE() | DAYS.map(date.isoformat)), max_size=2),
        "extra": objects(a=MAYBE() | SCALARS, b=MAYBE() | st.lists(MAYBE() | SCALARS, max_size=3)),
        "touches": st.lists(
            st.fixed_dictionaries(
                {"type": st.sampled_from(["x", "y"]), "topics": st.lists(WORDS, max_size=2), "at": MOMENTS}
            ),
            max_size=3,
        ),
    }
)
ELEMENTS = {
    "skills": objects(name=WORDS, years_gte=NUMBERS, min_count=st.integers(1, 2)),
    "touches": objects(
        types=st.lists(st.sampled_from(["x", "y"]), max_size=2),
        topics_any=st.lists(WORDS, max_size=2),
        within_days=st.integers(0, 40),
        min_count=st.integers(1, 2),
    ),
}
SIMPLE: dict[str, st.SearchStrategy[Any]] = {
    "text": WORDS,
    "folded": WORDS,
    "number": NUMBERS,
    "date": DAYS.map(date.isoformat),
    "datetime": MOMENTS.map(datetime.isoformat),
    "scalar": SCALARS,
    "element": st.nothing(),
}
NAMES = [*FIELDS.known, "extra.a", "extra.b", "extra.absent"]


@st.composite
def leaf(draw: st.DrawFn) -> dict[str, Any]:
    field = FIELDS.find(draw(st.sampled_from(NAMES)))
    assert field is not None
    op = draw(st.sampled_from(sorted(field.ops)))
    return {
        "field": field.name,
        "op": op,
        "value": draw(ELEMENTS.get(field.name, value(field.kind, op)) if op == "has" else value(field.kind, op)),
    }


def value(kind: str, op: str) -> st.SearchStrategy[Any]:
    if op == "exists":
        return st.booleans()
    if op.endswith("_days"):
        return st.integers(0, 40) | st.sampled_from([0.5, 7.25])
    if op in {"in", "not_in", "has_any", "has_all"}:
        return st.lists(SIMPLE[kind], max_size=3)
    if kind == "scalar":
        return WORDS if op == "contains" else WORDS | NUMBERS
    return SIMPLE[kind]


TREES: st.SearchStrategy[dict[str, Any]] = st.recursive(
    leaf(),
    lambda inner: st.builds(
        lambda key, nodes: {key: nodes}, st.sampled_from(["all", "any", "not"]), st.lists(inner, max_size=3)
    ),
    max_leaves=6,
)


@pytest.fixture(scope="session")
async def connection(database_url: str) -> AsyncIterator[AsyncConnection]:
    engine = create_async_engine(database_url)
    async with engine.connect() as connection:
        await connection.run_sync(METADATA.create_all)
        yield connection
        await connection.rollback()
    await engine.dispose()


async def fill(connection: AsyncConnection, people: list[dict[str, Any]]) -> None:
    await connection.execute(TOUCH_ROWS.delete())
    await connection.execute(PEOPLE.delete())
    rows = [{"id": index, **person} for index, person in enumerate(people)]
    touches = [{"person": row["id"], **touch} for row in rows for touch in row.pop("touches")]
    await connection.execute(insert(PEOPLE), rows)
    if touches:
        await connection.execute(insert(TOUCH_ROWS), touches)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(people=st.lists(PERSON, min_size=1, max_size=6), trees=st.lists(TREES, min_size=1, max_size=8))
async def test_sql_and_predicate_agree(
    connection: AsyncConnection, people: list[dict[str, Any]], trees: list[dict[str, Any]]
) -> None:
    await fill(connection, people)
    for tree in trees:
        node = parse(tree, FIELDS)
        found = await connection.execute(
            select(PEOPLE.c.id).where(sql.compiled(node, ADAPTERS, NOW)).order_by(PEOPLE.c.id)
        )
        expected = [index for index, person in enumerate(people) if holds(node, person, NOW)]
        assert list(found.scalars()) == expected, tree


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(CHARACTERS), min_size=1, max_size=50))
async def test_folding_is_one_function(connection: AsyncConnection, texts: list[str]) -> None:
    folded = await connection.execute(select(*(sql.folded(literal(text, Text)) for text in texts)))
    assert list(folded.one()) == [fold(text) for text in texts]
