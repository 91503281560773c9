"""The hooks of the senders of mail over HTTP: each as its sender calls it."""

import time
from base64 import b64encode
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from app.connectors import reception
from app.connectors.certificates import Certificates
from app.kit import http, json
from tests.connectors.golden import FIXTURES, captures
from tests.connectors.hook import Hook
from tests.connectors.mail_tools import SENDERS, TOPIC, Sent, by_mandrill

AGES_S = 3_000_000_000
BASE = "https://talent.example.com/v1/hooks"
CERTIFICATE = "https://sns.ap-northeast-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
Open = Callable[..., Awaitable[Hook]]


@pytest.fixture
def open_hook(api: httpx.AsyncClient, client_of: Callable[[str], httpx.AsyncClient]) -> Open:
    async def make(provider: str, secret: str | None, settings: dict[str, Any]) -> Hook:
        body = {"provider": provider, "name": provider, "settings": settings, "secret": secret}
        made = await api.post("/v1/connections", json=body)
        assert made.status_code == 201, made.text
        return Hook(api, client_of(""), made.json()["id"])

    return make


async def deliver(hook: Hook, sent: Sent, query: str = "") -> int:
    return (await hook.post(sent.raw, sent.headers, query)).status_code


def sent_by(provider: str, hook: Hook, capture: Any, key: str | None = None, query: str = "") -> Sent:
    sender = SENDERS[provider]
    return sender.sign(sender.wire(capture), f"{BASE}/{hook.id}{query}", int(time.time()), key or sender.secret)


def first_with_a_signal(provider: str) -> Any:
    expected = json.loads((FIXTURES / provider / "expected.json").read_bytes())
    named = next(name for name, meaning in expected.items() if meaning.get("signals") and "unreadable" not in meaning)
    return json.loads((FIXTURES / provider / named).read_bytes())


async def stored(hook: Hook, provider: str) -> list[dict[str, Any]]:
    page = await hook.api.get(f"/v1/touchpoints?source={provider}:{hook.id}")
    found: list[dict[str, Any]] = page.json()["data"]
    return found


@pytest.mark.parametrize("provider", SENDERS)
async def test_what_is_signed_is_stored_once_and_what_is_not_is_401(open_hook: Open, provider: str) -> None:
    hook = await open_hook(provider, SENDERS[provider].secret, SENDERS[provider].settings)
    sent = sent_by(provider, hook, first_with_a_signal(provider))
    forged = sent_by(provider, hook, first_with_a_signal(provider), SENDERS[provider].other)
    assert [await deliver(hook, each) for each in (forged, sent, sent, Sent(sent.raw, {}))][:3] == [401, 204, 204]
    counts = await hook.counts()
    assert (counts["stored"], counts["dead"]) == (1, 0)
    assert counts["duplicate"] + counts["refused"] == 3
    assert len(await stored(hook, provider)) == 1
    [delivery] = await hook.deliveries("?status=parsed")
    again = await hook.api.post(f"/v1/connections/{hook.id}/deliveries/{delivery['id']}/redrive")
    assert (again.status_code, again.json()) == (200, delivery)
    assert len(await stored(hook, provider)) == 1
    assert (await hook.sender.head(f"/v1/hooks/{hook.id}")).status_code == 200


@pytest.mark.parametrize("provider", SENDERS)
async def test_two_secrets_live_while_they_overlap(open_hook: Open, provider: str) -> None:
    sender = SENDERS[provider]
    hook = await open_hook(provider, sender.other, sender.settings)
    path = f"/v1/connections/{hook.id}/secret/rotate"
    assert (await hook.api.post(path, json={"secret": sender.secret})).status_code == 200
    capture = first_with_a_signal(provider)
    keys = (sender.other, sender.secret)
    assert [await deliver(hook, sent_by(provider, hook, capture, key)) for key in keys] == [204, 204]
    await hook.api.post(path, json={"secret": sender.secret, "overlap_s": 0})
    assert [await deliver(hook, sent_by(provider, hook, capture, key)) for key in keys] == [401, 204]


