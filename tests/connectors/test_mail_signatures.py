"""Real vectors of the senders of mail verify and no changed one does; and no bytes make any of them fail."""

from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.connectors import brevo, hubspot, mailgun, mandrill, standard_webhooks
from app.connectors.signals import Parsed, Request, Verdict
from app.kit import json
from tests.connectors.golden import FIXTURES
from tests.connectors.mail_tools import DAY_S, MAPPED, PARSED, SENDERS, WHSEC, Sent, by_mandrill, by_standard
from tests.scale import scaled

EXAMPLES = scaled(100, 2_000)
EVERY = sorted(PARSED)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
AT = int(NOW.timestamp())
URL = "https://talent.example.com/v1/hooks/1"
SIGNING = sorted(SENDERS)
BODY = '{"a": "髙﨑 ’"}'.encode()


def vectors(provider: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((FIXTURES / provider / "signature_vectors.json").read_bytes())
    return found


def judged(provider: str, sent: Sent, *secrets: str, at: datetime = NOW, url: str = URL, **chosen: Any) -> Verdict:
    sender = PARSED[provider]
    request = Request("POST", url, sent.headers, sent.raw)
    found: Verdict = sender.hook.verify(request, secrets or (sender.secret,), at, {}, sender.settings | chosen)
    assert found.ok is (found.reason is None)
    return found


def sent_by(provider: str, raw: bytes = BODY, at: int = AT) -> Sent:
    return SENDERS[provider].sign(raw, URL, at, SENDERS[provider].secret)


@pytest.mark.parametrize("vector", vectors("mailgun")[1:], ids=lambda each: each["file"])
def test_mailguns_own_deliveries_verify_and_a_spent_token_names_the_call(vector: dict[str, Any]) -> None:
    raw, key = (FIXTURES / "mailgun" / vector["file"]).read_bytes(), vector["signing_key"]
    signed = json.loads(raw)["signature"]
    at = datetime.fromtimestamp(int(signed["timestamp"]), UTC)
    assert judged("mailgun", Sent(raw, {}), "another", key, at=at).call_id == signed["token"]
    assert judged("mailgun", Sent(raw, {}), "another", at=at).reason == "bad_signature"
    stamp = signed["timestamp"]
    for change in (
        {"token": signed["token"][:-1]},
        {"timestamp": str(int(stamp) + 1)},
        {"signature": signed["signature"][:-1] + "é"},
        {"signature": signed["signature"].upper()},
        {"timestamp": stamp[:-1], "token": stamp[-1] + signed["token"]},
        {"timestamp": stamp + signed["token"][:1], "token": signed["token"][1:]},
    ):
        body = json.dumpb({**json.loads(raw), "signature": signed | change})
        assert judged("mailgun", Sent(body, {}), key, at=at, tolerance_s=3e9).reason == "bad_signature"


@pytest.mark.parametrize("vector", vectors("standard_webhooks"), ids=lambda each: each["name"])
@pytest.mark.parametrize("family", ["webhook", "svix"])
def test_the_vectors_of_the_standard(vector: dict[str, Any], family: str) -> None:
    if "msg_id" not in vector:
        assert standard_webhooks._key(vector["secret"]) == standard_webhooks._key(vector["equivalent_secret"]) != b""
        return
    named = {"id": vector["msg_id"], "timestamp": str(vector["timestamp"]), "signature": vector["signature"]}
    at = datetime.fromtimestamp(vector["timestamp"], UTC)
    sent = Sent(vector["raw_body"].encode(), {f"{family}-{name}": value for name, value in named.items()})
    found = judged("standard_webhooks", sent, vector["secret"], at=at)
    assert (found.ok, found.call_id) == (vector["valid"], vector["msg_id"] if vector["valid"] else None)
    for change in ({"id": "msg_2"}, {"timestamp": str(vector["timestamp"] + 1)}, {"signature": "v1,"}):
        headers = {f"{family}-{name}": value for name, value in (named | change).items()}
        assert not judged("standard_webhooks", replace(sent, headers=headers), vector["secret"], at=at).ok
    assert not judged("standard_webhooks", replace(sent, raw=sent.raw + b"\n"), vector["secret"], at=at).ok
    assert not judged("standard_webhooks", sent, WHSEC, "no base64!", at=at).ok


@pytest.mark.parametrize("vector", vectors("hubspot"), ids=lambda each: f"{each['version']}-{each.get('method')}")
def test_of_hubspots_versions_only_the_third_is_believed(vector: dict[str, Any]) -> None:
    stamp = vector.get("timestamp_ms", str(AT * 1000))
    name = hubspot.SIGNATURE_HEADER if vector["version"] == "v3" else "x-hubspot-signature"
    sent = Sent(vector["raw_body"].encode(), {name: vector["signature"], hubspot.TIMESTAMP_HEADER: stamp})
    at = datetime.fromtimestamp(int(stamp) / 1000, UTC)
    chosen: dict[str, Any] = {"at": at, "url": vector.get("uri", URL)}
    assert judged("hubspot", sent, vector["client_secret"], **chosen).ok is (vector["version"] == "v3")
    claimed = Sent(sent.raw, {hubspot.SIGNATURE_HEADER: vector["signature"], hubspot.TIMESTAMP_HEADER: stamp})
    assert not judged("hubspot", claimed, vector["client_secret"], at=at, url=f"{URL}?x").ok
    assert not judged("hubspot", claimed, "another", **chosen).ok
    assert not judged("hubspot", replace(claimed, raw=b"{}"), vector["client_secret"], **chosen).ok


def test_hubspot_signs_some_characters_of_the_address_as_themselves() -> None:
    sent = SENDERS["hubspot"].sign(b"[]", f"{URL}?at=10:00&to=a@b/c", AT)
    assert judged("hubspot", sent, url=f"{URL}?at=10%3A00&to=a%40b%2fc").ok
    assert not judged("hubspot", sent, url=f"{URL}?at=10%3A01&to=a%40b%2fc").ok


@pytest.mark.parametrize("vector", vectors("mandrill"), ids=lambda each: each["name"])
def test_mandrills_recipe(vector: dict[str, Any]) -> None:
    sent = Sent(urlencode(vector["form"]).encode(), {mandrill.SIGNATURE_HEADER: vector["signature"]})
    assert judged("mandrill", sent, vector["key"], url=vector["url"]).ok is vector["valid"]
    assert not judged("mandrill", sent, vector["key"], url=vector["url"] + "?").ok
    assert not judged("mandrill", sent, "another", url=vector["url"]).ok
    assert not judged("mandrill", replace(sent, raw=sent.raw + b"&a=b"), vector["key"], url=vector["url"]).ok


def test_mandrill_signs_every_field_sorted_by_name() -> None:
    fields = {"z": "2", mandrill.EVENTS: "[]", "a": "é"}
    signed = URL + "".join(f"{name}{fields[name]}" for name in sorted(fields))
    signature = mandrill._signature("key", signed).decode()
    sent = Sent(urlencode(fields).encode(), {mandrill.SIGNATURE_HEADER: signature})
    assert judged("mandrill", sent, "key").ok


def test_mandrills_trial_says_nothing_and_may_say_nothing_else() -> None:
    trial = by_mandrill(b"[]", URL, AT, "test-webhook")
    assert judged("mandrill", trial).ok
    assert mandrill.parse({}, trial.raw, {}) == Parsed()
    assert not judged("mandrill", by_mandrill(b'[{"event": "send"}]', URL, AT, "test-webhook")).ok


@pytest.mark.parametrize("provider", SIGNING)
def test_only_the_holder_of_a_live_secret_is_believed(provider: str) -> None:
    sender, good = SENDERS[provider], sent_by(provider)
    assert sender.hook.accepts_secret(sender.secret)
    assert not sender.hook.accepts_secret("")
    assert judged(provider, good).ok
    assert judged(provider, good, sender.other, sender.secret).ok
    assert judged(provider, good, sender.other).reason == "bad_signature"
    assert judged(provider, Sent(BODY, {})).reason == "missing_signature"
    for name, value in good.headers.items():
        assert not judged(provider, replace(good, headers=good.headers | {name: value[:-4] + "é"})).ok
        assert not judged(provider, replace(good, headers=good.headers | {name: ""})).ok


@pytest.mark.parametrize("provider", sorted(set(SIGNING) - {"mailgun", "postmark", "brevo"}))
def test_every_byte_is_signed(provider: str) -> None:
    good = sent_by(provider)
    for position in (0, len(good.raw) // 2, len(good.raw) - 1):
        raw = bytearray(good.raw)
        raw[position] ^= 1
        assert not judged(provider, replace(good, raw=bytes(raw))).ok


@pytest.mark.parametrize("provider", [name for name in SIGNING if SENDERS[name].tolerance_s])
def test_a_signed_time_has_its_tolerance(provider: str) -> None:
    tolerance, good = SENDERS[provider].tolerance_s or 0, sent_by(provider)
    assert tolerance in {300, DAY_S}
    for late, ok in ((tolerance, True), (-tolerance, True), (tolerance + 1, False), (-tolerance - 1, False)):
        found = judged(provider, good, at=NOW + timedelta(seconds=late))
        assert (found.ok, found.reason) == (ok, None if ok else "outside_tolerance")
    assert judged(provider, good, at=NOW + timedelta(seconds=60), tolerance_s=59).reason == "outside_tolerance"
    assert judged(provider, good, at=NOW + timedelta(days=9), tolerance_s=10 * DAY_S).ok


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("Basic aG9vazpwYXNzOndvcmQ=", None),
        ("basic  aG9vazpwYXNzOndvcmQ=", None),
        ("Basic aG9vazpwYXNz", "bad_signature"),
        ("Basic !", "bad_signature"),
        ("Basic é", "bad_signature"),
        ("Bearer hook:pass:word", "missing_signature"),
        ("Basic", "missing_signature"),
    ],
)
@pytest.mark.parametrize("provider", ["postmark", "brevo"])
def test_a_user_and_a_password_are_shown(provider: str, header: str, reason: str | None) -> None:
    assert judged(provider, Sent(b"", {"authorization": header})).reason == reason


