"""Keys, scopes and the tenant's settings over HTTP."""

from collections.abc import Awaitable, Callable

import httpx

from app.kit.ids import new_id
from tests.conftest import TenantFixture


async def test_no_key_is_401_with_a_challenge(client_of: Callable[[str], httpx.AsyncClient]) -> None:
    answer = await client_of("").get("/v1/me")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["instance"] == f"urn:uuid:{answer.headers['X-Request-Id']}"
    assert problem["errors"] == []


async def test_me_says_whom_the_service_takes_the_caller_for(api: httpx.AsyncClient) -> None:
    me = (await api.get("/v1/me")).json()
    assert me["scopes"] == ["admin"]
    assert me["actor"] == f"key:{me['key_id']}"


async def test_a_key_grants_only_what_it_holds(
    api: httpx.AsyncClient, client_of: Callable[[str], httpx.AsyncClient]
) -> None:
    made = (await api.post("/v1/api-keys", json={"name": "ATS", "scopes": ["pools:read"]})).json()
    narrow = client_of(made["key"])
    assert (await narrow.get("/v1/me")).json()["scopes"] == ["pools:read"]
    refused = await narrow.get("/v1/tenant")
    assert refused.status_code == 403
    assert refused.json()["scope"] == "admin"


async def test_a_replayed_key_creation_does_not_tell_the_secret_again(api: httpx.AsyncClient) -> None:
    body = {"name": "ATS", "scopes": ["pools:*"]}
    first = await api.post("/v1/api-keys", json=body, headers={"Idempotency-Key": "k1"})
    again = await api.post("/v1/api-keys", json=body, headers={"Idempotency-Key": "k1"})
    assert first.status_code == again.status_code == 201
    assert first.json()["key"].startswith("tp_live_")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == {**first.json(), "key": None}
    other = await api.post("/v1/api-keys", json={**body, "name": "x"}, headers={"Idempotency-Key": "k1"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")


async def test_rotation_keeps_the_old_key_for_its_overlap_and_delete_ends_both(
    api: httpx.AsyncClient, client_of: Callable[[str], httpx.AsyncClient]
) -> None:
    old = (await api.post("/v1/api-keys", json={"name": "ATS", "scopes": ["admin"]})).json()
    new = (await api.post(f"/v1/api-keys/{old['id']}/rotate")).json()
    assert new["id"] == old["id"]
    assert [(await client_of(key["key"]).get("/v1/me")).status_code for key in (old, new)] == [200, 200]
    assert (await api.delete(f"/v1/api-keys/{old['id']}")).status_code == 204
    assert (await api.delete(f"/v1/api-keys/{old['id']}")).status_code == 404


async def test_the_tenant_is_patched_under_its_etag(api: httpx.AsyncClient) -> None:
    read = await api.get("/v1/tenant")
    assert read.headers["ETag"] == '"v1"'
    patch = {"sender": {"name": "株式会社例"}, "frequency_caps": {"email": {"max": 2, "days": 7}}}
    changed = await api.patch("/v1/tenant", json=patch, headers={"If-Match": '"v1"'})
    assert changed.json()["version"] == 2
    assert changed.json()["sender"]["name"] == "株式会社例"
    stale = await api.patch("/v1/tenant", json=patch, headers={"If-Match": '"v1"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")
    current = await api.get("/v1/tenant", headers={"If-None-Match": '"v2"'})
    assert (current.status_code, current.content) == (304, b"")


async def test_senders_are_addresses_that_a_header_can_hold(api: httpx.AsyncClient) -> None:
    for field in ("from_email", "reply_to", "unsubscribe_mailto"):
        for wrong in ("", "nobody", "a@", "@b.jp", "a b@c.jp", "a@b@c.jp", "Aiko <a@b.jp>", "a@b.jp,c@d.jp"):
            answer = await api.patch("/v1/tenant", json={"sender": {field: wrong}})
            assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, f"/sender/{field}"), wrong
    right = {"from_email": "採用@例.jp", "reply_to": None, "unsubscribe_mailto": "mailto:stop@example.co.jp"}
    kept = (await api.patch("/v1/tenant", json={"sender": right})).json()["sender"]
    assert {name: kept[name] for name in right} == right | {"unsubscribe_mailto": "stop@example.co.jp"}


async def test_bodies_are_strict(api: httpx.AsyncClient) -> None:
    json_type = {"Content-Type": "application/json"}
    cases = [
        (b"", 400), (b"{", 400), (b"\xff\xfe{}", 400), (b'{"require_if_match": NaN}', 400),
        (b"[" * 80 + b"]" * 80, 400), (b"[]", 422), (b'{"x": 1}', 422), (b'{"name": "a\\u0000b"}', 422),
        (b'{"name": "a\\ud800b"}', 422), (b'{"sender": {"name": "a\\r\\nBcc: x"}}', 422),
    ]  # fmt: skip
    for body, status in cases:
        answer = await api.patch("/v1/tenant", content=body, headers=json_type)
        assert answer.status_code == status, body
    media = await api.patch("/v1/tenant", content=b"{}", headers={"Content-Type": "text/plain"})
    assert media.status_code == 415
    large = await api.patch("/v1/tenant", content=b'"' + b"x" * (1 << 20) + b'"', headers=json_type)
    assert (large.status_code, large.json()["code"]) == (413, "too_large")


async def test_unknown_things_are_problems(api: httpx.AsyncClient) -> None:
    assert (await api.get("/v1/nothing")).json()["code"] == "not_found"
    wrong_method = await api.put("/v1/me")
    assert (wrong_method.status_code, "GET" in wrong_method.headers["Allow"]) == (405, True)
    unknown = await api.get("/v1/api-keys?colour=red")
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown_parameter")
    limit = await api.get("/v1/api-keys?limit=201")
    assert (limit.status_code, limit.json()["code"]) == (422, "limit_out_of_range")
    assert (await api.delete("/v1/api-keys/not-an-id")).status_code == 404


async def test_key_pages_are_walked_by_a_signed_cursor(api: httpx.AsyncClient) -> None:
    for number in range(3):
        await api.post("/v1/api-keys", json={"name": str(number), "scopes": ["pools:read"]})
    first = (await api.get("/v1/api-keys?limit=2")).json()
    assert (len(first["data"]), first["has_more"]) == (2, True)
    rest = (await api.get(f"/v1/api-keys?limit=2&cursor={first['next_cursor']}")).json()
    assert (len(rest["data"]), rest["has_more"], rest["next_cursor"]) == (2, False, None)
    assert len({key["id"] for key in first["data"] + rest["data"]}) == 4
    altered = first["next_cursor"][:-2] + "AA"
    assert (await api.get(f"/v1/api-keys?cursor={altered}")).json()["code"] == "cursor_invalid"


async def test_changes_are_empty_at_first_and_now_is_a_cursor(api: httpx.AsyncClient) -> None:
    page = (await api.get("/v1/changes")).json()
    assert (page["data"], page["has_more"]) == ([], False)
    end = (await api.get("/v1/changes?since=now")).json()
    again = await api.get(f"/v1/changes?since={end['next_cursor']}")
    assert again.json() == end


async def test_a_revoked_key_ends_at_once(
    api: httpx.AsyncClient, client_of: Callable[[str], httpx.AsyncClient]
) -> None:
    key = (await api.post("/v1/api-keys", json={"name": "ATS", "scopes": ["admin"]})).json()
    holder = client_of(key["key"])
    assert (await holder.get("/v1/me")).status_code == 200
    await api.delete(f"/v1/api-keys/{key['id']}")
    assert (await holder.get("/v1/me")).status_code == 401


async def test_a_wrong_scope_is_pointed_at(api: httpx.AsyncClient) -> None:
    refused = await api.post("/v1/api-keys", json={"name": "ATS", "scopes": ["pools:read", "pools:fly"]})
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_scope")
    assert [each["pointer"] for each in refused.json()["errors"]] == ["/scopes/1"]


async def test_the_settings_can_be_sent_back_as_they_were_read(api: httpx.AsyncClient) -> None:
    await api.patch("/v1/tenant", json={"rates": {"per_minute": 5}})
    read = await api.get("/v1/tenant")
    again = await api.patch("/v1/tenant", json=read.json(), headers={"If-None-Match": read.headers["ETag"]})
    assert (again.status_code, again.json()) == (200, read.json())
    changed = (await api.patch("/v1/tenant", json={"rates": {"per_domain_per_minute": 2}})).json()
    assert changed["rates"] == {"per_minute": 5, "per_domain_per_minute": 2}
    assert (await api.patch("/v1/tenant", json={"timezone": None})).status_code == 422


async def test_two_tenants_cannot_have_one_name(
    api: httpx.AsyncClient, new_tenant: Callable[[], Awaitable[TenantFixture]]
) -> None:
    taken = await api.patch("/v1/tenant", json={"name": (await new_tenant()).name})
    assert (taken.status_code, taken.json()["code"]) == (409, "name_taken")


async def test_allow_names_every_method_of_the_path(api: httpx.AsyncClient) -> None:
    for path, methods in (("/v1/candidates", "GET, POST"), (f"/v1/candidates/{new_id()}", "DELETE, GET, PATCH")):
        refused = await api.put(path)
        assert (refused.status_code, refused.headers["Allow"]) == (405, methods)


async def test_totals_are_counted_where_they_are_asked_for(api: httpx.AsyncClient) -> None:
    for path in ("/v1/api-keys", "/v1/dedup/pairs", "/v1/imports"):
        page = (await api.get(path, params={"include": "total"})).json()
        assert (page["total"], page["total_is_capped"]) == (len(page["data"]), False)
