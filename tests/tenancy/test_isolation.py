"""Two tenants: with the key of one, no operation of the document shows or changes anything of the other."""

import base64
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI

from app import openapi
from app.demo import material
from app.kit import jobs, json
from app.kit.clock import now
from app.kit.db import Database
from tests.conftest import TenantFixture

CANARY: Final = "canary"
UUID_TEXT: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
SKIPPED: Final = {
    "/v1/sender-domains/{domain}/check",
    "/livez",
    "/readyz",
    "/metrics",
    "/v1/changes/stream",
    "/u/{token}",
    "/v1/hooks/{connection_id}",
}
"""Streams never end, a domain is nobody's, the others take no key."""
TABLES: Final = """
select relname from pg_class
where relkind = 'r' and relnamespace = 'public'::regnamespace and relname not in ('alembic_version', 'due')
"""
DIGEST: Final = "select coalesce(md5(string_agg(md5(t::text), '' order by md5(t::text))), 'none') from {} t"


async def _state(database: Database, tenant: TenantFixture) -> dict[str, str]:
    """Return one digest a table of what the tenant's own policy lets it see."""
    async with database.transaction(tenant.caller) as session:
        tables = [row.relname for row in await session.rows(TABLES)]
        return {table: await session.value(DIGEST.format(table)) for table in tables}


async def _fill(api: httpx.AsyncClient, database: Database) -> dict[str, str]:
    """Make one of everything; return path parameter → id."""

    async def post(path: str, body: Any) -> dict[str, Any]:
        answer = await api.post(path, json=body)
        assert answer.status_code < 300, (path, answer.text)
        made: dict[str, Any] = answer.json()
        return made

    person = {
        "full_name": f"{CANARY} 太郎",
        "email_addresses": [{"value": f"{CANARY}@example.com"}],
        "external_ids": [{"source": "ats", "id": CANARY}],
        "tags": [CANARY],
    }
    candidate = (await post("/v1/candidates", person))["id"]
    await post("/v1/candidates", {**person, "full_name": "別人 花子", "external_ids": [], "birth_date": "1990-01-01"})
    moment = now().isoformat()
    touchpoint = {
        "candidate_id": candidate,
        "type": "note",
        "occurred_at": moment,
        "source": CANARY,
        "external_id": "1",
    }
    consent = {
        "purpose": "talent_pool",
        "channel": "email",
        "status": "granted",
        "basis": "consent",
        "obtained_at": moment,
    }
    await post(f"/v1/candidates/{candidate}/consents", consent)
    await api.patch("/v1/tenant", json={"sender": material.TENANT["sender"]})
    template = (await post("/v1/templates", {**material.TEMPLATE, "key": CANARY}))["id"]
    steps = [{"key": "thanks", "type": "send", "template_id": template}]
    sequence = (await post("/v1/sequences", {**material.SEQUENCE, "key": CANARY, "steps": steps}))["id"]
    await post(f"/v1/sequences/{sequence}/activate", {})
    enrollment = (await post(f"/v1/sequences/{sequence}/enrollments", {"candidate_id": candidate}))["id"]
    pool = (await post("/v1/pools", {"key": CANARY, "name": CANARY, "criteria": {"all": []}}))["id"]
    connection = (await post("/v1/connections", _sendgrid()))["id"]
    file = {"file": ("people.csv", f"氏名,メールアドレス\n{CANARY} 次郎,{CANARY}2@example.com\n".encode())}
    imported = (await api.post("/v1/imports", files=file, data={"source": CANARY, "commit": "auto"})).json()
    await jobs.run_jobs(database)
    others = [
        (await post("/v1/candidates", {"full_name": f"{CANARY} {n}", "on_match": "create"}))["id"] for n in range(3)
    ]
    merge = await post("/v1/merges", {"survivor_id": others[0], "loser_id": others[1]})
    records = (await api.get(f"/v1/candidates/{candidate}/records")).json()["data"]
    made = {
        "merge_id": merge["id"],
        "record_id": records[0]["record_id"],
        "erasure_id": (await post(f"/v1/candidates/{others[2]}/erase", {}))["id"],
        "token": "nobodys",
        "candidate_id": candidate,
        "touchpoint_id": (await post("/v1/touchpoints", touchpoint))["id"],
        "template_id": template,
        "sequence_id": sequence,
        "enrollment_id": enrollment,
        "pool_id": pool,
        "position_id": (await post("/v1/positions", {"name": CANARY, "criteria": {"all": []}}))["id"],
        "connection_id": connection,
        "delivery_id": connection,
        "import_id": imported["import_id"],
        "job_id": imported["id"],
        "content_id": (await post("/v1/contents", {**material.CONTENTS[0], "key": CANARY}))["id"],
        "suppression_id": (await post("/v1/suppressions", _suppression()))["id"],
        "key_id": (await post("/v1/api-keys", {"name": CANARY, "scopes": ["admin"]}))["id"],
        "field_id": (await post("/v1/custom-fields", {"key": CANARY, "name": CANARY, "type": "text"}))["id"],
        "search_id": (await post("/v1/saved-searches", {"key": CANARY, "name": CANARY}))["id"],
        "vocabulary": "tags",
        "source": "ats",
        "external_id": CANARY,
        "key": CANARY,
    }
    messages = (await api.get("/v1/messages")).json()["data"]
    pairs = (await api.get("/v1/dedup/pairs")).json()["data"]
    return made | {"message_id": messages[0]["id"] if messages else enrollment, "pair_id": pairs[0]["id"]}


