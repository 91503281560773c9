"""The SendGrid hook with its signature checked, beside the bare insert of as many rows."""

import base64
import hashlib
import time
from collections.abc import Mapping
from typing import Any

import httpx
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.kit import json
from benchmarks import load
from benchmarks.ingest import speed
from benchmarks.report import Figure
from benchmarks.stand import Stand

CALLS, EVENTS = 30, 500


async def sendgrid(stand: Stand, client: httpx.AsyncClient) -> Figure:
    """`POST /v1/hooks/{id}`, 500 events a call, one connection."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    body = {"provider": "sendgrid", "name": "bench", "settings": {}, "secret": base64.b64encode(public).decode()}
    hook = (await client.post("/v1/connections", json=body)).json()["hook_url"]
    path = hook[hook.index("/v1/") :]
    requests = [_signed(stand.port, path, key, call) for call in range(CALLS)]
    await load.run(stand.port, requests[:2], 1)
    measured = await load.run(stand.port, requests[2:], 1)
    assert set(measured.statuses) == {204}, measured.statuses
    bodies = [json.dumpb([_row(event) for event in _events(call)]) for call in range(CALLS)]
    bare = await speed(stand.yardstick_port, "/mails", bodies, 1, {"Content-Type": "application/json"})
    return Figure("SendGrid hook, 500 events a call", measured.per_second * EVENTS, "events/s", bare * EVENTS, "≥ 0.4")


def _events(call: int) -> list[dict[str, Any]]:
    moment = int(time.time())
    return [
        {
            "email": f"bench{number}@example.com",
            "timestamp": moment - number,
            "event": "open",
            "sg_event_id": hashlib.sha256(f"{call}/{number}".encode()).hexdigest(),
            "sg_message_id": f"{number}.filter",
            "useragent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0",
        }
        for number in range(EVENTS)
    ]


def _row(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is stored of an event, as the yardstick takes it."""
    return {
        "email": event["email"],
        "hash": hashlib.sha256(event["email"].encode()).hexdigest()[:32],
        "type": "email_opened",
        "occurred_at": event["timestamp"],
        "source": "sendgrid:bench",
        "external_id": event["sg_event_id"],
        "message_id": event["sg_message_id"],
        "data": json.dumps({"message_id": event["sg_message_id"], "provider_message_id": event["sg_message_id"]}),
    }


def _signed(port: int, path: str, key: ec.EllipticCurvePrivateKey, call: int) -> bytes:
    moment = str(int(time.time()))
    raw = json.dumpb(_events(call))
    signature = base64.b64encode(key.sign(moment.encode() + raw, ec.ECDSA(hashes.SHA256()))).decode()
    headers = {
        "Content-Type": "application/json",
        "X-Twilio-Email-Event-Webhook-Signature": signature,
        "X-Twilio-Email-Event-Webhook-Timestamp": moment,
    }
    return load.request(port, path, raw, headers)
