from typing import Any

import pytest

from app.criteria.fields import Fields, custom, each, elements, scalar
from app.criteria.tree import MAX_DEPTH, MAX_LEAVES, CriteriaInvalidError, Leaf, Problem, leaves, parse

FIELDS = Fields.of(
    [
        scalar("full_name", "text"),
        scalar("years_of_experience", "number"),
        scalar("birth_date", "date"),
        scalar("last_interaction_at", "datetime"),
        scalar("can_contact", "bool"),
        scalar("score.value", "number"),
        each("tags", "folded"),
        elements("skills", name=("name", "folded", "eq"), years_gte=("years", "number", "gte")),
    ],
    [custom("custom_fields")],
)


def problems(tree: Any) -> list[tuple[str, str]]:
    with pytest.raises(CriteriaInvalidError) as caught:
        parse(tree, FIELDS)
    return [(each.pointer, each.code) for each in caught.value.problems]


def leaf(field: str, op: str, value: Any) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


def nested(depth: int) -> Any:
    tree: Any = leaf("full_name", "eq", "x")
    for _ in range(depth):
        tree = {"not": [tree]}
    return tree


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        (leaf("nobody", "eq", 1), [("/field", "unknown_field")]),
        (leaf("custom_fields.", "eq", 1), [("/field", "unknown_field")]),
        (leaf("full_name", "like", "x"), [("/op", "unknown_op")]),
        (leaf("full_name", "within_days", 3), [("/op", "unknown_op")]),
        ({"field": "full_name", "op": ["eq"], "value": "x"}, [("/op", "unknown_op")]),
        (leaf("full_name", "eq", None), [("/value", "wrong_type")]),
        (leaf("full_name", "eq", "a\0"), [("/value", "wrong_type")]),
        (leaf("full_name", "eq", "\ud800"), [("/value", "wrong_type")]),
        (leaf("full_name", "in", "x"), [("/value", "wrong_type")]),
        (leaf("full_name", "in", ["x", 1]), [("/value", "wrong_type")]),
        (leaf("full_name", "exists", "yes"), [("/value", "wrong_type")]),
        (leaf("years_of_experience", "gte", "5"), [("/value", "wrong_type")]),
        (leaf("years_of_experience", "gte", True), [("/value", "wrong_type")]),
        (leaf("years_of_experience", "gte", float("nan")), [("/value", "wrong_type")]),
        (leaf("years_of_experience", "gte", 10**400), [("/value", "wrong_type")]),
        (leaf("birth_date", "eq", "1990-02-30"), [("/value", "wrong_type")]),
        (leaf("birth_date", "within_days", -1), [("/value", "wrong_type")]),
        (leaf("last_interaction_at", "gt", "2026-01-01"), [("/value", "wrong_type")]),
        (leaf("last_interaction_at", "gt", "2026-01-01T00:00:00"), [("/value", "wrong_type")]),
        (leaf("last_interaction_at", "gt", "0001-01-01T00:00:00+09:00"), [("/value", "wrong_type")]),
        (leaf("skills", "has", "python"), [("/value", "wrong_type")]),
        (
            leaf("skills", "has", {"n_a": 1, "years_gte": "x"}),
            [("/value/n_a", "unknown_field"), ("/value/years_gte", "wrong_type")],
        ),
        (leaf("skills", "has", {"min_count": 0}), [("/value/min_count", "wrong_type")]),
        ([], [("", "wrong_type")]),
        ({"all": {}}, [("", "wrong_type")]),
        ({"all": [], "any": []}, [("", "wrong_type")]),
        ({"field": "full_name"}, [("", "wrong_type")]),
        (
            {"all": [leaf("x", "eq", 1), {"any": [leaf("tags", "has", 1)]}]},
            [("/all/0/field", "unknown_field"), ("/all/1/any/0/value", "wrong_type")],
        ),
    ],
)
def test_a_wrong_tree_names_the_place_and_the_reason(tree: Any, expected: list[tuple[str, str]]) -> None:
    assert problems(tree) == expected


def test_depth_has_a_limit() -> None:
    parse(nested(MAX_DEPTH), FIELDS)
    assert problems(nested(MAX_DEPTH + 1)) == [("/not/0" * MAX_DEPTH, "too_deep")]
    assert problems(nested(600))[0][1] == "too_deep"


def test_the_number_of_leaves_has_a_limit() -> None:
    one = leaf("full_name", "eq", "x")
    parse({"any": [one] * MAX_LEAVES}, FIELDS)
    assert problems({"any": [one] * (MAX_LEAVES + 1)}) == [("", "too_many_leaves")]


def test_values_are_typed_and_folded() -> None:
    tree = parse({"all": [leaf("tags", "has", "Ｐｙｔｈｏｎ"), leaf("custom_fields.grade", "gte", 3)]}, FIELDS)
    assert [each.value for each in leaves(tree)] == ["python", 3.0]
    assert all(isinstance(each, Leaf) for each in leaves(tree))


def test_a_question_may_be_narrowed() -> None:
    with pytest.raises(CriteriaInvalidError) as caught:
        parse(leaf("score.value", "gte", 3), FIELDS.without("score.value"))
    assert caught.value.problems == (Problem("/field", "unknown_field"),)
    with pytest.raises(CriteriaInvalidError):
        parse(leaf("custom_fields.x", "eq", 3), FIELDS.without("custom_fields"))


def test_exists_needs_no_value() -> None:
    tree = parse({"field": "full_name", "op": "exists"}, FIELDS)
    assert isinstance(tree, Leaf)
    assert tree.value is True
