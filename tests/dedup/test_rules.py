"""Rules: what two statements decide, with evidence that sums to its weight."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.candidates.features import Features, read_features
from app.dedup.pool import Pool, keyed
from app.dedup.rules import FEATURES, Judgement, Knowledge, Policy, judge, judge_records
from app.dedup.sides import Side, side_of

KNOWN = Knowledge()
NAME, OTHER = {"full_name": "山田 太郎"}, {"full_name": "山田 花子"}
MAIL = {"email_addresses": [{"value": "taro@example.jp"}]}
MOBILE = {"phone_numbers": [{"value": "090-1234-5670"}]}
FIXED = {"phone_numbers": [{"value": "03-3456-7891"}]}
URL = {"links": [{"url": "https://github.com/taro"}]}
SITE = {"links": [{"url": "https://taro.example.jp"}]}
BORN = {"birth_date": "1990-04-01"}
WORKS = {"current_company": "株式会社テスト"}


def features(*stated: dict[str, Any]) -> Features:
    payload: dict[str, Any] = {}
    for each in stated:
        payload |= each
    return read_features(payload, "JP")


def side(*stated: dict[str, Any]) -> Side:
    return side_of(features(*stated))


def judged(left: tuple[dict[str, Any], ...], right: tuple[dict[str, Any], ...], known: Knowledge = KNOWN) -> Judgement:
    return judge_records(side(*left), side(*right), known)


@pytest.mark.parametrize(
    ("left", "right", "decision", "reason"),
    [
        ((NAME, MAIL), (NAME, MAIL), "same", "possible"),
        ((NAME, MOBILE), (NAME, MOBILE), "same", "possible"),
        ((NAME, URL), (NAME, URL), "same", "possible"),
        ((NAME, MAIL), (OTHER, MAIL), "possible", "contradiction"),
        ((NAME, MAIL), (MAIL,), "possible", "possible"),
        ((NAME, MAIL), ({"full_name": "山田"}, MAIL), "possible", "possible"),
        ((NAME, BORN), (NAME, BORN), "same", "possible"),
        ((NAME, WORKS), (NAME, WORKS), "possible", "possible"),
        ((NAME, FIXED), (NAME, FIXED), "possible", "possible"),
        ((OTHER, FIXED, BORN), (NAME, FIXED, BORN), "possible", "contradiction"),
        ((OTHER, FIXED), ({"full_name": "鈴木 一郎"}, FIXED), "different", "contradiction"),
        ((NAME, FIXED, WORKS), (NAME, FIXED, WORKS), "possible", "possible"),
        ((BORN, MAIL), (BORN, MAIL), "same", "possible"),
        ((WORKS, MAIL), (WORKS, MAIL), "possible", "possible"),
        ((OTHER, BORN, MAIL), (NAME, BORN, MAIL), "possible", "contradiction"),
        ((NAME, SITE), (NAME, SITE), "different", "possible"),
        ((NAME,), (NAME,), "different", "possible"),
    ],
)
def test_decisions(left: tuple[Any, ...], right: tuple[Any, ...], decision: str, reason: str) -> None:
    for found in (judged(left, right), judged(right, left)):
        assert (found.decision, found.reason) == (decision, reason)


def test_a_tenants_rule_decides_but_not_over_a_contradiction() -> None:
    known = Knowledge(Policy(rules=({"all": ["fixed_phone", "employer"], "decision": "same"},)))
    found = judged((NAME, FIXED, WORKS), ({"full_name": "山田"}, FIXED, WORKS), known)
    assert (found.decision, found.by) == ("same", "rule")
    assert judged((NAME, FIXED, WORKS), (OTHER, FIXED, WORKS), known).decision != "same"
    by_script = Knowledge(Policy(rules=({"all": ["name_kanji"], "decision": "possible"},)))
    assert judged((NAME,), (NAME,), by_script).decision == "possible"


def test_unique_sources_make_other_ids_disagree() -> None:
    one, two = ({"external_ids": [{"source": "hr", "id": each}]} for each in "12")
    assert {row.feature: row.verdict for row in judged((one,), (two,)).evidence}["external_id"] == "missing"
    found = judged((one,), (two,), Knowledge(Policy(unique_sources=("hr",))))
    assert {row.feature: row.verdict for row in found.evidence}["external_id"] == "disagree"


def test_people_are_judged_by_their_best_records_unless_any_contradict() -> None:
    known = [side(NAME), side(NAME, MAIL)]
    assert judge([side(NAME, MAIL)], known, KNOWN).decision == "same"
    contradicting = [side(NAME, MAIL), side(OTHER)]
    found = judge([side(NAME, MAIL)], contradicting, KNOWN)
    assert (found.decision, found.reason, found.contradicts) == ("possible", "contradiction", True)


def test_generic_values_weigh_nothing() -> None:
    found = judge_records(side(NAME, MAIL), side(NAME, MAIL), Knowledge(generic={"taro@example.jp"}))
    assert found.decision == "different"
    assert {row.feature: (row.verdict, row.weight) for row in found.evidence}["email"] == ("generic", 0.0)


STATEMENTS = st.lists(st.sampled_from([NAME, OTHER, MAIL, MOBILE, FIXED, URL, BORN, WORKS]), max_size=6).map(tuple)


@given(STATEMENTS, STATEMENTS)
@settings(max_examples=150)
def test_evidence_is_whole_sums_to_the_weight_and_does_not_depend_on_the_side(
    left: tuple[dict[str, Any], ...], right: tuple[dict[str, Any], ...]
) -> None:
    found, turned = judged(left, right), judged(right, left)
    assert [row.feature for row in found.evidence] == [*FEATURES, "prior"]
    assert (found.decision, found.weight, found.reason) == (turned.decision, turned.weight, turned.reason)
    assert found.weight == sum(row.weight for row in found.evidence)
    assert found.probability == 1 / (1 + 2**-found.weight)
    assert all(row.weight == 0 for row in found.evidence if row.verdict in ("missing", "generic"))


def test_a_person_counts_once_towards_a_generic_value() -> None:
    pool = Pool(Knowledge())

    def said(candidate: int, name: str) -> None:
        statement = keyed(features({"full_name": name}, MAIL), b"0" * 16)
        pool.meet(statement)
        pool.file(UUID(int=candidate), statement)

    for candidate, name in enumerate(["山田 太郎", "山田太郎", "鈴木 花子", "Peter Smith", "Smith, Peter"]):
        said(candidate, name)
        assert not pool.turned_generic
    said(9, "佐藤 一郎")
    assert pool.known.generic == {"taro@example.jp"}
    assert len(pool.turned_generic) == 1
