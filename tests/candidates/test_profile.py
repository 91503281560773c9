"""Survivorship: whose word stands, and what lists add up to."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.candidates.draft import Draft
from app.candidates.features import dump_features, load_features, read_features
from app.candidates.profile import SOURCE_ORDER, Record, compute, merge_patch
from app.kit import json
from app.kit.ids import new_id


def record(payload: dict[str, Any], *, door: str = "api", ats: str | None = None) -> Record:
    source = "ats" if ats else None
    return Record(str(new_id()), source, ats, 1, door, payload, read_features(payload, "JP"))


def field(name: str, *records: Record, order: tuple[str, ...] = SOURCE_ORDER) -> Any:
    return compute(records, order).fields[name]


def stated(name: str, *, door: str = "api", kind: str | None = None) -> Record:
    return record({"headline": name, **({"sources": [{"type": kind}]} if kind else {})}, door=door)


def test_the_person_stands_over_hands_over_the_order_of_sources_over_the_newest() -> None:
    ats, form, sns = stated("ats", kind="ats"), stated("form", kind="form"), stated("sns", kind="sns")
    manual, own = stated("manual", door="manual"), stated("self", door="self")
    assert field("headline", own, manual, ats, form, sns) == "self"
    assert field("headline", manual, ats, sns) == "manual"
    assert field("headline", ats, form, sns) == "ats"
    assert field("headline", ats, form, sns, order=("sns", "form")) == "sns"
    assert field("headline", stated("old"), stated("new")) == "new"
    assert compute([ats, form]).provenance["headline"] == ats.id


def test_null_clears_in_its_own_record_and_everywhere_when_decisive() -> None:
    first, cleared = record({"headline": "a"}, ats="1"), record({"headline": None}, ats="1")
    other = record({"headline": "b"})
    assert field("headline", first, cleared) is None
    assert field("headline", first, other, cleared) == "b"
    assert field("headline", first, other, record({"headline": None}, door="manual")) is None


def test_a_manual_null_is_not_undone_by_later_statements() -> None:
    computed = compute(
        [record({"headline": "a"}), record({"headline": None}, door="manual"), record({"headline": "b"})]
    )
    assert computed.fields["headline"] is None
    assert computed.warnings == [{"code": "superseded", "pointer": "/headline", "by": "manual"}]


def test_a_link_alone_is_taken_away_by_hand() -> None:
    links = [{"type": "github", "url": f"https://github.com/{name}"} for name in ("ada", "old")]
    removed = record({"links": {"remove": [links[1]["url"]]}}, door="manual")
    assert field("links", record({"links": links}), removed) == links[:1]


def test_the_stronger_source_says_what_an_item_is_and_fills_what_the_other_knows() -> None:
    ats = record({"sources": [{"type": "ats"}], "skills": [{"name": "Go", "level": 4}]})
    sns = record({"sources": [{"type": "sns"}], "skills": [{"name": "Go", "level": 1, "years": 3}]})
    for records in ((ats, sns), (sns, ats)):
        assert field("skills", *records) == [{"name": "Go", "level": 4, "years": 3}]


def test_custom_fields_are_merged_and_places_are_not() -> None:
    old = record({"custom_fields": {"a": 1, "b": 1}, "location": {"country_code": "JP", "city": "Osaka"}})
    new = record({"custom_fields": {"b": 2, "c": None}, "location": {"city": "Berlin"}})
    assert field("custom_fields", old, new) == {"a": 1, "b": 2}
    assert field("location", old, new) == {"country_code": None, "region": None, "city": "Berlin"}


# RFC 7396, appendix A.
@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_patches_are_merged_as_the_rfc_says(target: Any, patch: Any, result: Any) -> None:
    assert merge_patch(target, patch) == result


TAGS = st.lists(st.lists(st.sampled_from("abcdef"), max_size=4), min_size=1, max_size=6)


@given(TAGS)
@settings(max_examples=100)
def test_lists_are_united_in_the_order_of_first_appearance(tags: list[list[str]]) -> None:
    united = field("tags", *(record({"tags": each}) for each in tags))
    assert united == list(dict.fromkeys(tag for each in tags for tag in each))


@given(TAGS)
@settings(max_examples=100)
def test_saying_it_again_changes_nothing(tags: list[list[str]]) -> None:
    records = [record({"tags": each, "headline": "".join(each)}) for each in tags]
    draft = Draft(new_id())
    for each in records:
        draft.add(each, SOURCE_ORDER)
    version = draft.version
    assert draft.add(record(dict(records[-1].payload)), SOURCE_ORDER) == []
    assert draft.version == version


EMAILS = st.lists(
    st.fixed_dictionaries(
        {"value": st.sampled_from(["a@example.jp", "Ｂ@example.jp", "c@example.jp", "nonsense"])},
        optional={"is_primary": st.booleans()},
    ),
    max_size=4,
)


@given(st.lists(EMAILS, min_size=1, max_size=5))
@settings(max_examples=100)
def test_exactly_one_address_is_primary_and_first_when_any_is_valid(emails: list[list[dict[str, Any]]]) -> None:
    united = field("email_addresses", *(record({"email_addresses": each}) for each in emails))
    assert [each["is_primary"] for each in united].count(True) == any(each["value"] for each in united)
    assert not any(each["is_primary"] for each in united[1:])
    said = {each["value"] for statement in emails for each in statement}
    assert {each["raw"] for each in united} <= said
    assert len({each["value"] or each["raw"] for each in united}) == len(united) == len(said)


@given(st.permutations(["ats", "form", "import", "sns"]), st.permutations(range(4)))
@settings(max_examples=50)
def test_the_order_of_arrival_does_not_matter_between_different_sources(order: list[str], places: list[int]) -> None:
    records = [stated(kind, kind=kind) for kind in ("ats", "form", "import", "sns")]
    assert field("headline", *(records[place] for place in places), order=tuple(order)) == order[0]


def test_features_go_through_json() -> None:
    features = read_features(
        {
            "full_name": "髙橋 花子",
            "full_name_kana": "ﾀｶﾊｼ ﾊﾅｺ",
            "email_addresses": {"add": [{"value": "info@example.jp"}], "remove": ["x@example.jp"]},
            "phone_numbers": {"add": [{"value": "090-1234-5670"}], "remove": [{"value": "０３-3456-7891"}]},
            "external_ids": {"add": [{"source": "a", "id": "1"}]},
            "current_company": "㈱テスト",
            "birth_date": "1990-04-01",
        },
        "JP",
    )
    assert load_features(json.loads(json.dumps(dump_features(features)))) == features
    assert (features.keys("email"), features.keys("phone", "mobile")) == ((), ("+819012345670",))
    assert {"x@example.jp", "+81334567891"} <= features.removed