@pytest.mark.parametrize("provider", SENDERS)
async def test_every_capture_is_answered_204_and_none_is_lost(open_hook: Open, provider: str) -> None:
    hook = await open_hook(provider, SENDERS[provider].secret, SENDERS[provider].settings)
    read = [json.loads(path.read_bytes()) for path in captures(provider)]
    assert {await deliver(hook, sent_by(provider, hook, capture)) for capture in read} == {204}
    counts = await hook.counts()
    assert counts["stored"] + counts["duplicate"] == len(read)
    reasons = {each["reason"] for each in await hook.deliveries("?status=dead&limit=100")}
    assert reasons <= {"unreadable"}


async def test_of_mailgun_a_spent_token_is_a_duplicate_whatever_the_body_says(open_hook: Open) -> None:
    hook = await open_hook("mailgun", "key", {})
    sent = sent_by("mailgun", hook, {"event-data": {"event": "accepted", "timestamp": 1}}, "key")
    said = {"event": "unsubscribed", "timestamp": time.time(), "recipient": "hanako@example.com"}
    forged = json.dumpb({**json.loads(sent.raw), "event-data": said})
    assert [await deliver(hook, Sent(raw, {})) for raw in (sent.raw, forged)] == [204, 204]
    assert [each["status"] for each in await hook.deliveries()] == ["duplicate", "parsed"]
    assert await stored(hook, "mailgun") == []


async def test_the_signed_address_is_the_hooks_own_with_the_received_query(open_hook: Open) -> None:
    for provider in ("mandrill", "hubspot"):
        hook = await open_hook(provider, "key", {})
        query = "?from=a%20b&x=1"
        sent = sent_by(provider, hook, first_with_a_signal(provider), "key", query)
        assert [await deliver(hook, sent, each) for each in ("", query)] == [401, 204]


async def test_mandrill_tries_an_address_before_it_has_a_key(open_hook: Open) -> None:
    hook = await open_hook("mandrill", "key", {})
    assert await deliver(hook, by_mandrill(b"[]", f"{BASE}/{hook.id}", 0, "test-webhook")) == 204
    assert (await hook.counts())["stored"] == 1


async def test_a_retry_with_another_body_says_nothing_twice(open_hook: Open) -> None:
    hook = await open_hook("hubspot", "key", {})
    batch, retried = (
        json.loads((FIXTURES / "hubspot" / f"own__{name}.json").read_bytes()) for name in ("batch", "retried")
    )
    assert [await deliver(hook, sent_by("hubspot", hook, each, "key")) for each in (batch, retried)] == [204, 204]
    assert [each["status"] for each in await hook.deliveries()] == ["duplicate", "dead"]
    assert len(await stored(hook, "hubspot")) == 2


@pytest.mark.parametrize(
    ("provider", "secret", "settings", "pointer"),
    [
        ("ses", "a secret", {"topic_arns": [TOPIC]}, "/secret"),
        ("ses", None, {"topic_arns": []}, "/settings/topic_arns"),
        ("ses", None, {"topic_arns": ["arn:aws:sqs:eu-west-1:123456789012:mail"]}, "/settings/topic_arns/0"),
        ("mailgun", None, {}, "/secret"),
        ("postmark", "without a colon", {}, "/secret"),
        ("resend", "whsec_?", {}, "/secret"),
        ("brevo", "a:b", {"timezone": "Asia/Edo"}, "/settings/timezone"),
        ("standard_webhooks", "whsec_YW5vdGhlcg==", {}, "/settings/mapping"),
    ],
)
async def test_what_a_provider_does_not_have_is_refused(
    api: httpx.AsyncClient, provider: str, secret: str | None, settings: dict[str, Any], pointer: str
) -> None:
    body = {"provider": provider, "name": "Mail", "settings": settings, "secret": secret}
    refused = await api.post("/v1/connections", json=body)
    assert refused.status_code == 422
    assert pointer in [each["pointer"] for each in refused.json()["errors"]]


