"""Every door holds custom fields to their definitions, and refuses what employers may not collect."""

from typing import Any

import httpx
import pytest

GRADE = {"key": "grade", "name": "Grade", "type": "number"}
WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"grade": "three"}, "/custom_fields/grade", "wrong_type"),
    ({"宗教": "x"}, "/custom_fields/宗教", "sensitive_field"),
    ({"home": {"本籍": "x"}}, "/custom_fields/home/本籍", "sensitive_field"),
]


@pytest.mark.parametrize(("custom", "pointer", "code"), WRONG)
async def test_no_door_takes_what_a_definition_or_the_guideline_refuses(
    api: httpx.AsyncClient, custom: dict[str, Any], pointer: str, code: str
) -> None:
    await api.post("/v1/custom-fields", json=GRADE)
    known = (await api.put("/v1/candidates/by-external-id/ats/1", json={"full_name": "甲"})).json()["id"]
    stated = {"full_name": "乙", "custom_fields": custom}
    answers = [
        await api.post("/v1/candidates", json=stated),
        await api.put("/v1/candidates/by-external-id/ats/1", json=stated),
        await api.patch(f"/v1/candidates/{known}", json={"custom_fields": custom}),
    ]
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (422, "custom_field_invalid")
        assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [(pointer, code)]
    batch = await api.post("/v1/candidates/batch-upsert", json={"items": [stated, {"full_name": "丙"}]})
    refused, taken = batch.json()["items"]
    assert (refused["outcome"], taken["outcome"]) == ("invalid", "created")
    assert [each["pointer"] for each in refused["errors"]] == [f"/items/0{pointer}"]
    assert (await api.get(f"/v1/candidates/{known}")).json()["version"] == 1


async def test_what_is_defined_is_taken_and_cleared(api: httpx.AsyncClient) -> None:
    await api.post("/v1/custom-fields", json=GRADE)
    await api.post(
        "/v1/custom-fields", json={"key": "障害等級", "name": "等級", "type": "text", "reason": "配慮のため"}
    )
    custom = {"grade": 3, "障害等級": "二級", "free": {"a": [1]}}
    made = (await api.post("/v1/candidates", json={"full_name": "甲", "custom_fields": custom})).json()
    assert made["custom_fields"] == custom
    path = f"/v1/candidates/{made['id']}"
    assert (await api.patch(path, json={"custom_fields": {"grade": None}})).json()["custom_fields"] == {
        "障害等級": "二級",
        "free": {"a": [1]},
    }
