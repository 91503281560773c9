"""Contents over HTTP."""

import httpx

BODY = {"key": "c1", "kind": "article", "title": "T", "url": "https://example.co.jp/a", "topics": ["x"]}


async def test_a_content_is_made_read_replaced_and_changed(api: httpx.AsyncClient) -> None:
    made = await api.post("/v1/contents", json=BODY)
    assert (made.status_code, made.headers["ETag"]) == (201, '"v1"')
    path = made.headers["Location"]
    assert (await api.get(path)).json() == made.json()
    put = await api.put(path, json={**made.json(), "title": "U"}, headers={"If-Match": '"v1"'})
    assert (put.json()["title"], put.json()["version"]) == ("U", 2)
    patch = {"status": "archived", "summary": "s", "topics": {"add": ["y"], "remove": ["x"]}}
    patched = (await api.patch(path, json=patch)).json()
    assert (patched["status"], patched["summary"], patched["topics"], patched["title"]) == ("archived", "s", ["y"], "U")
    assert (await api.patch(path, json=patch)).json()["version"] == patched["version"] == 3
    assert (await api.put(path, json=BODY, headers={"If-Match": '"v1"'})).status_code == 412
    cleared = await api.patch(path, json={"title": None})
    assert (cleared.status_code, [each["pointer"] for each in cleared.json()["errors"]]) == (422, ["/title"])
    assert (await api.get("/v1/contents?include=total")).json()["total"] == 1


async def test_keys_are_taken_once_and_shapes_are_strict(api: httpx.AsyncClient) -> None:
    await api.post("/v1/contents", json=BODY)
    assert (await api.post("/v1/contents", json=BODY)).json()["code"] == "key_taken"
    for wrong in ({"kind": "video"}, {"url": "javascript:x"}, {"title": "a\r\nb"}, {"x": 1}, {"key": ""}):
        assert (await api.post("/v1/contents", json={**BODY, **wrong})).status_code == 422, wrong
    assert (await api.get("/v1/contents/nothing")).status_code == 404


async def test_a_key_is_changed_to_a_free_one(api: httpx.AsyncClient) -> None:
    path = (await api.post("/v1/contents", json=BODY)).headers["Location"]
    await api.post("/v1/contents", json={**BODY, "key": "c2"})
    assert (await api.patch(path, json={"key": "c3"})).json()["key"] == "c3"
    taken = await api.patch(path, json={"key": "c2"})
    assert (taken.status_code, taken.json()["code"]) == (409, "key_taken")


async def test_lists_are_filtered(api: httpx.AsyncClient) -> None:
    for number, kind in enumerate(("article", "event", "job")):
        await api.post("/v1/contents", json={**BODY, "key": str(number), "kind": kind})
    kinds = [each["kind"] for each in (await api.get("/v1/contents?kind=event&kind=job")).json()["data"]]
    assert kinds == ["job", "event"]
    assert (await api.get("/v1/contents?status=archived")).json()["data"] == []
