"""Whether receivers will trust mails from a domain, judged from what the DNS says of it.

SPF: RFC 7208. DKIM: RFC 6376, keys of at least 1,024 bits by RFC 8301. DMARC: RFC 7489 and the walk up the tree of its
successor. One click: RFC 8058, which asks that a DKIM signature covers the headers. Gmail and Yahoo ask all of it of
whoever sends 5,000 mails a day.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from app.postmaster.dns import Answers

Name = Literal["mx", "spf", "dkim", "dmarc", "alignment", "one_click"]
Status = Literal["pass", "warn", "fail", "unknown"]
USUAL_SELECTORS: Final = (
    *("default", "dkim", "mail", "google", "selector1", "selector2", "s1", "s2", "k1", "k2", "k3"),
    *("sendgrid", "mandrill", "pm", "smtp", "resend", "brevo1"),
)
MOST_LOOKUPS: Final = 10
_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_LOOKS_UP: Final = re.compile(r"[+?~-]?(include:|a\b|mx\b|ptr\b|exists:)|redirect=", re.IGNORECASE)
_SILENT: Final = "No name server answered. Try again in a while."


@dataclass(frozen=True, slots=True)
class Facts:
    """What is judged beside the DNS: who writes, where links lead, which selectors were named."""

    domain: str
    from_email: str | None
    base_url: str
    selectors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """The verdict on one thing, in plain words."""

    name: Name
    status: Status
    detail: str
    records: tuple[str, ...] = ()


def domain_of(text: str) -> str | None:
    """Return a domain's name in ASCII and small letters; None when it is none."""
    try:
        name = text.strip().rstrip(".").lower().encode("idna").decode()
    except UnicodeError:
        return None
    labels = name.split(".")
    is_name = len(labels) > 1 and len(name) <= 253 and all(map(_LABEL.fullmatch, labels))  # noqa: PLR2004 (RFC 1035)
    return name if is_name else None


def judge(answers: Answers, facts: Facts) -> list[Check]:
    """Judge everything that receivers look at."""
    dkim = _dkim(answers, facts)
    return [
        _mx(answers, facts),
        _spf(answers),
        dkim,
        _dmarc(answers, facts),
        _alignment(facts, dkim),
        _one_click(facts, dkim),
    ]


def _mx(answers: Answers, facts: Facts) -> Check:
    if answers.mail_hosts is None:
        return Check("mx", "unknown", _SILENT)
    if not any(answers.mail_hosts):
        return Check("mx", "warn", (
            f"{facts.domain} takes no mail: bounces and replies are lost."
            " Add an MX record, or write from a domain that has one."
        ))  # fmt: skip
    return Check("mx", "pass", "Bounces and replies find their way back.", tuple(answers.mail_hosts))


def _spf(answers: Answers) -> Check:
    if answers.texts is None:
        return Check("spf", "unknown", _SILENT)
    found = tuple(each for each in answers.texts if re.match(r"v=spf1(\s|$)", each, re.IGNORECASE))
    status, detail = _spf_verdict(found)
    return Check("spf", status, detail, found)


def _spf_verdict(found: Sequence[str]) -> tuple[Status, str]:
    if not found:
        return "fail", (
            "There is no SPF record. Add a TXT record such as `v=spf1 include:<your mail service> -all`,"
            " which names the servers that send for you."
        )
    if len(found) > 1:
        return "fail", "There is more than one SPF record, so receivers use none of them. Join them into one."
    terms = found[0].split()[1:]
    if any(term.lower() in {"all", "+all"} for term in terms):
        return "fail", "The SPF record ends in `+all`: it lets everybody send in your name. End it in `-all` or `~all`."
    if sum(_LOOKS_UP.match(term) is not None for term in terms) > MOST_LOOKUPS:
        return "fail", f"The SPF record asks for more than {MOST_LOOKUPS} look-ups, so receivers give up. Shorten it."
    if not any(re.fullmatch(r"[~-]all|redirect=.+", term, re.IGNORECASE) for term in terms):
        return "warn", "The SPF record does not say what to do with other servers. End it in `-all` or `~all`."
    return "pass", "The servers that may send are named."


def _dkim(answers: Answers, facts: Facts) -> Check:
    found = {name: record for name, records in answers.keys.items() for record in records or () if "p=" in record}
    shown = tuple(f"{name}._domainkey: {record}" for name, record in found.items())
    if not found and any(records is None for records in answers.keys.values()):
        return Check("dkim", "unknown", _SILENT)
    if not found:
        asked = ", ".join(facts.selectors)
        return Check("dkim", "fail", (
            f"There is no DKIM key under {asked}. Publish the key that your mail service gave you." if asked else
            "No DKIM key was found under the usual selectors. If your mail service signs, send its selector in"
            " `dkim_selectors`; if not, switch signing on and publish the key."
        ))  # fmt: skip
    verdicts = [_key_verdict(name, record) for name, record in found.items()]
    status, detail = min(verdicts, key=lambda each: ("pass", "warn", "fail").index(each[0]))
    return Check("dkim", status, detail, shown)