def _sendgrid() -> dict[str, Any]:
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return {"provider": "sendgrid", "name": CANARY, "settings": {}, "secret": base64.b64encode(der).decode()}


def _suppression() -> dict[str, str]:
    return {"channel": "email", "value": f"{CANARY}3@example.com", "reason": "manual"}


def _body(document: dict[str, Any], operation: dict[str, Any], candidate: str) -> bytes | None:
    """Return the operation's own example, every id in it replaced by the other tenant's candidate."""
    media = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if media is None:
        return None
    found = media.get("example")
    name = media.get("schema", {}).get("$ref", "").rsplit("/", 1)[-1]
    found = document["components"]["schemas"].get(name, {}).get("example", {}) if found is None else found
    return UUID_TEXT.sub(candidate, json.dumps(found)).encode()


async def test_no_operation_shows_or_changes_another_tenants_data(
    app: FastAPI,
    database: Database,
    new_tenant: Callable[[], Awaitable[TenantFixture]],
    client_of: Callable[[str], httpx.AsyncClient],
    drain: Callable[[], Awaitable[int]],
) -> None:
    mine, theirs = await new_tenant(), await new_tenant()
    made = await _fill(client_of(theirs.key), database)
    await drain()
    before = await _state(database, theirs)
    document = openapi.document(app)
    stranger = client_of(mine.key)
    walked = 0
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if path in SKIPPED:
                continue
            place = re.sub(r"\{(\w+)\}", lambda match: made[match[1]], path)
            body = _body(document, operation, made["candidate_id"])
            answer = await stranger.request(
                method, place, content=body, headers={"Content-Type": "application/json"} if body else {}
            )
            _assert_nothing_shown(answer, made, (method, path), is_found_by_id="{" in path)
            walked += 1
    assert walked > 90
    await drain()
    assert await _state(database, theirs) == before


OWN: Final = {
    "/v1/score-models/{key}",
    "/v1/candidates/by-external-id/{source}/{external_id}",
    "/v1/vocabularies/{vocabulary}",
}
"""A name, not an id: the caller's own resource of that name may be made or read."""


def _assert_nothing_shown(
    answer: httpx.Response, made: dict[str, str], operation: tuple[str, str], *, is_found_by_id: bool
) -> None:
    method, path = operation
    assert answer.status_code < 500, (operation, answer.text)
    if is_found_by_id and path not in OWN:
        assert answer.status_code == 404, (operation, answer.status_code, answer.text)
    if path in OWN and method != "get":
        return
    shown = answer.text.replace(str(answer.request.url), "")
    assert CANARY not in shown, operation
    own = {made["source"], made["external_id"], made["key"], made["vocabulary"]}
    assert not [value for name, value in made.items() if value not in own and value in shown], (operation, shown[:500])
