"""A correction by hand: what it changes, what it leaves, and what it stands over."""

from typing import Any

import httpx

PATH = "/v1/candidates/by-external-id/ats/1"
STATED = {
    "full_name": "山田 太郎",
    "headline": "Engineer",
    "email_addresses": [{"value": "a@example.jp"}, {"value": "b@example.jp", "is_primary": True}],
    "phone_numbers": [{"value": "090-1234-5670"}],
    "links": [{"url": "https://github.com/taro"}],
    "skills": [{"name": "Python", "level": 3}, {"name": "Go"}],
    "tags": ["x", "y"],
    "sources": [{"type": "event", "name": "A"}],
    "location": {"country_code": "JP", "city": "Osaka"},
    "custom_fields": {"a": {"b": 1, "c": 2}, "d": 3},
}


async def patch(api: httpx.AsyncClient, candidate_id: str, body: dict[str, Any], status: int = 200) -> dict[str, Any]:
    answer = await api.patch(
        f"/v1/candidates/{candidate_id}", json=body, headers={"Content-Type": "application/merge-patch+json"}
    )
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def made(api: httpx.AsyncClient) -> dict[str, Any]:
    found: dict[str, Any] = (await api.put(PATH, json=STATED)).json()
    return found


async def test_scalars_are_set_and_cleared_and_absent_ones_stay(api: httpx.AsyncClient) -> None:
    before = await made(api)
    after = await patch(api, before["id"], {"headline": None, "department": "R&D", "id": "ignored", "version": 99})
    assert (after["headline"], after["department"], after["version"]) == (None, "R&D", 2)
    assert {name for name in before if name in after and before[name] != after[name]} == {
        "headline", "department", "version", "updated_at",
    }  # fmt: skip
    assert (await patch(api, before["id"], {"department": "R&D"}))["version"] == 2
    assert (await patch(api, before["id"], {}))["version"] == 2


async def test_objects_are_merged_as_rfc_7396_says(api: httpx.AsyncClient) -> None:
    before = await made(api)
    body = {"custom_fields": {"a": {"b": None, "e": 5}, "d": None}, "location": {"city": "Kobe"}}
    after = await patch(api, before["id"], body)
    assert after["custom_fields"] == {"a": {"c": 2, "e": 5}}
    assert after["location"] == {"country_code": "JP", "region": None, "city": "Kobe"}
    assert (await patch(api, before["id"], {"location": None, "custom_fields": None}))["location"] is None


async def test_lists_are_added_to_updated_and_removed_from_by_key(api: httpx.AsyncClient) -> None:
    before = await made(api)
    after = await patch(
        api,
        before["id"],
        {
            "tags": {"add": ["z", "x"], "remove": ["y", "never there"]},
            "skills": {"add": [{"name": "Python", "level": 5}], "remove": ["Go"]},
            "email_addresses": {"remove": ["Ａ@example.jp"]},
            "phone_numbers": {"add": [{"value": "03-3456-7891"}], "remove": [{"value": "０９０１２３４５６７０"}]},
            "links": {"remove": ["https://github.com/taro"]},
            "sources": {"add": [{"type": "event", "name": "A", "detail": "talk"}, {"type": "sns"}]},
        },
    )
    assert after["tags"] == ["x", "z"]
    assert after["skills"] == [{"name": "Python", "level": 5, "years": None}]
    assert [each["value"] for each in after["email_addresses"]] == ["b@example.jp"]
    assert [(each["value"], each["type"]) for each in after["phone_numbers"]] == [("+81334567891", "fixed")]
    assert after["links"] == []
    assert [(each["type"], each["name"], each["detail"]) for each in after["sources"]] == [
        ("event", "A", "talk"),
        ("sns", None, None),
    ]


async def test_external_ids_are_added_and_freed(api: httpx.AsyncClient) -> None:
    before = await made(api)
    body = {"external_ids": {"add": [{"source": "hr", "id": "9"}], "remove": [{"source": "ats", "id": "1"}]}}
    assert (await patch(api, before["id"], body))["external_ids"] == [{"source": "hr", "id": "9"}]
    assert (await api.get(PATH)).status_code == 404
    assert (await api.get("/v1/candidates/by-external-id/hr/9")).json()["id"] == before["id"]
    other = await api.put(PATH, json={"full_name": "Somebody Else"})
    assert (other.status_code, other.json()["id"] == before["id"]) == (201, False)
    taken = await patch(api, other.json()["id"], {"external_ids": {"add": [{"source": "hr", "id": "9"}]}}, 409)
    assert taken["code"] == "match_conflict"


async def test_a_bare_array_is_refused(api: httpx.AsyncClient) -> None:
    before = await made(api)
    answer = await patch(api, before["id"], {"tags": ["z"]}, 422)
    assert answer["errors"][0]["pointer"] == "/tags"
    assert (await patch(api, before["id"], {"on_match": "link"}, 422))["errors"][0]["pointer"] == "/on_match"
    wrong_media = await api.patch(
        f"/v1/candidates/{before['id']}", content=b"{}", headers={"Content-Type": "text/json"}
    )
    assert wrong_media.status_code == 415


async def test_a_correction_stands_over_later_statements_which_say_so(api: httpx.AsyncClient) -> None:
    before = await made(api)
    await patch(api, before["id"], {"headline": "Manager", "tags": {"remove": ["x"]}})
    later = (await api.put(PATH, json={"headline": "Director", "tags": ["x", "w"]})).json()
    assert (later["headline"], later["tags"]) == ("Manager", ["y", "w"])
    assert later["warnings"] == [
        {"code": "superseded", "pointer": "/headline", "by": "manual"},
        {"code": "superseded", "pointer": "/tags", "by": "manual"},
    ]
    again = await patch(api, before["id"], {"headline": "Director", "tags": {"add": ["x"]}})
    assert (again["headline"], again["tags"], again["warnings"]) == ("Director", ["y", "w", "x"], [])


async def test_the_primary_address_is_of_the_newest_record_that_has_one(api: httpx.AsyncClient) -> None:
    before = await made(api)
    assert [each["value"] for each in before["email_addresses"] if each["is_primary"]] == ["b@example.jp"]
    later = (await api.put(PATH, json={"email_addresses": [{"value": "c@example.jp"}]})).json()
    assert [(each["value"], each["is_primary"]) for each in later["email_addresses"]] == [
        ("c@example.jp", True),
        ("a@example.jp", False),
        ("b@example.jp", False),
    ]


async def test_a_statement_about_somebody_by_two_ids_is_linked(api: httpx.AsyncClient) -> None:
    before = await made(api)
    ids = [{"source": "hr", "id": "1"}, {"source": "ats", "id": "1"}]
    linked = await api.post("/v1/candidates", json={"external_ids": ids})
    assert (linked.status_code, linked.json()["id"], linked.json()["match"]["outcome"]) == (200, before["id"], "linked")