def test_brevo_may_show_a_token() -> None:
    shown = Sent(b"", {"authorization": "Bearer token-1"})
    assert brevo.accepts_secret("token-1")
    assert judged("brevo", shown, "token-2", "token-1", auth="bearer").ok
    assert judged("brevo", shown, "token-2", auth="bearer").reason == "bad_signature"
    assert judged("brevo", shown, "token-1").reason == "missing_signature"


def test_of_many_items_each_has_the_calls_id_and_its_place() -> None:
    chosen = {**MAPPED, "mapping": MAPPED["mapping"] | {"items": "/events"}}
    event = {"type": "attended", "timestamp": "2026-06-01T10:00:00Z"}
    raw = json.dumpb({"events": [event, {"type": "left"}, event]})
    found = standard_webhooks.parse(by_standard(raw, URL, AT).headers | {"webhook-id": "msg_1"}, raw, chosen)
    assert [each.external_id for each in found.signals] == ["msg_1:0", "msg_1:2"]
    assert found.ignored == 1
    without = standard_webhooks.parse({}, raw, chosen)
    assert len({each.external_id for each in without.signals}) == 1


def test_an_event_is_named_by_what_makes_it_the_one_it_is() -> None:
    first, again = ({"eventId": 1, "subscriptionType": "contact.propertyChange", "attemptNumber": n} for n in (0, 1))
    times = {"occurredAt": 1_780_308_000_000}
    one, two = (hubspot.parse({}, json.dumpb([item | times]), {}).signals[0].external_id for item in (first, again))
    assert one == two
    long = mailgun.parse({}, json.dumpb({"signature": {"token": "t" * 600}, "event-data": _delivered()}), {})
    assert len(long.signals[0].external_id) == 64


