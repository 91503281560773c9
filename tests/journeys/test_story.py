"""From a Shift_JIS spreadsheet to whom to contact today, and the mail that goes out: over HTTP, on real parts."""

import base64
import re
import time
from collections.abc import Callable
from typing import Any

import httpx
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.demo import material
from app.kit import json
from app.kit.clock import now
from tests.factories.spreadsheets import Spreadsheet, spreadsheet
from tests.journeys.service import Service, Sink, eventually

ROWS, DUPLICATES, BROKEN = 1_000, 50, 20
FINISHED = {"succeeded", "failed", "cancelled"}


async def finished(client: httpx.AsyncClient, job_id: str) -> dict[str, Any]:
    """Return the job once it has ended."""

    async def look() -> dict[str, Any] | None:
        job: dict[str, Any] = (await client.get(f"/v1/jobs/{job_id}")).json()
        return job if job["state"] in FINISHED else None

    found: dict[str, Any] = await eventually(look, 90)
    return found


async def imported(client: httpx.AsyncClient, file: Spreadsheet) -> dict[str, Any]:
    """Import the file and return what the import says of itself."""
    form = {"source": "spreadsheet", "source_type": "past_applicant", "commit": "auto"}
    answer = await client.post("/v1/imports", files={"file": ("応募者.csv", file.cp932())}, data=form)
    assert answer.status_code == 202, answer.text
    job = await finished(client, answer.json()["id"])
    assert job["state"] == "succeeded", job
    done: dict[str, Any] = (await client.get(f"/v1/imports/{answer.json()['import_id']}")).json()
    return done


async def thank_you(client: httpx.AsyncClient) -> str:
    """Make and activate a one-step sequence; return its id."""
    await client.patch("/v1/tenant", json={"sender": material.TENANT["sender"]})
    template = (await client.post("/v1/templates", json=material.TEMPLATE)).json()
    steps = [{"key": "thanks", "type": "send", "template_id": template["id"]}]
    sequence = (await client.post("/v1/sequences", json={**material.SEQUENCE, "steps": steps})).json()
    active = await client.post(f"/v1/sequences/{sequence['id']}/activate")
    assert (active.status_code, active.json()["status"]) == (200, "active"), active.text
    found: str = sequence["id"]
    return found


def one_click(raw: bytes) -> str:
    """Return the path of the one-click unsubscription that a mail names in its header."""
    header = re.search(rb"^List-Unsubscribe: (.*?)\r?\n(?![ \t])", raw, re.MULTILINE | re.DOTALL)
    assert header is not None
    assert b"\nList-Unsubscribe-Post: List-Unsubscribe=One-Click" in raw
    link = re.search(rb"<(https?://[^>]+)>", header[1])
    assert link is not None
    return "/u/" + link[1].decode().rsplit("/u/", 1)[1]


async def test_the_whole_story(start: Callable[..., Service], sink: Sink) -> None:
    service = start()
    async with service.client() as client:
        file = spreadsheet(ROWS, duplicates=DUPLICATES, broken=BROKEN)
        await _people_come(client, file)
        person = await _somebody_with_consent(client, file)
        await _signals_are_scored(client, person)
        await _whom_to_contact(client, person)
        await _a_mail_goes_out_once(client, sink, person)
        await _and_is_answered_by_an_unsubscription(client, sink, person)
        await _the_feed_tells_it_all(client, person)
    assert service.stop() == 0


async def _people_come(client: httpx.AsyncClient, file: Spreadsheet) -> None:
    done = await imported(client, file)
    counts = done["counts"]
    assert done["state"] == "committed"
    assert counts["create"] + counts.get("possible_duplicate", 0) == ROWS - DUPLICATES - BROKEN
    assert counts["update"] + counts.get("unchanged", 0) == DUPLICATES
    assert counts["invalid"] == BROKEN
    listed = (await client.get("/v1/candidates", params={"include": "total", "limit": 1})).json()
    assert listed["total"] == ROWS - DUPLICATES - BROKEN
    invalid = (await client.get(f"/v1/imports/{done['id']}/rows", params={"verdict": "invalid", "limit": 200})).json()
    assert len(invalid["data"]) == BROKEN
    assert all(row["row"] and row["errors"] and row["errors"][0]["code"] for row in invalid["data"])
    again = await imported(client, file)
    assert again["counts"].get("create", 0) + again["counts"].get("possible_duplicate", 0) == 0


