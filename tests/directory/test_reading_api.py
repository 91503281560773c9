"""What a read shows beside the profile: suppressed addresses, records, links that can be followed."""

import httpx


async def test_an_address_that_must_not_be_written_to_is_shown_as_suppressed(api: httpx.AsyncClient) -> None:
    body = {"full_name": "Ada", "email_addresses": [{"value": "Ada@Example.com"}, {"value": "b@example.com"}]}
    made = (await api.post("/v1/candidates", json=body)).json()
    await api.post("/v1/suppressions", json={"channel": "email", "value": "ada@example.com", "reason": "manual"})
    read = (await api.get(f"/v1/candidates/{made['id']}")).json()
    assert sorted(each["status"] for each in read["email_addresses"]) == ["ok", "suppressed"]
    assert read["version"] == made["version"]


async def test_search_finds_an_exact_address_or_phone_and_the_list_does_not(api: httpx.AsyncClient) -> None:
    contacts = {"email_addresses": [{"value": "ada@example.com"}], "phone_numbers": [{"value": "090-1234-5678"}]}
    made = (await api.post("/v1/candidates", json={"full_name": "Ada", **contacts})).json()
    for q in ("ADA@example.com", "０９０-1234-5678", "+819012345678"):
        found = (await api.post("/v1/candidates/search", json={"q": q})).json()["data"]
        assert [each["id"] for each in found] == [made["id"]]
        assert (await api.get("/v1/candidates", params={"q": q})).json()["data"] == []


async def test_records_say_what_came_from_where(api: httpx.AsyncClient) -> None:
    path = "/v1/candidates/by-external-id/greenhouse/7"
    made = (await api.put(path, json={"full_name": "Ada", "headline": "Engineer"})).json()
    await api.put(path, json={"full_name": "Ada", "headline": "Staff engineer"})
    page = (await api.get(f"/v1/candidates/{made['id']}/records", params={"limit": 1})).json()
    [newest] = page["data"]
    assert (newest["source"], newest["external_id"], newest["version"]) == ("greenhouse", "7", 2)
    assert (newest["is_current"], newest["fields"]["headline"]) == (True, "Staff engineer")
    assert newest["provenance"] == {"full_name": "used", "headline": "used", "external_ids": "used"}
    rest = (await api.get(f"/v1/candidates/{made['id']}/records", params={"cursor": page["next_cursor"]})).json()
    [oldest] = rest["data"]
    assert (oldest["is_current"], oldest["provenance"]["headline"]) == (False, "superseded")
    assert [
        each["id"] for each in (await api.get("/v1/candidates", params={"external_id": "greenhouse:7"})).json()["data"]
    ] == [made["id"]]


async def test_the_link_to_the_next_page_can_be_followed_as_it_is(api: httpx.AsyncClient) -> None:
    for name in ("Ada", "Bob", "Cyd"):
        await api.post("/v1/candidates", json={"full_name": name, "tags": ["ｘ&y"]})
    first = await api.get("/v1/candidates", params={"tag": ["ｘ&y", "z"], "limit": 2, "sort": "full_name"})
    [target, rel] = first.headers["Link"].split("; ")
    assert rel == 'rel="next"'
    second = await api.get(target.strip("<>"))
    assert [each["full_name"] for each in second.json()["data"]] == ["Cyd"]
    assert "Link" not in second.headers


async def test_every_spelling_of_a_cursor_but_ours_is_refused(api: httpx.AsyncClient) -> None:
    for name in ("Ada", "Bob"):
        await api.post("/v1/candidates", json={"full_name": name})
    cursor = (await api.get("/v1/candidates", params={"limit": 1})).json()["next_cursor"]
    for altered in (cursor + "=", cursor + "!", cursor[:-1] + ("A" if cursor[-1] != "A" else "B")):
        refused = await api.get("/v1/candidates", params={"cursor": altered})
        assert (refused.status_code, refused.json()["code"]) == (400, "cursor_invalid")
