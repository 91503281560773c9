from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.criteria.fields import Fields, custom, each, elements, scalar
from app.criteria.predicate import explainer, holds
from app.criteria.tree import parse

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
FIELDS = Fields.of(
    [
        scalar("headline", "text"),
        scalar("location.city", "text"),
        scalar("years_of_experience", "number"),
        scalar("birth_date", "date"),
        scalar("last_interaction_at", "datetime"),
        each("tags", "folded"),
        each("skills.name", "folded"),
        elements("skills", name=("name", "folded", "eq"), level_gte=("level", "number", "gte")),
        elements(
            "touchpoints",
            types=("type", "text", "in"),
            topics_any=("topics", "folded", "in"),
            within_days=("occurred_at", "datetime", "within_days"),
        ),
    ],
    [custom("custom_fields")],
)
FACTS: dict[str, Any] = {
    "headline": "Backend ｴﾝｼﾞﾆｱ",
    "location": {"city": "大阪"},
    "years_of_experience": 5,
    "birth_date": "2026-11-24",
    "last_interaction_at": datetime(2026, 11, 13, 20, 0, tzinfo=UTC),
    "tags": ["Python", "VIP"],
    "skills": [{"name": "Go", "level": 2}, {"name": "Python", "level": None}],
    "custom_fields": {"grade": 3, "visa": True, "area": ["東京", "大阪"], "none": None},
    "touchpoints": [
        {"type": "event_attended", "topics": ["AI"], "occurred_at": datetime(2026, 10, 1, tzinfo=UTC)},
        {"type": "event_attended", "topics": [], "occurred_at": datetime(2026, 12, 1, tzinfo=UTC)},
    ],
}


def ask(field: str, op: str, value: Any, now: datetime = NOW) -> bool:
    return holds(parse({"field": field, "op": op, "value": value}, FIELDS), FACTS, now)


@pytest.mark.parametrize(
    ("field", "op", "value", "expected"),
    [
        ("headline", "eq", "backend エンジニア", False),
        ("headline", "contains", "BACKEND エンジニア", True),
        ("location.city", "in", ["東京", "大阪"], True),
        ("location.city", "in", [], False),
        ("location.city", "not_in", [], True),
        ("years_of_experience", "gte", 5.0, True),
        ("years_of_experience", "gt", 5, False),
        ("last_interaction_at", "within_days", 10, True),
        ("last_interaction_at", "within_days", 9.9, False),
        ("last_interaction_at", "older_than_days", 10, False),
        ("last_interaction_at", "older_than_days", 9.9, True),
        ("last_interaction_at", "eq", "2026-11-14T05:00:00+09:00", True),
        ("tags", "has", "ｐｙｔｈｏｎ", True),
        ("tags", "has_any", ["x", "vip"], True),
        ("tags", "has_all", ["python", "vip"], True),
        ("tags", "has_all", ["python", "x"], False),
        ("tags", "has_all", [], True),
        ("tags", "has_any", [], False),
        ("skills.name", "has", "GO", True),
        ("skills", "has", {"name": "go", "level_gte": 2}, True),
        ("skills", "has", {"name": "python", "level_gte": 1}, False),
        ("custom_fields.grade", "gte", 3, True),
        ("custom_fields.grade", "eq", "3", False),
        ("custom_fields.visa", "eq", 1, False),
        ("custom_fields.visa", "eq", True, True),
        ("custom_fields.area", "has", "大阪", True),
        ("custom_fields.none", "exists", False, True),
        ("custom_fields.absent", "exists", True, False),
        ("touchpoints", "has", {"types": ["event_attended"], "topics_any": ["ai"], "within_days": 90}, True),
        ("touchpoints", "has", {"types": ["event_attended"], "within_days": 365, "min_count": 2}, False),
        ("touchpoints", "has", {"types": ["event_attended"], "min_count": 2}, True),
    ],
)
def test_a_leaf(field: str, op: str, value: Any, expected: bool) -> None:
    assert ask(field, op, value) is expected


def test_a_missing_value_is_false_but_for_three_ops() -> None:
    asked = [
        ("eq", 1),
        ("gt", 1),
        ("in", [1]),
        ("exists", True),
        ("ne", 1),
        ("not_in", [1]),
        ("exists", False),
    ]
    tree = parse({"any": [{"field": "custom_fields.x", "op": op, "value": value} for op, value in asked]}, FIELDS)
    assert explainer(tree, NOW)({}) == ((*[False] * 4, *[True] * 3), ["custom_fields.x"])


def test_calendar_days_are_those_of_the_zone_of_now() -> None:
    assert not ask("birth_date", "within_days", 0)
    assert ask("birth_date", "within_days", 0, NOW.astimezone(ZoneInfo("Asia/Tokyo")))


def test_combinators_of_nothing() -> None:
    assert holds(parse({"all": []}, FIELDS), FACTS, NOW)
    assert not holds(parse({"any": []}, FIELDS), FACTS, NOW)
    assert holds(parse({"not": []}, FIELDS), FACTS, NOW)


def test_missing_names_each_field_once() -> None:
    leaf = {"field": "headline", "op": "eq", "value": "x"}
    assert explainer(parse({"all": [leaf, {"not": [leaf]}]}, FIELDS), NOW)({"headline": None})[1] == ["headline"]
    assert explainer(parse(leaf, FIELDS), NOW)(FACTS)[1] == []
