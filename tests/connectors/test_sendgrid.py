from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from app.connectors import sendgrid
from app.connectors.signals import Evidence, Parsed, Request, Signal
from app.kit import json

FIXTURES = Path(__file__).parents[1] / "fixtures" / "webhooks" / "sendgrid"
VECTORS: list[dict[str, Any]] = json.loads((FIXTURES / "signature_vectors.json").read_bytes())
VALID = [each for each in VECTORS if each["valid"]]
BATCH = VALID[-1]
NOW = datetime.fromtimestamp(1_513_299_600, UTC)


def signed_at(vector: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp(int(vector["timestamp"]), UTC)


def request(vector: dict[str, Any]) -> Request:
    headers = {
        sendgrid.SIGNATURE_HEADER: vector["signature_b64"],
        sendgrid.TIMESTAMP_HEADER: vector["timestamp"],
    }
    return Request("POST", "https://example.test/v1/hooks/1", headers, vector["raw_body"].encode())


def reason(vector: dict[str, Any], *, late: float = 0, **given: Any) -> str | None:
    now = signed_at(vector) + timedelta(seconds=late)
    asked: dict[str, Any] = {"secrets": [vector["public_key_b64_der"]], "settings": {}} | given
    verdict = sendgrid.verify(request(vector), asked["secrets"], now, {}, asked["settings"])
    assert verdict.ok is (verdict.reason is None)
    return verdict.reason


def parsed(*items: Any) -> Parsed:
    return sendgrid.parse({}, json.dumpb(list(items)), {})


def fixture(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FIXTURES / f"stronggrid__{name}.json").read_bytes())
    return found


def signal(item: dict[str, Any]) -> Signal:
    (found,) = parsed(item).signals
    return found


@pytest.mark.parametrize("vector", VECTORS, ids=lambda each: each["name"])
def test_real_signatures(vector: dict[str, Any]) -> None:
    assert reason(vector) == (None if vector["valid"] else "bad_signature")


@pytest.mark.parametrize("vector", VALID, ids=lambda each: each["name"])
@pytest.mark.parametrize(
    "change",
    [
        {"raw_body": "[]"},
        {"signature_b64": "no base64!"},
        {"signature_b64": "AAAA"},
        {"signature_b64": "é"},
        {"signature_b64": b64encode(b"0" * 70).decode()},
    ],
)
def test_tampered_calls_are_refused(vector: dict[str, Any], change: dict[str, Any]) -> None:
    assert reason(vector | change) == "bad_signature"


def test_the_timestamp_is_signed() -> None:
    assert reason(BATCH | {"timestamp": str(int(BATCH["timestamp"]) + 1)}) == "bad_signature"


@pytest.mark.parametrize("position", [0, 1, 1000, -3, -1])
def test_every_byte_is_signed(position: int) -> None:
    body = bytearray(BATCH["raw_body"].encode())
    body[position] ^= 1
    assert reason(BATCH | {"raw_body": body.decode()}) == "bad_signature"


def test_a_signature_is_asked_for() -> None:
    assert reason(BATCH | {"signature_b64": ""}) == "missing_signature"
    bare = Request("POST", "https://example.test", {}, b"[]")
    assert sendgrid.verify(bare, [], NOW, {}, {}).reason == "missing_signature"


def test_two_keys_may_be_live_and_a_broken_one_opens_nothing() -> None:
    key, rsa_like = BATCH["public_key_b64_der"], b64encode(b64decode(BATCH["public_key_b64_der"])[:-1]).decode()
    assert reason(BATCH, secrets=["broken", rsa_like, key]) is None
    assert reason(BATCH, secrets=["broken", "", rsa_like]) == "bad_signature"
    assert reason(BATCH, secrets=[]) == "bad_signature"


def test_only_its_own_curve_is_accepted() -> None:
    private = ec.generate_private_key(ec.SECP384R1())
    raw = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    signature = private.sign(b"1513299600[]", ec.ECDSA(SHA256()))
    vector = {
        "public_key_b64_der": b64encode(raw).decode(),
        "signature_b64": b64encode(signature).decode(),
        "timestamp": "1513299600",
        "raw_body": "[]",
    }
    assert reason(vector) == "bad_signature"


@pytest.mark.parametrize(
    ("late", "settings_", "expected"),
    [
        (86_400, {}, None),
        (86_401, {}, "outside_tolerance"),
        (-86_400, {}, None),
        (-86_401, {}, "outside_tolerance"),
        (301, {"tolerance_s": 300}, "outside_tolerance"),
        (100_000, {"tolerance_s": 100_000}, None),
    ],
)
def test_the_signed_time_has_a_tolerance(late: float, settings_: dict[str, Any], expected: str | None) -> None:
    assert reason(BATCH, late=late, settings=settings_) == expected


