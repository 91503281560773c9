"""What each door answers: statuses, outcomes, versions."""

from typing import Any

import httpx
import pytest

from app.candidates.schemas import CandidateRead
from app.kit.db import Database
from tests.conftest import TenantFixture

TARO = {"full_name": "山田 太郎", "email_addresses": [{"value": "taro@example.jp"}]}


async def post(api: httpx.AsyncClient, body: dict[str, Any], status: int = 201) -> dict[str, Any]:
    answer = await api.post("/v1/candidates", json=body)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def put(api: httpx.AsyncClient, path: str, body: dict[str, Any], status: int = 200) -> dict[str, Any]:
    answer = await api.put(f"/v1/candidates/by-external-id/{path}", json=body)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_person_is_created_and_read(api: httpx.AsyncClient) -> None:
    answer = await api.post(
        "/v1/candidates",
        json={
            **TARO,
            "email_addresses": [{"value": "Ｔａｒｏ@Example.jp", "type": "work"}, {"value": "not an address"}],
            "phone_numbers": [{"value": "０９０ー１２３４ー５６７８"}],
            "links": [{"url": "https://github.com/taro"}, {"url": "https://taro.example.jp/"}],
            "skills": [{"name": "Python", "years": 5}],
            "external_ids": [{"source": "greenhouse", "id": "123"}],
            "birth_date": "1990-04-01",
            "location": {"city": "Osaka"},
            "sources": [{"type": "event", "name": "Tech Night", "occurred_on": "2026-05-20"}],
            "tags": ["backend"],
            "years_of_experience": 7,
            "custom_fields": {"level": {"zz": 1e20, "a": 1.50, "b": [None, -1e-7, "é"]}},
        },
    )
    made = answer.json()
    assert (answer.status_code, made["match"]) == (201, {"outcome": "created", "pairs": []})
    assert answer.headers["Location"] == f"/v1/candidates/{made['id']}"
    assert answer.headers["ETag"] == '"v1"'
    assert made["email_addresses"] == [
        {"value": "taro@example.jp", "raw": "Ｔａｒｏ@Example.jp", "type": "work", "is_primary": True, "status": "ok"},
        {"value": None, "raw": "not an address", "type": "other", "is_primary": False, "status": "ok"},
    ]
    assert made["phone_numbers"] == [{"value": "+819012345678", "raw": "０９０ー１２３４ー５６７８", "type": "mobile"}]
    assert [link["type"] for link in made["links"]] == ["github", "website"]
    assert made["location"] == {"country_code": None, "region": None, "city": "Osaka"}
    assert made["sources"] == [{"type": "event", "name": "Tech Night", "occurred_on": "2026-05-20", "detail": None}]
    assert made["warnings"] == [{"code": "invalid_email", "pointer": "/email_addresses/1", "by": None}]
    assert made["retention"]["basis"] == "existing_dealings"
    read = await api.get(f"/v1/candidates/{made['id']}")
    assert read.json() == {name: value for name, value in made.items() if name != "match"}
    assert set(read.json()) == set(CandidateRead.model_fields)

    again = await api.post("/v1/candidates", json=read.json())
    assert (again.status_code, again.json()["match"]["outcome"], again.json()["version"]) == (200, "unchanged", 1)


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"tags": ["x"]}, "", "nothing_identifies"),
        ({"phone_numbers": [{"value": "12"}]}, "/phone_numbers/0/value", "invalid_phone"),
        ({"email_addresses": [{"value": "nobody"}]}, "/email_addresses/0/value", "invalid_email"),
        ({**TARO, "colour": "red"}, "/colour", "extra_forbidden"),
        ({**TARO, "tags": {"add": ["x"]}}, "/tags", "list_type"),
        ({**TARO, "skills": [{"name": "x", "level": 6}]}, "/skills/0/level", "less_than_equal"),
        ({**TARO, "birth_date": "2023-02-29"}, "/birth_date", "date_from_datetime_parsing"),
        ({**TARO, "on_match": "merge"}, "/on_match", "literal_error"),
    ],
)
async def test_what_cannot_be_taken_is_422_with_its_place(
    api: httpx.AsyncClient, body: dict[str, Any], pointer: str, code: str
) -> None:
    answer = await api.post("/v1/candidates", json=body)
    assert answer.status_code == 422
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [(pointer, code)]


async def test_somebody_new_at_an_address_that_wants_no_mail_is_shown_so(api: httpx.AsyncClient) -> None:
    unwanted = {"channel": "email", "value": "taro@example.jp", "reason": "manual"}
    assert (await api.post("/v1/suppressions", json=unwanted)).status_code == 201
    made = await post(api, {**TARO, "full_name_kana": "ヤマダ タロウ"})
    assert [each["status"] for each in made["email_addresses"]] == ["suppressed"]
    read = await api.get(f"/v1/candidates/{made['id']}")
    assert read.json() == {name: value for name, value in made.items() if name != "match"}