async def _somebody_with_consent(client: httpx.AsyncClient, file: Spreadsheet) -> dict[str, Any]:
    chosen = next(person for person in file.people if person.consent_on and person.kana and person.years >= 3)
    search = {"q": chosen.email, "limit": 5}
    found = (await client.post("/v1/candidates/search", json=search)).json()["data"]
    assert len(found) == 1
    person: dict[str, Any] = found[0]
    patch = {"tags": {"add": ["journey"]}}
    assert (await client.patch(f"/v1/candidates/{person['id']}", json=patch)).status_code == 200
    question = {"candidate_id": person["id"], "channel": "email", "purpose": "talent_pool"}
    decision = (await client.post("/v1/contact-decisions", json=question)).json()
    assert (decision["decision"], decision["reasons"][0]["code"]) == ("allow", "consent")
    refused = next(person for person in file.people if not person.consent_on)
    other = (await client.post("/v1/candidates/search", json={"q": refused.email})).json()["data"][0]
    denied = (await client.post("/v1/contact-decisions", json={**question, "candidate_id": other["id"]})).json()
    assert (denied["decision"], denied["reasons"][0]["code"]) == ("deny", "consent_missing")
    return person


async def _signals_are_scored(client: httpx.AsyncClient, person: dict[str, Any]) -> None:
    email = person["email_addresses"][0]["value"]
    reply = {
        "email": email,
        "type": "email_replied",
        "occurred_at": now().isoformat(),
        "source": "mail",
        "external_id": "1",
    }
    first = await client.post("/v1/touchpoints", json=reply)
    again = await client.post("/v1/touchpoints", json=reply)
    assert (first.status_code, again.status_code, first.json()["id"] == again.json()["id"]) == (201, 200, True)
    hook, key = await _sendgrid(client)
    for _ in range(2):
        assert (await _deliver(hook, key, email)).status_code == 204
    unmatched = (await client.get("/v1/touchpoints/unmatched")).json()["data"]
    assert [each["identifier"]["value"] for each in unmatched] == ["nobody@example.net"]

    async def scored() -> dict[str, Any] | None:
        score: dict[str, Any] = (await client.get(f"/v1/candidates/{person['id']}/score")).json()
        kinds = {each["rule"] for each in score["contributions"]}
        return score if len(kinds) >= 2 else None

    score = await eventually(scored, 10)
    assert abs(sum(each["decayed_points"] for each in score["contributions"]) - score["value"]) < 1e-9
    timeline = (await client.get(f"/v1/candidates/{person['id']}/touchpoints", params={"type": "email_clicked"})).json()
    assert [each["actor"] for each in timeline["data"]] == ["human"]
    late = {"full_name": "後 から", "email_addresses": [{"value": "nobody@example.net"}]}
    made = (await client.post("/v1/candidates", json=late)).json()

    async def attached() -> bool:
        found = (await client.get(f"/v1/candidates/{made['id']}/touchpoints")).json()["data"]
        return [each["type"] for each in found] == ["email_opened"]

    await eventually(attached, 5)


