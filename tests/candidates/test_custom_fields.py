"""What custom fields may hold, and what employers may not collect."""

from typing import Any

import httpx
import pytest

from app.candidates.custom_fields import Definition, wrong
from app.candidates.definitions import faults
from app.candidates.sensitive import sensitivity
from app.kit.db import Database
from tests.conftest import TenantFixture

DEFINED = {
    each.key: each
    for each in (
        Definition("note", "text"),
        Definition("grade", "number"),
        Definition("visa", "boolean"),
        Definition("start", "date"),
        Definition("notice", "choice", ["now", "later"]),
        Definition("areas", "choices", ["east", "west"]),
        Definition("disability support", "text"),
    )
}


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (None, []),
        ({"note": "x", "grade": 3.5, "visa": False, "start": "2026-02-28", "notice": "now", "areas": ["west"]}, []),
        ({"note": None, "grade": None, "unknown": {"deep": [1]}}, []),
        ({"note": 1}, [("/custom_fields/note", "wrong_type")]),
        ({"grade": True}, [("/custom_fields/grade", "wrong_type")]),
        ({"visa": "yes"}, [("/custom_fields/visa", "wrong_type")]),
        ({"start": "2026-02-30"}, [("/custom_fields/start", "wrong_type")]),
        ({"start": "20260228"}, [("/custom_fields/start", "wrong_type")]),
        ({"notice": "never"}, [("/custom_fields/notice", "unknown_option")]),
        ({"areas": ["west", "north"]}, [("/custom_fields/areas", "unknown_option")]),
        ({"areas": "west"}, [("/custom_fields/areas", "wrong_type")]),
        ({"disability support": "lift"}, []),
        ({"本籍地": "x"}, [("/custom_fields/本籍地", "sensitive_field")]),
        ({"home": {"家族/構成": "x"}}, [("/custom_fields/home/家族~1構成", "sensitive_field")]),
        ({"本籍地": None}, []),
    ],
)
def test_a_statement_is_held_to_the_definitions(document: Any, found: list[tuple[str, str]]) -> None:
    assert [(each.pointer, each.code) for each in wrong(document, DEFINED)] == found


@pytest.mark.parametrize(
    "name",
    [
        "本籍", "ご本籍地", "出身地", "家族構成", "親の職業", "宗教", "支持政党", "愛読書", "労働組合への加入",
        "思想・信条", "Religion", "religiousBeliefs", "place_of_birth", "father's occupation", "trade-union member",
        "political party", "ethnic origin", "ﾀｲｼﾞｭｳ体重",
    ],
)  # fmt: skip
def test_what_the_guideline_names_is_restricted(name: str) -> None:
    assert sensitivity(name) == "restricted"


@pytest.mark.parametrize(
    "name",
    ["病歴", "既往歴", "障害者手帳", "健康診断結果", "犯罪歴", "medicalHistory", "Disability", "criminal_record"],
)
def test_what_the_law_names_needs_special_care(name: str) -> None:
    assert sensitivity(name) == "special_care"


@pytest.mark.parametrize(
    "name",
    [
        "志望動機", "障害対応の経験", "組込み経験", "希望年収", "家電業界", "trace", "grace period", "weight of score",
        "Unionised pipelines", "embrace", "notice period", "親和性", "healthcare industry", "出身校",
    ],
)  # fmt: skip
def test_ordinary_names_stay_ordinary(name: str) -> None:
    assert sensitivity(name) == "ordinary"


async def test_a_field_is_defined_read_changed_and_taken_away(api: httpx.AsyncClient) -> None:
    body = {"key": "notice", "name": "Notice", "type": "choice", "options": ["now"], "reason": None}
    made = await api.post("/v1/custom-fields", json=body)
    assert made.status_code == 201, made.text
    path = made.headers["Location"]
    assert made.json()["sensitivity"] == "ordinary"
    again = await api.post("/v1/custom-fields", json=body)
    assert (again.status_code, again.json()["code"]) == (409, "key_taken")
    changed = await api.patch(path, json={"type": "number", "options": {"add": ["later"]}})
    assert (changed.json()["type"], changed.json()["options"]) == ("choice", ["now", "later"])
    assert changed.headers["ETag"] == '"v2"'
    emptied = await api.patch(path, json={"options": {"remove": ["now", "later"]}})
    assert [each["code"] for each in emptied.json()["errors"]] == ["options_missing"]
    assert (await api.patch(path, json={"name": "健康状態"})).status_code == 422
    assert [each["key"] for each in (await api.get("/v1/custom-fields")).json()["data"]] == ["notice"]
    assert (await api.delete(path, headers={"If-Match": '"v1"'})).status_code == 412
    assert (await api.delete(path)).status_code == 204
    assert (await api.get(path)).status_code == 404


async def test_a_sensitive_field_needs_its_reason(
    api: httpx.AsyncClient, database: Database, tenant: TenantFixture
) -> None:
    body = {"key": "support", "name": "障害者手帳の有無", "type": "boolean"}
    refused = await api.post("/v1/custom-fields", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "custom_field_invalid")
    assert [(each["pointer"], each["code"]) for each in refused.json()["errors"]] == [("/reason", "sensitive_field")]
    made = await api.post("/v1/custom-fields", json=body | {"reason": "Asked for the adjustment of the workplace."})
    assert made.json()["sensitivity"] == "special_care"
    async with database.transaction(tenant.caller) as session:
        found = await faults(session, [{"custom_fields": {"support": "yes"}}, {}, {"custom_fields": {"宗教": "x"}}])
    assert [[each.code for each in one] for one in found] == [["wrong_type"], [], ["sensitive_field"]]
