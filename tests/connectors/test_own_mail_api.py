"""What a provider tells of a mail of ours, joined with that mail by its Message-ID."""

import time
from collections.abc import Awaitable, Callable

import httpx

from app.kit import json
from app.kit.db import Database
from tests.connectors.hook import Connect, event
from tests.sequences.conftest import SENDER, World


async def test_a_click_in_our_mail_is_about_what_its_content_is_about(
    api: httpx.AsyncClient, database: Database, drain: Callable[[], Awaitable[int]], connect: Connect
) -> None:
    world, hook = World(api, database, drain), await connect()
    await api.patch("/v1/tenant", json={"sender": SENDER})
    content = {"key": "c", "kind": "article", "title": "検索", "url": "https://example.co.jp/a", "topics": ["search"]}
    chosen = {"kind": "article", "pick": "id", "content_id": (await world.post("/v1/contents", content, 201))["id"]}
    template = await world.template()
    sequence = await world.sequence({"key": "first", "type": "send", "template_id": template, "content": chosen})
    await world.enroll(sequence, await world.candidate())
    await drain()
    assert await world.send() == 1
    header = (await world.message(sequence_id=sequence))["message_id_header"]
    ours = event("click", **{"smtp-id": header, "category": ["newsletter", "search"], "timestamp": int(time.time())})
    assert await hook.tell(ours, event("open", category="newsletter", **{"smtp-id": "<1@elsewhere.example>"})) == 204
    assert {each["type"]: each["topics"] for each in await hook.touchpoints()} == {
        "email_clicked": ["newsletter", "search"],
        "email_opened": ["newsletter"],
    }
    bare = event("click", **{"smtp-id": header.strip("<>")})
    assert (await hook.post(json.dumpb([bare]))).status_code == 204
    assert [each["topics"] for each in await hook.touchpoints() if each["external_id"] == bare["sg_event_id"]] == [
        ["search"]
    ]