async def _sendgrid(client: httpx.AsyncClient) -> tuple[str, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    body = {"provider": "sendgrid", "name": "mail", "settings": {}, "secret": base64.b64encode(public).decode()}
    made = await client.post("/v1/connections", json=body)
    assert made.status_code == 201, made.text
    return made.json()["hook_url"], key


async def _deliver(hook: str, key: ec.EllipticCurvePrivateKey, email: str) -> httpx.Response:
    moment = str(int(time.time()))
    agent = (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36"
    )
    common = {"timestamp": int(moment) - 60, "useragent": agent, "ip": "203.0.113.9"}
    events = [
        {**common, "email": email.upper(), "event": "click", "url": "https://example.com/a", "sg_event_id": "c1"},
        {**common, "email": "nobody@example.net", "event": "open", "sg_event_id": "o1"},
        {**common, "email": email, "event": "processed", "sg_event_id": "p1"},
    ]
    raw = json.dumpb(events)
    signature = base64.b64encode(key.sign(moment.encode() + raw, ec.ECDSA(hashes.SHA256()))).decode()
    headers = {
        "X-Twilio-Email-Event-Webhook-Signature": signature,
        "X-Twilio-Email-Event-Webhook-Timestamp": moment,
        "Content-Type": "application/json",
    }
    async with httpx.AsyncClient() as outside:
        forged = await outside.post(hook, content=raw + b" ", headers=headers)
        assert forged.status_code == 401
        return await outside.post(hook, content=raw, headers=headers)


async def _whom_to_contact(client: httpx.AsyncClient, person: dict[str, Any]) -> None:
    criteria = {
        "all": [
            {"field": "tags", "op": "has", "value": "journey"},
            {"field": "years_of_experience", "op": "gte", "value": 3},
            {"field": "sources.type", "op": "has", "value": "past_applicant"},
            {"field": "score.value", "op": "gt", "value": 0},
        ]
    }
    body = {"key": "journey", "name": "旅", "criteria": criteria, "threshold": 1, "purpose": "talent_pool"}
    pool = (await client.post("/v1/pools", json=body)).json()

    async def listed() -> list[dict[str, Any]] | None:
        rows: list[dict[str, Any]] = (await client.get(f"/v1/pools/{pool['id']}/approach-list")).json()["data"]
        return rows or None

    rows = await eventually(listed, 10)
    assert [row["candidate_id"] for row in rows] == [person["id"]]
    assert rows[0]["contact"]["decision"] == "allow"
    assert rows[0]["reasons"]
    assert rows[0]["last"]["touchpoint"]
    members = (await client.get(f"/v1/pools/{pool['id']}/members")).json()["data"]
    assert [(each["candidate_id"], each["by"]) for each in members] == [(person["id"], "criteria")]


async def _a_mail_goes_out_once(client: httpx.AsyncClient, sink: Sink, person: dict[str, Any]) -> None:
    sequence = await thank_you(client)
    for status in (201, 200):
        enrolled = await client.post(f"/v1/sequences/{sequence}/enrollments", json={"candidate_id": person["id"]})
        assert enrolled.status_code == status, enrolled.text

    async def sent() -> bool:
        messages = (await client.get("/v1/messages", params={"candidate_id": person["id"]})).json()["data"]
        return [each["state"] for each in messages] == ["sent"]

    await eventually(sent, 15)
    assert len(sink.mails) == 1
    mail = sink.mails[0]
    text = mail.get_body(("plain",))
    assert person["full_name"] in str(mail["Subject"])
    assert text is not None
    for item in ("name", "postal_address", "complaint_contact", "opt_out_notice"):
        assert material.TENANT["sender"][item] in text.get_content()


async def _and_is_answered_by_an_unsubscription(client: httpx.AsyncClient, sink: Sink, person: dict[str, Any]) -> None:
    path = one_click(sink.raw[0])
    async with httpx.AsyncClient(base_url=client.base_url) as outside:
        shown = await outside.get(path)
        assert (shown.status_code, "text/html" in shown.headers["Content-Type"]) == (200, True)
        question = {"candidate_id": person["id"], "channel": "email", "purpose": "talent_pool"}
        still = (await client.post("/v1/contact-decisions", json=question)).json()
        assert still["decision"] == "allow"
        for _ in range(2):
            gone = await outside.post(path, data={"List-Unsubscribe": "One-Click"})
            assert 200 <= gone.status_code < 300
    denied = (await client.post("/v1/contact-decisions", json=question)).json()
    assert denied["decision"] == "deny"
    assert {"consent_withdrawn", "unsubscribed"} <= {reason["code"] for reason in denied["reasons"]}
    told = (
        await client.get(f"/v1/candidates/{person['id']}/touchpoints", params={"type": "email_unsubscribed"})
    ).json()
    assert len(told["data"]) == 1


async def _the_feed_tells_it_all(client: httpx.AsyncClient, person: dict[str, Any]) -> None:
    types: set[str] = set()
    numbers: list[int] = []
    cursor = None
    while True:
        page = (await client.get("/v1/changes", params={"limit": 200} | ({"since": cursor} if cursor else {}))).json()
        types |= {each["type"] for each in page["data"]}
        numbers += [each["seq"] for each in page["data"]]
        cursor = page["next_cursor"]
        if not page["has_more"]:
            break
    assert numbers == sorted(set(numbers))
    expected = {"candidate.created", "candidate.updated", "touchpoint.created", "consent.changed", "pool.member_added"}
    assert expected | {"message.sent", "enrollment.changed", "import.completed"} <= types
    assert person["id"]