async def test_the_full_name_is_built_from_its_parts_in_the_languages_order(api: httpx.AsyncClient) -> None:
    parts = {"family_name": "山田", "given_name": "太郎"}
    assert (await post(api, parts))["full_name"] == "山田 太郎"
    assert (await post(api, {"family_name": "Smith", "given_name": "John"}))["full_name"] == "John Smith"
    named = await post(api, {"family_name": "Yamada", "given_name": "Taro", "language": "ja"})
    assert named["full_name"] == "Yamada Taro"
    assert (await post(api, {"full_name_kana": "スズキ ハナ"}))["full_name"] == "スズキ ハナ"
    assert (await post(api, {"family_name_romaji": "Mori", "given_name_romaji": "Ken"}))["full_name"] == "Ken Mori"
    assert (await post(api, {"email_addresses": [{"value": "x@example.jp"}]}))["full_name"] is None


async def test_the_same_external_id_is_the_same_record(api: httpx.AsyncClient) -> None:
    made = await put(api, "ats/1", {**TARO, "headline": "Engineer", "tags": ["a"], "department": "R&D"}, 201)
    assert (made["match"]["outcome"], made["external_ids"]) == ("created", [{"source": "ats", "id": "1"}])
    same = await put(api, "ats/1", {**TARO, "headline": "Engineer", "tags": ["a"]})
    assert (same["match"]["outcome"], same["version"], same["id"]) == ("unchanged", 1, made["id"])
    changed = await put(api, "ats/1", {"headline": "Manager", "tags": ["b"], "department": None})
    assert (changed["match"]["outcome"], changed["version"]) == ("updated", 2)
    assert (changed["headline"], changed["tags"], changed["department"]) == ("Manager", ["a", "b"], None)
    assert changed["full_name"] == "山田 太郎"
    assert changed["updated_at"] > made["updated_at"]
    by_post = await post(
        api, {"external_ids": [{"source": "ats", "id": "1"}], "on_match": "create", "tags": ["c"]}, 200
    )
    assert (by_post["id"], by_post["match"]["outcome"]) == (made["id"], "updated")
    records = (await api.get(f"/v1/candidates/{made['id']}/records")).json()["data"]
    assert len(records) == 4


async def test_external_ids_are_percent_encoded_in_paths(api: httpx.AsyncClient) -> None:
    made = await put(api, "a%2Fb/x%2Fy%20%E5%B1%B1%3F", TARO, 201)
    assert made["external_ids"] == [{"source": "a/b", "id": "x/y 山?"}]
    found = await api.get("/v1/candidates/by-external-id/a%2Fb/x%2Fy%20%E5%B1%B1%3F")
    assert (found.status_code, found.json()["id"], found.headers["ETag"]) == (200, made["id"], '"v1"')
    for path in ("a/b", "a%2Fb/x", "a%2Fb/%ff", "a%2Fb/%00", "a%2Fb/"):
        assert (await api.get(f"/v1/candidates/by-external-id/{path}")).status_code == 404, path


async def test_external_ids_of_two_candidates_in_one_body_are_a_conflict(api: httpx.AsyncClient) -> None:
    ids = [(await put(api, f"ats/{number}", {"full_name": name}, 201))["id"] for number, name in ((1, "甲"), (2, "乙"))]
    body = {"external_ids": [{"source": "ats", "id": "1"}, {"source": "ats", "id": "2"}]}
    for mode in ("policy", "link", "review", "create"):
        answer = await api.post("/v1/candidates", json={**body, "on_match": mode})
        assert (answer.status_code, answer.json()["code"]) == (409, "match_conflict")
        assert sorted(answer.json()["candidate_ids"]) == sorted(ids)


async def test_if_match_guards_put_patch_and_delete(api: httpx.AsyncClient) -> None:
    made = await put(api, "ats/1", TARO, 201)
    path, external = f"/v1/candidates/{made['id']}", "/v1/candidates/by-external-id/ats/1"
    stale = {"If-Match": '"v7"'}
    for method, url, body in (("PATCH", path, {"headline": "x"}), ("PUT", external, {"headline": "x"})):
        answer = await api.request(method, url, json=body, headers=stale)
        assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")
        wrong = await api.request(method, url, json={"colour": 1}, headers=stale)
        assert wrong.status_code == 412
    assert (await api.delete(path, headers=stale)).status_code == 412
    none = await api.put("/v1/candidates/by-external-id/ats/none", json=TARO, headers=stale)
    assert none.status_code == 412
    assert (await api.get(path)).json()["version"] == 1
    good = await api.patch(path, json={"headline": "x"}, headers={"If-Match": '"v1"'})
    assert (good.status_code, good.headers["ETag"]) == (200, '"v2"')
    assert (await api.put(external, json={"headline": "y"}, headers={"If-Match": "*"})).status_code == 200
    nobody = external.replace("/by-external-id/", "/by-external-id/nobody-")
    for made_for in ("*", '"v1"'):
        refused = await api.put(nobody, json={"full_name": "New One"}, headers={"If-Match": made_for})
        assert refused.status_code == 412, "there is nothing yet that it could match"