def test_a_real_batch() -> None:
    found = sendgrid.parse({}, BATCH["raw_body"].encode(), {})
    assert [each.type for each in found.signals] == [
        "email_delivered",
        "email_opened",
        "email_clicked",
        "email_bounced",
        "email_complained",
        "email_unsubscribed",
        "email_unsubscribed",
    ]
    assert (found.ignored, found.unreadable) == (4, 0)
    assert {each.email for each in found.signals} == {"example@test.com"}
    assert {each.topics for each in found.signals} == {("cat facts",)}


def test_a_click() -> None:
    item = fixture("clicked")
    assert signal(item) == Signal(
        type="email_clicked",
        occurred_at=datetime.fromtimestamp(1_513_299_569, UTC),
        external_id="kCAi1KttyQdEKHhdC-nuEA==",
        email="example@test.com",
        topics=("cat facts",),
        data={
            "message_id": "<14c5d75ce93.dfd.64b469@ismtpd-555>",
            "url": "http://www.sendgrid.com/",
        },
        evidence=Evidence(user_agent=item["useragent"], ip="255.255.255.255"),
        mail="14c5d75ce93.dfd.64b469",
    )


@pytest.mark.parametrize(("name", "kind"), [("bounced", "hard"), ("blocked", "soft")])
def test_a_bounce_is_hard_but_for_a_block(name: str, kind: str) -> None:
    found = signal(fixture(name))
    assert found.type == "email_bounced"
    assert found.data["bounce"] == {"kind": kind, "code": "5.0.0", "reason": "500 unknown recipient"}
    assert found.evidence == Evidence()


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("delivered", "email_delivered"),
        ("spamreport", "email_complained"),
        ("unsubscribe", "email_unsubscribed"),
        ("groupunsubscribe", "email_unsubscribed"),
    ],
)
def test_types(name: str, type_: str) -> None:
    assert signal(fixture(name)).type == type_


def test_an_open_says_whether_a_machine_did_it() -> None:
    item = fixture("opened")
    assert signal(item).evidence.provider_flag is None
    assert signal(item | {"sg_machine_open": True}).evidence.provider_flag == "machine"
    assert signal(item | {"useragent": ""}).evidence.user_agent == ""
    del item["useragent"]
    assert signal(item).evidence.user_agent is None


def test_without_an_smtp_id_the_message_has_the_providers_own() -> None:
    item = fixture("clicked")
    del item["smtp-id"]
    assert signal(item).data["message_id"] == item["sg_message_id"]


def test_without_an_id_an_event_is_named_by_its_content() -> None:
    item = fixture("clicked")
    del item["sg_event_id"]
    backwards = dict(reversed(item.items()))
    assert signal(item).external_id == signal(backwards).external_id != signal(item | {"url": "x"}).external_id


def test_of_a_batch_the_readable_items_are_taken() -> None:
    good = fixture("opened")
    found = parsed(
        good,
        None,
        [],
        {"event": 5},
        good | {"timestamp": None},
        good | {"timestamp": True},
        good | {"timestamp": 1e30},
        good | {"timestamp": "1e5"},
        fixture("processed"),
        {"event": "invented later"},
    )
    assert (len(found.signals), found.ignored, found.unreadable) == (1, 2, 7)


@pytest.mark.parametrize("raw", [b"", b"{}", b"null", b"[", b'["\xff"]', b"[" * 5000, b"[NaN]"])
def test_an_unreadable_body_is_one_unreadable_item(raw: bytes) -> None:
    assert sendgrid.parse({}, raw, {}) == Parsed(unreadable=1)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
KEYS = ["email", "timestamp", "smtp-id", "category", "sg_event_id", "useragent", "ip", "url", "type", "status"]


@settings(max_examples=150)
@given(
    items=st.lists(
        st.fixed_dictionaries(
            {"event": st.sampled_from(["open", "click", "bounce", "processed"]) | JSON},
            optional=dict.fromkeys(KEYS, JSON | st.integers(0, 2**40)),
        ),
        max_size=5,
    )
)
def test_no_item_makes_it_raise_and_each_is_counted(items: list[dict[str, Any]]) -> None:
    found = parsed(*items)
    assert len(found.signals) + found.ignored + found.unreadable == len(items)


@settings(max_examples=150)
@given(raw=st.binary(max_size=200) | JSON.map(json.dumpb))
def test_no_bytes_make_it_raise(raw: bytes) -> None:
    assert isinstance(sendgrid.parse({}, raw, {}), Parsed)
