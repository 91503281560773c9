"""People who share much and are not one: nobody links them by themselves, and the evidence says why."""

from typing import Any

import httpx
import pytest

BORN = {"birth_date": "1995-05-05"}
HOME = {"phone_numbers": [{"value": "03-3456-7891"}]}
MOBILE = {"phone_numbers": [{"value": "090-8234-5671"}]}
OFFICE = {"email_addresses": [{"value": "info@example.co.jp"}]}
MAIL = {"email_addresses": [{"value": "sato.family@example.jp"}]}
WORKS = {"current_company": "株式会社青空"}

CASES: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, str]]] = [
    (
        "twins",
        {"full_name": "佐藤 健", "full_name_kana": "サトウ タケル", **BORN, **HOME, **MAIL},
        {"full_name": "佐藤 蓮", "full_name_kana": "サトウ レン", **BORN, **HOME, **MAIL},
        {"name": "disagree", "email": "agree", "fixed_phone": "agree", "birth_date": "agree"},
    ),
    (
        "father and son",
        {"full_name": "John Smith Sr.", "birth_date": "1960-01-02", **MAIL},
        {"full_name": "John Smith Jr.", "birth_date": "1990-03-04", **MAIL},
        {"name": "disagree", "email": "agree", "birth_date": "disagree"},
    ),
    (
        "a family phone",
        {"full_name": "田中 一郎", **HOME},
        {"full_name": "田中 花子", **HOME},
        {"name": "disagree", "fixed_phone": "agree"},
    ),
    (
        "a reassigned number",
        {"full_name": "鈴木 大輔", **MOBILE},
        {"full_name": "伊藤 美咲", **MOBILE},
        {"name": "disagree", "mobile": "agree"},
    ),
    (
        "an office mailbox",
        {"full_name": "高橋 誠", **OFFICE, **WORKS},
        {"full_name": "高橋 誠", **OFFICE, **WORKS},
        {"name": "agree", "email": "generic", "employer": "agree"},
    ),
    ("a common name", {"full_name": "佐藤 健"}, {"full_name": "佐藤 健"}, {"name": "agree"}),
    (
        "a common name at one employer",
        {"full_name": "佐藤 健", **WORKS},
        {"full_name": "佐藤 健", **WORKS},
        {"name": "agree", "employer": "agree"},
    ),
]


@pytest.mark.parametrize(("first", "second", "verdicts"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
async def test_they_stay_apart_and_the_evidence_says_why(
    api: httpx.AsyncClient, first: dict[str, Any], second: dict[str, Any], verdicts: dict[str, str]
) -> None:
    one, two = [(await api.post("/v1/candidates", json=body)).json() for body in (first, second)]
    assert one["id"] != two["id"]
    assert two["match"]["outcome"] in ("created", "review")
    explained = await api.post("/v1/dedup/explain", json={"left_id": one["id"], "right_id": two["id"]})
    assert explained.status_code == 200, explained.text
    read = explained.json()
    assert read["decision"] != "same"
    shown = {row["feature"]: row["verdict"] for row in read["evidence"]}
    assert {feature: shown[feature] for feature in verdicts} == verdicts
    assert all(row["weight"] == 0 for row in read["evidence"] if row["verdict"] in ("missing", "generic"))
    assert read["weight"] == pytest.approx(sum(row["weight"] for row in read["evidence"]), abs=1e-12)


async def test_an_explanation_is_the_same_from_both_sides(api: httpx.AsyncClient) -> None:
    one = (await api.post("/v1/candidates", json={"full_name": "髙橋 花子", **MAIL})).json()
    two = (await api.post("/v1/candidates", json={"full_name": "高橋 花代", **MAIL, **BORN})).json()
    there, back = [
        (await api.post("/v1/dedup/explain", json={"left_id": left, "right_id": right})).json()
        for left, right in ((one["id"], two["id"]), (two["id"], one["id"]))
    ]
    assert (there["weight"], there["decision"], there["decided_by"]) == (back["weight"], back["decision"], None)
    turned = [{**row, "left": row["right"], "right": row["left"]} for row in back["evidence"]]
    assert there["evidence"] == turned
    assert {row["feature"]: row["left"] for row in there["evidence"]}["name"] == "髙橋 花子"
    itself = await api.post("/v1/dedup/explain", json={"left_id": one["id"], "right_id": one["id"]})
    assert (itself.status_code, itself.json()["code"]) == (422, "same_candidate")
    nobody = {"left_id": one["id"], "right_id": "01999999-0000-7000-8000-000000000001"}
    unknown = await api.post("/v1/dedup/explain", json=nobody)
    assert [each["pointer"] for each in unknown.json()["errors"]] == ["/right_id"]