async def test_a_tenant_may_demand_if_match(api: httpx.AsyncClient) -> None:
    made = await post(api, TARO)
    path = f"/v1/candidates/{made['id']}"
    await api.patch("/v1/tenant", json={"require_if_match": True})
    for method in ("PATCH", "DELETE"):
        answer = await api.request(method, path, json={"colour": 1} if method == "PATCH" else None)
        assert (answer.status_code, answer.json()["code"]) == (428, "precondition_required")
    assert (await api.patch("/v1/candidates/nonsense", json={})).status_code == 404
    assert (await api.patch(path, json={"tags": {"add": ["x"]}}, headers={"If-Match": '"v1"'})).status_code == 200


async def test_a_replay_answers_what_was_answered(api: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "one"}
    first = await api.post("/v1/candidates", json={"full_name": "甲"}, headers=key)
    again = await api.post("/v1/candidates", json={"full_name": "甲"}, headers=key)
    assert first.status_code == again.status_code == 201
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")
    assert again.headers["Location"] == first.headers["Location"]
    assert (await api.post("/v1/candidates", json={"full_name": "乙"}, headers=key)).status_code == 422


async def test_a_deleted_candidate_is_gone_until_it_is_restored(api: httpx.AsyncClient) -> None:
    made = await put(api, "ats/1", TARO, 201)
    path = f"/v1/candidates/{made['id']}"
    assert (await api.delete(path)).status_code == 204
    assert [(await api.get(path)).status_code, (await api.delete(path)).status_code] == [404, 404]
    assert (await api.get("/v1/candidates/by-external-id/ats/1")).status_code == 404
    other = await post(api, TARO)
    assert other["match"] == {"outcome": "created", "pairs": []}
    back = await api.post(f"{path}/restore")
    assert (back.status_code, back.json()["status"], back.json()["version"]) == (200, "active", 3)
    pairs = (await api.get("/v1/dedup/pairs")).json()["data"]
    assert [{pair["left_id"], pair["right_id"]} for pair in pairs] == [{made["id"], other["id"]}]
    assert (await api.post(f"{path}/restore")).json()["version"] == 3
    types = [change["type"] for change in (await changes(api)) if change["id"] == made["id"]]
    assert types == ["candidate.created", "candidate.deleted", "candidate.restored"]


async def changes(api: httpx.AsyncClient) -> list[dict[str, Any]]:
    from_start: list[dict[str, Any]] = (await api.get("/v1/changes?limit=200")).json()["data"]
    return from_start


async def test_restoring_over_a_taken_external_id_is_a_conflict(api: httpx.AsyncClient) -> None:
    made = await put(api, "ats/1", TARO, 201)
    await api.delete(f"/v1/candidates/{made['id']}")
    other = await put(api, "ats/1", {"full_name": "Somebody Else"}, 201)
    answer = await api.post(f"/v1/candidates/{made['id']}/restore")
    assert (answer.status_code, answer.json()["candidate_ids"]) == (409, [other["id"]])


async def test_events_name_the_fields_that_changed(api: httpx.AsyncClient) -> None:
    made = await put(api, "ats/1", TARO, 201)
    await put(api, "ats/1", TARO)
    await put(api, "ats/1", {"headline": "x", "phone_numbers": [{"value": "090-1234-5678"}]})
    seen = [change for change in await changes(api) if change["id"] == made["id"]]
    assert [(change["type"], change["version"]) for change in seen] == [
        ("candidate.created", 1),
        ("candidate.updated", 2),
    ]
    assert seen[0]["changed_fields"] == ["email_addresses", "external_ids", "full_name"]
    assert seen[1]["changed_fields"] == ["headline", "phone_numbers"]


async def test_a_number_is_read_where_the_tenant_dials_by_now(
    api: httpx.AsyncClient, tenant: TenantFixture, database: Database
) -> None:
    number = {"phone_numbers": [{"value": "(202) 456-1111"}]}
    assert (await post(api, {**TARO, **number}))["phone_numbers"][0]["value"] == "+812024561111"
    async with database.transaction(tenant.caller) as session:
        await session.run("update tenants set country_code = 'US'")
    checked = (await api.post("/v1/dedup/check", json=number)).json()
    made = await post(api, {"full_name": "Ann Lee", **number})
    assert (checked["data"], made["phone_numbers"][0]["value"]) == ([], "+12024561111")
    [known] = (await api.post("/v1/dedup/check", json=number)).json()["data"]
    assert known["candidate_id"] == made["id"]