class Amazon:
    """SNS as a hook sees it: it signs messages, publishes its certificate, and confirms subscriptions."""

    def __init__(self) -> None:
        self.key: RSAPrivateKey = generate_private_key(65537, 2048)
        self.asked: list[str] = []
        self.status = 200
        self.headers: dict[str, str] = {}
        self.body = self._certificate()

    def _certificate(self) -> bytes:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        today = datetime.now(UTC)
        builder = x509.CertificateBuilder(
            name, name, self.key.public_key(), 1, today - timedelta(1), today + timedelta(1)
        )
        return builder.sign(self.key, SHA256()).public_bytes(Encoding.PEM)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        return httpx.Response(self.status, content=self.body, headers=self.headers)

    def message(self, event: Any, version: str = "2", **changes: Any) -> bytes:
        message = {
            "Type": "Notification",
            "MessageId": "0f1e",
            "TopicArn": TOPIC,
            "Message": json.dumps(event),
            "Timestamp": "2026-06-01T10:00:02.000Z",
            "SignatureVersion": version,
            "SigningCertURL": CERTIFICATE,
        } | changes
        names = ["Message", "MessageId", "SubscribeURL", "Subject", "Timestamp", "Token", "TopicArn", "Type"]
        signed = "".join(f"{name}\n{message[name]}\n" for name in names if message.get(name) is not None)
        signature = self.key.sign(signed.encode(), PKCS1v15(), SHA1() if version == "1" else SHA256())  # noqa: S303 (version 1)
        return json.dumpb({"Signature": b64encode(signature).decode()} | message)

    def confirmation(self, **changes: Any) -> bytes:
        url = f"https://sns.ap-northeast-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=t0"
        told = {"Type": "SubscriptionConfirmation", "Token": "t0", "SubscribeURL": url, "Subject": None}
        return self.message("You have chosen to subscribe", **told | changes)


@pytest.fixture
def amazon(monkeypatch: pytest.MonkeyPatch) -> Amazon:
    found = Amazon()
    transport = httpx.MockTransport(found.answer)
    monkeypatch.setattr(http, "outward", lambda: httpx.AsyncClient(transport=transport))
    monkeypatch.setattr(reception, "_certificates", Certificates())
    return found


