"""The senders of mail as tests see them: how a capture comes over the wire, and how each of them signs."""

import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlencode

from app.connectors import (
    brevo,
    customerio,
    hubspot,
    mailgun,
    mandrill,
    postmark,
    resend,
    sendgrid,
    ses,
    standard_webhooks,
)
from app.connectors.brevo import BrevoSettings
from app.connectors.ses import SesSettings
from app.kit import json
from app.kit.ids import new_id

TOPIC = "arn:aws:sns:ap-northeast-1:123456789012:mail"
KEY = "key-of-a-test"
WHSEC = "whsec_" + b64encode(b"0123456789abcdef01234567").decode()
PAIR = "hook:pass:word"
MAPPED: dict[str, Any] = {
    "mapping": {
        "type": "/type",
        "occurred_at": "/timestamp",
        "email": "/data/email",
        "topics": "/data/tags",
    },
    "types": {"attended": "event_attended"},
}


@dataclass(frozen=True)
class Sent:
    """One call as a sender makes it."""

    raw: bytes
    headers: dict[str, str]


def mac(key: str | bytes, message: bytes, algorithm: Any = hashlib.sha256) -> bytes:
    return hmac.digest(key.encode() if isinstance(key, str) else key, message, algorithm)


def by_mailgun(raw: bytes, url: str, at: int, key: str = KEY) -> Sent:
    """Sign with a token of its own; a body that is no object stays without."""
    del url
    body, token = json.loads(raw), new_id().hex
    if not isinstance(body, dict):
        return Sent(raw, {})
    signature = mac(key, f"{at}{token}".encode()).hex()
    signed = {"signature": {"timestamp": str(at), "token": token, "signature": signature}}
    return Sent(json.dumpb(body | signed), {})


def by_basic(raw: bytes, url: str, at: int, key: str = PAIR) -> Sent:
    del url, at
    return Sent(raw, {"authorization": f"Basic {b64encode(key.encode()).decode()}"})


def by_standard(raw: bytes, url: str, at: int, key: str = WHSEC, *, family: str = "webhook") -> Sent:
    del url
    named = f"msg_{new_id().hex}"
    signature = b64encode(mac(b64decode(key.removeprefix("whsec_")), f"{named}.{at}.".encode() + raw)).decode()
    parts = {"id": named, "timestamp": str(at), "signature": f"v1,{signature}"}
    return Sent(raw, {f"{family}-{name}": value for name, value in parts.items()})


def by_svix(raw: bytes, url: str, at: int, key: str = WHSEC) -> Sent:
    return by_standard(raw, url, at, key, family="svix")


def by_mandrill(raw: bytes, url: str, at: int, key: str = KEY) -> Sent:
    del at
    signed = (url + mandrill.EVENTS).encode() + raw
    form = urlencode({mandrill.EVENTS: raw}).encode()
    return Sent(form, {mandrill.SIGNATURE_HEADER: b64encode(mac(key, signed, hashlib.sha1)).decode()})


def by_customerio(raw: bytes, url: str, at: int, key: str = KEY) -> Sent:
    del url
    signature = mac(key, f"v0:{at}:".encode() + raw).hex()
    return Sent(raw, {customerio.SIGNATURE_HEADER: signature, customerio.TIMESTAMP_HEADER: str(at)})


def by_hubspot(raw: bytes, url: str, at: int, key: str = KEY) -> Sent:
    stamp = f"{at}000"
    signature = b64encode(mac(key, f"POST{url}".encode() + raw + stamp.encode())).decode()
    return Sent(raw, {hubspot.SIGNATURE_HEADER: signature, hubspot.TIMESTAMP_HEADER: stamp})


@dataclass(frozen=True)
class Sender:
    """One provider: its hook, how it signs, with what, and how a capture becomes a body."""

    hook: ModuleType
    sign: Callable[..., Sent]
    secret: str = KEY
    other: str = "key-of-another"
    settings: dict[str, Any] = field(default_factory=dict)
    wire: Callable[[Any], bytes] = json.dumpb
    tolerance_s: int | None = None


def batch(capture: Any) -> bytes:
    """Put an event that stands alone into the array in which it comes."""
    return json.dumpb(capture if isinstance(capture, list) else [capture])


def mandrill_events(capture: Any) -> bytes:
    return json.dumpb(capture["mandrill_events"] if isinstance(capture, dict) else capture)


def notification(capture: Any) -> bytes:
    """Put an event of SES into a message of SNS, unless it is one."""
    if "Type" in capture:
        return json.dumpb(capture)
    text = json.dumpb(capture).decode()
    message = {"Type": "Notification", "MessageId": "5f1c", "TopicArn": TOPIC, "Message": text}
    return json.dumpb(message | {"Timestamp": "2026-06-01T10:00:02.000Z"})


def unsigned(raw: bytes, url: str, at: int, key: str = KEY) -> Sent:
    del url, at, key
    return Sent(raw, {})


DAY_S = 86_400
SENDERS = {
    "mailgun": Sender(mailgun, by_mailgun, tolerance_s=DAY_S),
    "postmark": Sender(postmark, by_basic, PAIR, "another:pair"),
    "resend": Sender(resend, by_svix, WHSEC, "whsec_YW5vdGhlcg==", tolerance_s=300),
    "standard_webhooks": Sender(standard_webhooks, by_standard, WHSEC, "whsec_YW5vdGhlcg==", MAPPED, tolerance_s=300),
    "brevo": Sender(brevo, by_basic, PAIR, "another:pair", BrevoSettings(timezone="Europe/Paris").model_dump()),
    "mandrill": Sender(mandrill, by_mandrill, wire=mandrill_events),
    "customerio": Sender(customerio, by_customerio, tolerance_s=DAY_S),
    "hubspot": Sender(hubspot, by_hubspot, tolerance_s=300),
}
PARSED = SENDERS | {
    "sendgrid": Sender(sendgrid, unsigned, wire=batch),
    "ses": Sender(ses, unsigned, settings=SesSettings(topic_arns=[TOPIC]).model_dump(), wire=notification),
}


def parse(provider: str, path: Path) -> Any:
    """Read a capture as its provider's file does."""
    sender = PARSED[provider]
    headers = {"webhook-id": "msg_1"} if provider in {"resend", "standard_webhooks"} else {}
    return sender.hook.parse(headers, sender.wire(json.loads(path.read_bytes())), sender.settings)
