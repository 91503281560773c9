"""Who is recognised, who opens a pair, who is somebody else."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import httpx
import pytest

from app.consent import service as consent
from app.kit.db import Database
from app.kit.ids import new_id
from tests.conftest import TenantFixture
from tests.scale import scaled

TRIALS: Final = scaled(100, 1_000)

TARO = {
    "full_name": "山田 太郎",
    "full_name_kana": "ヤマダ タロウ",
    "email_addresses": [{"value": "taro.yamada@gmail.com"}],
}


async def post(api: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await api.post("/v1/candidates", json=body)
    assert answer.status_code in (200, 201), answer.text
    found: dict[str, Any] = answer.json()
    assert (answer.status_code == 201) == (found["match"]["outcome"] in ("created", "review"))
    return found


def email(value: str) -> dict[str, Any]:
    return {"email_addresses": [{"value": value}]}


@pytest.mark.parametrize(
    "again",
    [
        {"full_name": "山田太郎", **email("Taro.Yamada+x@gmail.com")},
        {"full_name": "山田　太郎", **email("ＴａｒｏＹａｍａｄａ@googlemail.com")},
        {"full_name": "Yamada Taro", **email("taroyamada@gmail.com")},
        {"full_name_kana": "ﾔﾏﾀﾞ ﾀﾛｳ", **email("taroyamada@gmail.com")},
        email("taroyamada@gmail.com"),
        {"full_name": "太郎 山田", "phone_numbers": [{"value": "０９０-1234-5670"}]},
        {"full_name": "山田太郎", "links": [{"url": "http://jp.linkedin.com/in/Taro/?x=1"}]},
    ],
)
async def test_the_same_person_in_another_spelling_is_linked(api: httpx.AsyncClient, again: dict[str, Any]) -> None:
    made = await post(
        api,
        **TARO,
        phone_numbers=[{"value": "+81 90 1234 5670"}],
        links=[{"url": "https://www.linkedin.com/in/taro"}],
    )
    linked = await post(api, **again)
    assert (linked["id"], linked["match"]) == (made["id"], {"outcome": "linked", "pairs": []})


async def test_variant_kanji_and_half_width_kana_meet(api: httpx.AsyncClient) -> None:
    made = await post(api, full_name="髙橋 﨑子", full_name_kana="ﾀｶﾊｼ ｻｷｺ", **email("saki@example.jp"))
    linked = await post(api, full_name="高橋 崎子", full_name_kana="タカハシ サキコ", **email("saki@example.jp"))
    assert (linked["id"], linked["match"]["outcome"], linked["version"]) == (made["id"], "linked", 2)
    assert linked["full_name"] == "高橋 崎子"


async def test_a_shared_address_under_another_name_opens_a_pair(api: httpx.AsyncClient) -> None:
    made = await post(api, **TARO)
    other = await post(api, full_name="山田 花子", **email("taroyamada@gmail.com"))
    assert (other["match"]["outcome"], other["id"] != made["id"]) == ("review", True)
    [pair] = other["match"]["pairs"]
    assert (pair["candidate_id"], pair["decision"]) == (made["id"], "possible")
    read = (await api.get(f"/v1/dedup/pairs/{pair['pair_id']}")).json()
    assert (read["status"], read["reason"], read["decided_by"]) == ("open", "contradiction", None)
    assert sum(row["weight"] for row in read["evidence"]) == read["weight"]
    assert read["probability"] == pair["probability"] == 1 / (1 + 2 ** -read["weight"])
    shown = {row["feature"]: {row["left"], row["right"]} for row in read["evidence"]}
    assert (shown["name"], shown["email"]) == (
        {"山田 太郎", "山田 花子"},
        {"taro.yamada@gmail.com", "taroyamada@gmail.com"},
    )
    verdicts = {row["feature"]: row["verdict"] for row in read["evidence"]}
    assert verdicts == {
        "name": "disagree", "email": "agree", "mobile": "missing", "fixed_phone": "missing", "profile_url": "missing",
        "birth_date": "missing", "employer": "missing", "external_id": "missing", "prior": "prior",
    }  # fmt: skip
    assert (await api.get(f"/v1/dedup/pairs/{new_id()}")).status_code == 404


@pytest.mark.parametrize(
    ("known", "more"),
    [
        ({"current_company": "株式会社テスト"}, {"current_company": "テスト㈱"}),
        ({"phone_numbers": [{"value": "03-3456-7891"}]}, {"phone_numbers": [{"value": "+81334567891"}]}),
    ],
)
async def test_the_same_name_with_one_more_feature_opens_a_pair(
    api: httpx.AsyncClient, known: dict[str, Any], more: dict[str, Any]
) -> None:
    await post(api, full_name="山田 太郎", **known)
    assert (await post(api, full_name="山田太郎", **more))["match"]["outcome"] == "review"
    assert (await post(api, full_name="山田 太郎"))["match"]["outcome"] == "created"
    assert (await post(api, full_name="鈴木 一郎", **more))["match"]["outcome"] == "created"


async def test_the_same_name_with_the_same_birth_date_is_linked(api: httpx.AsyncClient) -> None:
    made = await post(api, full_name="山田 太郎", birth_date="1990-04-01")
    linked = await post(api, full_name="山田太郎", birth_date="1990-04-01")
    assert (linked["id"], linked["match"]["outcome"]) == (made["id"], "linked")
    sister = await post(api, full_name="山田 花子", birth_date="1990-04-01")
    assert (sister["id"] != made["id"], sister["match"]["outcome"] in ("created", "review")) == (True, True)


async def test_role_mailboxes_and_dummy_numbers_weigh_nothing(api: httpx.AsyncClient) -> None:
    for value in ("info@example.jp", "saiyo@example.jp"):
        await post(api, full_name="山田 太郎", **email(value))
        assert (await post(api, full_name="山田 太郎", **email(value)))["match"]["outcome"] == "created"
    await post(api, full_name="山田 太郎", phone_numbers=[{"value": "090-0000-0000"}])
    again = await post(api, full_name="山田 太郎", phone_numbers=[{"value": "09000000000"}])
    assert again["match"]["outcome"] == "created"


async def test_the_fourth_different_name_makes_an_address_generic(api: httpx.AsyncClient) -> None:
    names = ["山田 太郎", "鈴木 花子", "Peter Smith"]
    outcomes = [(await post(api, full_name=name, **email("family@example.jp")))["match"] for name in names]
    assert [(match["outcome"], len(match["pairs"])) for match in outcomes] == [
        ("created", 0),
        ("review", 1),
        ("review", 2),
    ]
    fourth = await post(api, full_name="佐藤 一郎", **email("family@example.jp"))
    assert fourth["match"] == {"outcome": "created", "pairs": []}
    assert (await post(api, full_name="山田 太郎", **email("family@example.jp")))["match"]["outcome"] == "created"


async def test_a_record_without_a_name_links_to_the_only_one(api: httpx.AsyncClient) -> None:
    named = await post(api, **TARO)
    await post(api, full_name="鈴木 花子", **email("taro.yamada@gmail.com"))
    several = await post(api, **email("taroyamada@gmail.com"))
    assert (several["match"]["outcome"], len(several["match"]["pairs"])) == ("review", 2)
    assert named["id"] in {pair["candidate_id"] for pair in several["match"]["pairs"]}
    nameless = await post(api, **email("x@example.jp"))
    linked = await post(api, full_name="田中 一郎", **email("x@example.jp"))
    assert (linked["id"], linked["full_name"], linked["match"]["outcome"]) == (nameless["id"], "田中 一郎", "linked")


async def test_on_match_says_what_a_match_means(api: httpx.AsyncClient) -> None:
    made = await post(api, **TARO)
    review = await post(api, **TARO, on_match="review")
    assert (review["match"]["outcome"], [pair["candidate_id"] for pair in review["match"]["pairs"]]) == (
        "review",
        [made["id"]],
    )
    pair = (await api.get(f"/v1/dedup/pairs/{review['match']['pairs'][0]['pair_id']}")).json()
    assert (pair["status"], pair["reason"]) == ("open", "requested")
    created = await post(api, **TARO, on_match="create")
    assert created["match"] == {"outcome": "created", "pairs": []}
    conflict = await api.post("/v1/candidates", json={**TARO, "on_match": "link"})
    assert (conflict.status_code, conflict.json()["code"]) == (409, "match_conflict")
    assert set(conflict.json()["candidate_ids"]) == {made["id"], review["id"], created["id"]}
    best = await post(api, **TARO)
    assert (best["match"]["outcome"], best["id"], len(best["match"]["pairs"])) == ("linked", made["id"], 2)
    contradicting = await post(api, full_name="山田 花子", **email("taroyamada@gmail.com"), on_match="link")
    assert contradicting["match"]["outcome"] == "review"
    someone = await post(api, full_name="佐藤 健", birth_date="1990-01-01")
    possible = await post(api, full_name="佐藤 健", birth_date="1990-01-01", on_match="link")
    assert (possible["id"], possible["match"]["outcome"]) == (someone["id"], "linked")


@pytest.mark.parametrize("door", ["put", "patch", "batch"])
async def test_what_is_said_later_is_matched_together_with_what_was_said_before(
    api: httpx.AsyncClient, door: str
) -> None:
    known = await post(api, full_name="山田 太郎", birth_date="1990-04-01")
    path, born = "/v1/candidates/by-external-id/ats/1", {"birth_date": "1990-04-01"}
    said = {"full_name": "山田太郎", "external_ids": [{"source": "ats", "id": "1"}]}
    if door == "batch":
        items = [said, {**born, "external_ids": said["external_ids"]}]
        made = (await api.post("/v1/candidates/batch-upsert", json={"items": items})).json()["items"]
        assert [each["outcome"] for each in made] == ["created", "updated"]
        assert [[pair["candidate_id"] for pair in each["pairs"]] for each in made] == [[], [known["id"]]]
        return
    made = await post(api, **said)
    again = await (api.put(path, json=born) if door == "put" else api.patch(f"/v1/candidates/{made['id']}", json=born))
    assert (again.status_code, again.json()["id"]) == (200, made["id"])
    [pair] = (await api.get("/v1/dedup/pairs")).json()["data"]
    explained = await api.post("/v1/dedup/explain", json={"left_id": pair["left_id"], "right_id": pair["right_id"]})
    assert {pair["left_id"], pair["right_id"]} == {known["id"], made["id"]}
    assert (explained.json()["decision"], pair["probability"] > 0.99) == ("same", True)


async def test_a_new_version_that_matches_somebody_else_is_only_paired(api: httpx.AsyncClient) -> None:
    one = (await api.put("/v1/candidates/by-external-id/ats/1", json={"full_name": "山田 太郎"})).json()
    two = await post(api, **TARO)
    again = await api.put("/v1/candidates/by-external-id/ats/1", json=email("taroyamada@gmail.com"))
    assert (again.status_code, again.json()["id"], again.json()["match"]["outcome"]) == (200, one["id"], "updated")
    assert [pair["candidate_id"] for pair in again.json()["match"]["pairs"]] == [two["id"]]
    patched = await api.patch(f"/v1/candidates/{one['id']}", json={"birth_date": "1990-01-01"})
    assert patched.json()["birth_date"] == "1990-01-01"
    open_pairs = (await api.get("/v1/dedup/pairs?status=open&include=total")).json()
    assert len(open_pairs["data"]) == 1


async def test_a_pair_that_was_called_different_is_not_asked_again(
    api: httpx.AsyncClient, tenant: TenantFixture, database: Database
) -> None:
    await post(api, **TARO)
    other = await post(api, full_name="山田 花子", **email("taroyamada@gmail.com"))
    async with database.transaction(tenant.caller) as session:
        await session.run("update candidate_pairs set status = 'different'")
    again = await api.patch(
        f"/v1/candidates/{other['id']}", json={"email_addresses": {"add": [{"value": "taroyamada@gmail.com"}]}}
    )
    assert again.status_code == 200
    assert (await api.get("/v1/dedup/pairs?status=open")).json()["data"] == []
    assert len((await api.get("/v1/dedup/pairs")).json()["data"]) == 1


async def test_check_answers_without_writing(api: httpx.AsyncClient) -> None:
    made = await post(api, **TARO, birth_date="1990-04-01")
    found = (await api.post("/v1/dedup/check", json=TARO)).json()["data"]
    assert [(match["candidate_id"], match["decision"]) for match in found] == [(made["id"], "same")]
    assert found[0]["probability"] == 1 / (1 + 2 ** -found[0]["weight"])
    assert sum(row["weight"] for row in found[0]["evidence"]) == found[0]["weight"]
    assert (await api.post("/v1/dedup/check", json={"full_name": "山田 太郎"})).json()["data"] == []
    everybody = (await api.post("/v1/dedup/check", json={"full_name": "山田 太郎", "include": "all"})).json()["data"]
    assert [(match["candidate_id"], match["decision"]) for match in everybody] == [(made["id"], "different")]
    assert (await api.post("/v1/dedup/check", json={**TARO, "exclude_id": made["id"]})).json()["data"] == []
    assert len((await api.get("/v1/candidates")).json()["data"]) == 1


async def test_the_policy_is_replaced_and_followed(api: httpx.AsyncClient) -> None:
    read = await api.get("/v1/dedup/policy")
    assert (read.headers["ETag"], read.json()["auto_threshold"], read.json()["min_agreeing"]) == ('"v0"', 0.99, 2)
    assert read.json()["source_order"] == ["self", "manual", "ats", "form", "import", "event", "sns"]
    rule = {"all": ["name_kana", "birth_date"], "decision": "same"}
    put = await api.put("/v1/dedup/policy", json={**read.json(), "rules": [rule]}, headers={"If-Match": '"v0"'})
    assert (put.status_code, put.headers["ETag"], put.json()["rules"]) == (200, '"v1"', [rule])
    born = {"full_name_kana": "ヤマダ タロウ", "birth_date": "1990-04-01"}
    made = await post(api, **born, full_name="山田 太郎")
    assert (await post(api, **born))["id"] == made["id"]
    assert (await api.put("/v1/dedup/policy", json={}, headers={"If-Match": '"v0"'})).status_code == 412
    assert (await api.put("/v1/dedup/policy", json={"automatic": False})).json()["rules"] == []
    assert (await post(api, **born, full_name="山田 太郎"))["match"]["outcome"] == "review"
    wrong = await api.put("/v1/dedup/policy", json={"auto_threshold": 1.5})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/auto_threshold")


async def test_who_was_erased_does_not_come_back(
    api: httpx.AsyncClient, tenant: TenantFixture, database: Database
) -> None:
    async with database.transaction(tenant.caller) as session:
        await consent.suppress(session, "email", "email", "taroyamada@gmail.com", "erased", "test")
    answer = await api.post("/v1/candidates", json=TARO)
    assert (answer.status_code, answer.json()["code"]) == (409, "blocked_erased")
    batch = (await api.post("/v1/candidates/batch-upsert", json={"items": [TARO, {"full_name": "甲"}]})).json()
    assert [(item["status"], item["outcome"]) for item in batch["items"]] == [(409, "blocked_erased"), (201, "created")]


@pytest.mark.more
async def test_two_calls_at_once_with_one_address_never_miss_each_other(
    new_tenant: Callable[[], Awaitable[TenantFixture]], client_of: Callable[[str], httpx.AsyncClient]
) -> None:
    api = client_of((await new_tenant()).key)
    for trial in range(TRIALS):
        address = email(f"trial{trial}@example.jp")
        bodies = [
            {"full_name": "山田 太郎", **address},
            {"full_name": "鈴木 花子" if trial % 2 else "山田 太郎", **address},
        ]
        found = [
            answer.json()
            for answer in await asyncio.gather(*(api.post("/v1/candidates", json=body) for body in bodies))
        ]
        if trial % 2:
            assert sorted(each["match"]["outcome"] for each in found) == ["created", "review"]
        else:
            assert sorted(each["match"]["outcome"] for each in found) == ["created", "linked"]
            assert found[0]["id"] == found[1]["id"]