def _delivered() -> dict[str, Any]:
    return {"event": "delivered", "timestamp": 1_780_308_000.5, "recipient": "hanako@example.com"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
WORDS = sorted(
    {"delivered", "opened", "clicked", "failed", "Bounce", "Open", "Delivery", "SubscriptionChange", "email.delivered"}
    | {"email.clicked", "attended", "click", "proxy_open", "soft_bounce", "hard_bounce", "open", "bounced", "email"}
    | {"contact.propertyChange", "Notification", "Click", "Complaint", "Send", "a@example.com", "\0", "2026-06-01"}
    | {"2026-06-01T10:00:00Z", "1780308000", "ManualSuppression"}
)
NAMES = sorted(
    {"event", "event-data", "signature", "token", "timestamp", "message", "headers", "client-info", "recipient", "tags"}
    | {
        "RecordType",
        "DeliveredAt",
        "ReceivedAt",
        "BouncedAt",
        "ChangedAt",
        "Geo",
        "Email",
        "type",
        "created_at",
        "data",
    }
    | {"to", "click", "open", "bounce", "delivery", "complaint", "mail", "send", "tag", "ts_epoch", "date", "ts", "msg"}
    | {
        "metric",
        "object_type",
        "identifiers",
        "failure_message",
        "subscriptionType",
        "occurredAt",
        "objectId",
        "eventId",
    }
    | {"Type", "Message", "MessageId", "eventType", "notificationType", "destination", "bouncedRecipients", "mail"}
    | {"emailAddress", "recipients", "commonHeaders", "delivery-status", "severity", "email", "_id", "url", "link"}
)
LIKELY = st.recursive(
    st.sampled_from(WORDS) | st.integers(1, 2**41) | JSON,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=16,
)
BODIES = st.binary(max_size=200) | (JSON | LIKELY).map(json.dumpb)


@pytest.mark.more
@pytest.mark.parametrize("provider", EVERY)
@settings(max_examples=EXAMPLES, deadline=None)
@given(raw=BODIES, headers=st.dictionaries(st.sampled_from(["webhook-id", "svix-id"]), st.text(max_size=600)))
def test_no_bytes_make_it_raise(provider: str, raw: bytes, headers: dict[str, str]) -> None:
    for body in (
        raw,
        urlencode({mandrill.EVENTS: raw}).encode(),
        json.dumpb({"Type": "Notification", "Message": raw.decode(errors="replace")}),
    ):
        found = PARSED[provider].hook.parse(headers, body, PARSED[provider].settings)
        assert isinstance(found, Parsed)
        for signal in found.signals:
            assert 0 < len(signal.external_id) <= 500
            assert signal.occurred_at.tzinfo


@pytest.mark.more
@pytest.mark.parametrize("provider", EVERY)
@settings(max_examples=EXAMPLES, deadline=None)
@given(raw=BODIES, signature=st.text(max_size=100), stamp=st.text(max_size=20) | st.integers().map(str))
def test_nothing_that_is_shown_makes_it_raise_or_be_believed(
    provider: str, raw: bytes, signature: str, stamp: str
) -> None:
    shown = dict.fromkeys(_SIGNATURES, signature) | dict.fromkeys(_STAMPS, stamp) | {"webhook-id": stamp}
    shown["authorization"] = f"Basic {b64encode(signature.encode()).decode()}"
    assert not judged(provider, Sent(raw, shown)).ok


_SIGNATURES = (
    "webhook-signature",
    "x-cio-signature",
    hubspot.SIGNATURE_HEADER,
    mandrill.SIGNATURE_HEADER,
    "x-twilio-email-event-webhook-signature",
)
_STAMPS = (
    "webhook-timestamp",
    "x-cio-timestamp",
    hubspot.TIMESTAMP_HEADER,
    "x-twilio-email-event-webhook-timestamp",
)
