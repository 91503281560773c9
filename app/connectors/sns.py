"""Amazon SNS: messages posted to an HTTPS endpoint, and the confirmation that one is wanted.

Signature: RSA (PKCS #1 v1.5) with SHA-1 or SHA-256, by SignatureVersion, over a fixed list of members. It proves that
Amazon sent it, not whose topic it is: so the topics are listed, and nothing is fetched for another. A certificate is
taken only over https from SNS itself, whose hosts are named here closely: `s3-us-west-2` is no region, and anybody
could own its bucket `sns`.
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from urllib.parse import SplitResult, parse_qs, urlsplit

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.x509 import Certificate, load_pem_x509_certificate

from app.connectors import reading
from app.connectors.signals import Verdict, text

TOPIC_ARN: Final = r"^arn:aws(-[a-z]+)*:sns:[a-z0-9-]{1,30}:[0-9]{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?$"
NOTIFICATION: Final = "Notification"

_CONFIRMATIONS: Final = frozenset({"SubscriptionConfirmation", "UnsubscribeConfirmation"})
_SIGNED: Final[Mapping[str, Sequence[str]]] = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    **dict.fromkeys(
        sorted(_CONFIRMATIONS), ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
    ),
}
_OPTIONAL: Final = frozenset({"Subject"})
_HASHES: Final[Mapping[str, HashAlgorithm]] = {"1": SHA1(), "2": SHA256()}  # noqa: S303 (it is the sender's choice)
_HOST: Final = re.compile(r"sns\.[a-z]{2}(-[a-z]+)+-[0-9]{1,2}\.amazonaws\.com(\.cn)?")
_CERTIFICATE_PATH: Final = re.compile(r"/SimpleNotificationService-[A-Za-z0-9]{1,64}\.pem")


def verify(raw: bytes, now: datetime, certificates: Mapping[str, bytes], topics: Collection[str]) -> Verdict:
    """Check everything that needs no certificate, ask for the certificate, check the signature with it."""
    message = reading.document(raw)
    message = message if isinstance(message, dict) else {}
    signed, signature, algorithm = _signed(message), _signature(message), _algorithm(message)
    if signed is None or signature is None or algorithm is None:
        return Verdict(ok=False, reason="missing_signature")
    url = text(message, "SigningCertURL") or ""
    if message["TopicArn"] not in topics or not is_certificate(url):
        return Verdict(ok=False, reason="wrong_origin")
    certificate = _certificate(certificates.get(url, b""))
    if certificate is None:
        return Verdict(ok=False, certificate=url)
    if not _signs(certificate, now, signature, signed, algorithm):
        return Verdict(ok=False, reason="bad_signature")
    return _confirming(message)


def is_certificate(url: str) -> bool:
    """Say whether this is where SNS publishes its certificates."""
    parts = _at_sns(url)
    return parts is not None and _CERTIFICATE_PATH.fullmatch(parts.path) is not None and not parts.query


def is_confirmation(url: str, topic: str, token: str) -> bool:
    """Say whether fetching this does no more than to confirm the subscription to `topic` with its token."""
    parts = _at_sns(url)
    if parts is None or parts.path not in {"", "/"}:
        return False
    said = parse_qs(parts.query, keep_blank_values=True, max_num_fields=10)
    wanted = {"Action": ["ConfirmSubscription"], "TopicArn": [topic], "Token": [token]}
    return {name: said.get(name) for name in wanted} == wanted


def _confirming(message: Mapping[str, Any]) -> Verdict:
    """Give the verdict on a signed message: a subscription to a topic of ours is confirmed at SNS itself."""
    named = message["MessageId"]
    if message["Type"] != "SubscriptionConfirmation":
        return Verdict(ok=True, call_id=named)
    if not is_confirmation(message["SubscribeURL"], message["TopicArn"], message["Token"]):
        return Verdict(ok=False, reason="wrong_origin")
    return Verdict(ok=True, call_id=named, confirm=message["SubscribeURL"])


def _at_sns(url: str) -> SplitResult | None:
    """Take an address apart that is at SNS, over https and without any more; None for any other."""
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return parts if parts.scheme == "https" and _HOST.fullmatch(parts.netloc) and not parts.fragment else None


def _signed(message: Mapping[str, Any]) -> bytes | None:
    """Return the bytes that are signed; None where one of the members is not there."""
    names = [
        name
        for name in _SIGNED.get(text(message, "Type") or "", ())
        if not (name in _OPTIONAL and message.get(name) is None)
    ]
    values = [message.get(name) for name in names]
    if not values or not all(isinstance(value, str) for value in values):
        return None
    return "".join(f"{name}\n{value}\n" for name, value in zip(names, values, strict=True)).encode()


def _signature(message: Mapping[str, Any]) -> bytes | None:
    try:
        return b64decode(text(message, "Signature") or "", validate=True) or None
    except (binascii.Error, ValueError):
        return None


def _algorithm(message: Mapping[str, Any]) -> HashAlgorithm | None:
    return _HASHES.get(text(message, "SignatureVersion") or "")


@lru_cache(maxsize=64)
def _certificate(pem: bytes) -> Certificate | None:
    try:
        return load_pem_x509_certificate(pem)
    except (ValueError, UnsupportedAlgorithm):
        return None


def _signs(certificate: Certificate, now: datetime, signature: bytes, signed: bytes, algorithm: HashAlgorithm) -> bool:
    """Check with a certificate that is valid at `now`."""
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return False
    valid = certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
    if not valid or not isinstance(key, RSAPublicKey):
        return False
    try:
        key.verify(signature, signed, PKCS1v15(), algorithm)
    except InvalidSignature:
        return False
    return True
