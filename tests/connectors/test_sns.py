"""Messages that Amazon SNS really signed, checked with its real certificates."""

from base64 import b64decode, b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.connectors import sns
from app.connectors.signals import Verdict
from app.kit import json
from tests.connectors.golden import FIXTURES

RECORDED = sorted((FIXTURES / "ses").glob("sns_*.json"))
THEN = datetime(2022, 7, 29, tzinfo=UTC)


def certificates(message: dict[str, Any], name: str | None = None) -> dict[str, bytes]:
    url = message["SigningCertURL"]
    return {url: (FIXTURES / "ses" / (name or url.rpartition("/")[2])).read_bytes()}


def judged(message: dict[str, Any], at: datetime = THEN, **given: Any) -> Verdict:
    known = given.get("certificates", certificates(message))
    return sns.verify(json.dumpb(message), at, known, given.get("topics", [message["TopicArn"]]))


@pytest.fixture(params=RECORDED, ids=lambda path: path.stem)
def message(request: pytest.FixtureRequest) -> dict[str, Any]:
    path: Path = request.param
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def test_both_versions_are_recorded() -> None:
    assert [json.loads(path.read_bytes())["SignatureVersion"] for path in RECORDED] == ["1", "2"]


def test_what_amazon_signed_verifies(message: dict[str, Any]) -> None:
    assert judged(message) == Verdict(ok=True, call_id=message["MessageId"])
    assert judged(message | {"UnsubscribeURL": "not signed"}).ok
    assert judged(message | {"Subject": None}).ok


@pytest.mark.parametrize("member", ["Message", "MessageId", "Timestamp", "Subject"])
def test_every_signed_member_counts(message: dict[str, Any], member: str) -> None:
    assert judged(message | {member: "another"}).reason == "bad_signature"


def test_every_byte_of_the_signature_counts(message: dict[str, Any]) -> None:
    signature = bytearray(b64decode(message["Signature"]))
    signature[9] ^= 1
    assert judged(message | {"Signature": b64encode(signature).decode()}).reason == "bad_signature"
    assert judged(message | {"Signature": message["Signature"][:-4]}).reason == "bad_signature"


def test_the_version_says_the_hash(message: dict[str, Any]) -> None:
    other = {"1": "2", "2": "1"}[message["SignatureVersion"]]
    assert judged(message | {"SignatureVersion": other}).reason == "bad_signature"


def test_a_certificate_is_asked_for_and_must_be_the_right_one_at_its_time(message: dict[str, Any]) -> None:
    assert judged(message, certificates={}) == Verdict(ok=False, certificate=message["SigningCertURL"])
    assert judged(message, certificates={message["SigningCertURL"]: b"no PEM"}).certificate
    newer = certificates(message, "SimpleNotificationService-7506a1e35b36ef5a444dd1a8e7cc3ed8.pem")
    assert judged(message, datetime(2026, 6, 1, tzinfo=UTC), certificates=newer).reason == "bad_signature"
    for late in (datetime(2022, 8, 18, tzinfo=UTC), datetime(2021, 9, 6, tzinfo=UTC)):
        assert judged(message, late).reason == "bad_signature"


def test_another_topic_is_another_sender(message: dict[str, Any]) -> None:
    assert judged(message, topics=["arn:aws:sns:us-east-2:295079676684:other"]).reason == "wrong_origin"


@pytest.mark.parametrize(
    ("host", "good"),
    [
        ("sns.us-east-1.amazonaws.com", True),
        ("sns.us-gov-west-1.amazonaws.com", True),
        ("sns.cn-north-1.amazonaws.com.cn", True),
        ("sns.s3-us-west-2.amazonaws.com", False),
        ("sns.us-east-1.amazonaws.com.evil.example", False),
        ("sns.us-east-1.amazonaws.com.", False),
        ("SNS.us-east-1.amazonaws.com", False),
        ("sns.us-east-1xamazonaws.com", False),
        ("a.sns.us-east-1.amazonaws.com", False),
        ("sns.us-east-1.amazonaws.com:443", False),
    ],
)
def test_the_host_of_a_certificate(host: str, *, good: bool) -> None:
    assert sns.is_certificate(f"https://{host}/SimpleNotificationService-0f.pem") is good