def _key_verdict(selector: str, record: str) -> tuple[Status, str]:
    tags = _tags(record)
    if not tags.get("p"):
        return "fail", f"The DKIM key under {selector} is revoked: its `p=` is empty. Publish a new one."
    bits = _bits(tags["p"]) if tags.get("k", "rsa") == "rsa" else 2048
    if bits is None:
        return "fail", f"The DKIM key under {selector} cannot be read. Publish it again, whole and without quotes."
    if bits < 1024:  # noqa: PLR2004 (RFC 8301)
        return "fail", f"The DKIM key under {selector} has {bits} bits; receivers take none below 1,024. Use 2,048."
    if "y" in tags.get("t", "").split(":"):
        return "warn", f"The DKIM key under {selector} is in test mode (`t=y`): receivers may ignore it."
    if bits < 2048:  # noqa: PLR2004 (RFC 8301)
        return "warn", f"The DKIM key under {selector} has {bits} bits. It works; 2,048 are advised."
    return "pass", f"Mails can be signed: there is a key under {selector}."


def _bits(key: str) -> int | None:
    try:
        public = load_der_public_key(base64.b64decode(re.sub(r"\s", "", key), validate=True))
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        return None
    return public.key_size if isinstance(public, RSAPublicKey) else None


def _dmarc(answers: Answers, facts: Facts) -> Check:
    for domain, records in answers.policies.items():
        if records is None:
            return Check("dmarc", "unknown", _SILENT)
        found = tuple(each for each in records if re.match(r"v=DMARC1\s*(;|$)", each, re.IGNORECASE))
        if len(found) > 1:
            return Check("dmarc", "fail", f"There is more than one DMARC record at _dmarc.{domain}. Keep one.", found)
        if found:
            status, detail = _policy_verdict(_tags(found[0]), is_own=domain == facts.domain)
            return Check("dmarc", status, detail, found)
    return Check("dmarc", "fail", (
        f"There is no DMARC policy. Add a TXT record at _dmarc.{facts.domain}, to begin with"
        f" `v=DMARC1; p=none; rua=mailto:postmaster@{facts.domain}`."
    ))  # fmt: skip


def _policy_verdict(tags: dict[str, str], *, is_own: bool) -> tuple[Status, str]:
    policy = (tags.get("p", "") if is_own else tags.get("sp", tags.get("p", ""))).lower()
    if policy in {"quarantine", "reject"}:
        return "pass", f"Receivers are told to {policy} mails that only pretend to be yours."
    if policy == "none":
        return "warn", (
            "The DMARC policy is `none`: it is enough to be accepted, but does not protect your name."
            " Once the reports look right, use `quarantine`."
        )
    return "fail", "The DMARC record names no policy. It needs `p=none`, `p=quarantine` or `p=reject`."


def _alignment(facts: Facts, dkim: Check) -> Check:
    domain = domain_of((facts.from_email or "").rpartition("@")[2])
    if domain is None:
        return Check("alignment", "fail", "No sender is set. Set `sender.from_email` of the tenant to an address here.")
    if domain != facts.domain and not domain.endswith(f".{facts.domain}") and not facts.domain.endswith(f".{domain}"):
        return Check("alignment", "fail", (
            f"Mails are written from {domain}, not from {facts.domain}: what is published here does not count for them."
            " Write from this domain, or check the other one."
        ))  # fmt: skip
    if dkim.status in {"fail", "unknown"}:
        return Check("alignment", "warn", (
            "The sender is of this domain, so SPF aligns."
            " Mails that are forwarded lose that; a DKIM signature would stay."
        ))  # fmt: skip
    return Check("alignment", "pass", "The sender, SPF and DKIM speak of the same domain.")


def _one_click(facts: Facts, dkim: Check) -> Check:
    if not facts.base_url.startswith("https://"):
        return Check("one_click", "fail", (
            f"Links to unsubscribe begin with {facts.base_url}, but one click works over https only."
            " Set PUBLIC_BASE_URL to an https address."
        ))  # fmt: skip
    if dkim.status in {"fail", "unknown"}:
        return Check("one_click", "warn", (
            "Each mail carries List-Unsubscribe and List-Unsubscribe-Post; receivers honour them only under a DKIM"
            " signature."
        ))  # fmt: skip
    return Check("one_click", "pass", "Each mail can be refused with one click.")


def _tags(record: str) -> dict[str, str]:
    """Read `name=value; …`."""
    return dict(_pairs(record))


def _pairs(record: str) -> Iterator[tuple[str, str]]:
    for part in record.split(";"):
        name, _, value = part.partition("=")
        if name.strip():
            yield name.strip().lower(), value.strip()