BOUNCED = {
    "eventType": "Bounce",
    "mail": {"messageId": "m", "destination": ["hanako@example.com"]},
    "bounce": {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": "hanako@example.com"}]},
}


@pytest.fixture
async def ses(open_hook: Open) -> Hook:
    return await open_hook("ses", None, {"topic_arns": [TOPIC]})


@pytest.mark.parametrize("version", ["1", "2"])
async def test_a_message_of_sns_is_checked_with_a_certificate_that_is_fetched_once(
    ses: Hook, amazon: Amazon, version: str
) -> None:
    raws = [amazon.message(BOUNCED, version), amazon.message(BOUNCED, version, MessageId="0f1f", Subject="A subject")]
    assert [await deliver(ses, Sent(raw, {})) for raw in (*raws, raws[0])] == [204, 204, 204]
    assert amazon.asked == [CERTIFICATE]
    assert await ses.counts() == {"stored": 2, "duplicate": 1, "refused": 0, "dead": 0}
    assert {each["external_id"] for each in await stored(ses, "ses")} == {
        "0f1e:hanako@example.com",
        "0f1f:hanako@example.com",
    }
    forged = json.dumpb({**json.loads(raws[0]), "Message": json.dumps(BOUNCED | {"eventType": "Complaint"})})
    assert await deliver(ses, Sent(forged, {})) == 401


@pytest.mark.parametrize(
    "change",
    [
        {"TopicArn": TOPIC + "-of-another"},
        {"SignatureVersion": "3"},
        {"Signature": ""},
        {"Signature": "no base64!"},
        {"Type": "Invented"},
        {"SigningCertURL": None},
        *(
            {"SigningCertURL": CERTIFICATE.replace(old, new)}
            for old, new in [
                ("https:", "http:"),
                ("sns.ap-northeast-1.amazonaws.com", "sns.s3-us-west-2.amazonaws.com"),
                ("sns.ap-northeast-1.amazonaws.com", "example.com"),
                ("amazonaws.com", "amazonaws.com.example.com"),
                ("amazonaws.com", "amazonaws.com:8443"),
                ("amazonaws.com", "amazonaws.com@example.com"),
                ("//sns", "//user@sns"),
                ("//sns", "//169.254.169.254/?sns"),
                ("/Simple", "/../Simple"),
                (".pem", ".pem?a=b"),
                (".pem", ".pem#a"),
                (".pem", ".txt"),
                (".pem", ".pem\n"),
            ]
        ),
    ],
)
async def test_what_cannot_be_of_sns_is_refused_without_any_fetch(
    ses: Hook, amazon: Amazon, change: dict[str, Any]
) -> None:
    raw = json.dumpb({**json.loads(amazon.message(BOUNCED)), **change})
    assert await deliver(ses, Sent(raw, {})) == 401
    assert amazon.asked == []


async def test_a_certificate_that_cannot_be_fetched_is_503_until_it_can(ses: Hook, amazon: Amazon) -> None:
    raw, good = amazon.message(BOUNCED), amazon.body
    for amazon.status, amazon.headers, amazon.body in (
        (500, {}, good),
        (302, {"Location": "http://169.254.169.254/"}, good),
        (200, {}, b"no certificate"),
        (200, {}, b"-" * (2 << 20)),
    ):
        answer = await ses.post(raw, {})
        assert (answer.status_code, answer.json()["code"]) == (503, "provider_away")
        assert int(answer.headers["Retry-After"]) > 0
    assert set(amazon.asked) == {CERTIFICATE}
    assert await ses.counts() == {"stored": 0, "duplicate": 0, "refused": 0, "dead": 0}
    amazon.status, amazon.headers, amazon.body = 200, {}, good
    assert await deliver(ses, Sent(raw, {})) == 204


async def test_a_subscription_is_confirmed_at_sns_before_it_is_stored(ses: Hook, amazon: Amazon) -> None:
    assert await deliver(ses, Sent(amazon.message(BOUNCED), {})) == 204
    raw = amazon.confirmation(MessageId="0f20")
    amazon.status = 500
    assert await deliver(ses, Sent(raw, {})) == 503
    amazon.status = 200
    assert await deliver(ses, Sent(raw, {})) == 204
    assert amazon.asked == [CERTIFICATE, *[json.loads(raw)["SubscribeURL"]] * 2]
    assert [each["status"] for each in await ses.deliveries()] == ["parsed", "parsed"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("https:", "http:"),
        ("sns.ap-northeast-1.amazonaws.com", "example.com"),
        ("ConfirmSubscription", "Publish"),
        ("Token=t0", "Token=t1"),
        (TOPIC, TOPIC + "2"),
        ("/?", "/path?"),
    ],
)
async def test_no_other_address_is_confirmed_even_if_it_is_signed(
    ses: Hook, amazon: Amazon, old: str, new: str
) -> None:
    url = json.loads(amazon.confirmation())["SubscribeURL"].replace(old, new)
    assert await deliver(ses, Sent(amazon.confirmation(SubscribeURL=url), {})) == 401
    assert amazon.asked == [CERTIFICATE]


async def test_an_expired_certificate_proves_nothing(
    ses: Hook, amazon: Amazon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reception, "now", lambda: datetime.now(UTC) + timedelta(days=2))
    assert await deliver(ses, Sent(amazon.message(BOUNCED), {})) == 401


async def test_an_open_of_several_recipients_is_of_nobody(ses: Hook, amazon: Amazon) -> None:
    capture = json.loads((FIXTURES / "ses" / "own__open_of_two.json").read_bytes())
    assert await deliver(ses, Sent(amazon.message(json.loads(capture["Message"])), {})) == 204
    [waiting] = (await ses.api.get("/v1/touchpoints/unmatched")).json()["data"]
    assert (waiting["type"], waiting["identifier"], waiting["reason"]) == ("email_opened", None, "unknown")
