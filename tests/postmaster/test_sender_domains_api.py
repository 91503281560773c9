"""What a domain lacks, in plain words: recorded answers of the DNS, and the real resolver against a deaf one."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from dns import message, rcode, rdatatype, rrset
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from app.postmaster import dns, domain, routes
from app.postmaster.dns import Answers, DnsResolver, RecordedResolver, Unreachable
from tests.sequences.conftest import World

DOMAIN: Final = "example.co.jp"
Records = Mapping[tuple[str, str], Sequence[str] | None]


def key(bits: int) -> str:
    public = rsa.generate_private_key(65537, bits).public_key()
    return base64.b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


STRONG, WEAK = key(2048), key(1024)
GOOD: Final[Records] = {
    ("MX", DOMAIN): ["mx.example.co.jp"],
    ("TXT", DOMAIN): ["google-site-verification=x", "v=spf1 include:_spf.example.net -all"],
    ("TXT", f"s1._domainkey.{DOMAIN}"): [f"v=DKIM1; k=rsa; p={STRONG}"],
    ("TXT", f"_dmarc.{DOMAIN}"): [f"v=DMARC1; p=reject; rua=mailto:dmarc@{DOMAIN}"],
}

Ask = Callable[..., Any]


@pytest.fixture
def ask(world: World, app: FastAPI) -> Iterator[Ask]:
    """Asks what a domain lacks, of a DNS that answers what was recorded."""

    async def run(records: Records, name: str = DOMAIN, body: Any = None, status: int = 200) -> Any:
        app.dependency_overrides[routes.resolver] = _of(RecordedResolver({**GOOD, **records}))
        answer = await world.api.post(f"/v1/sender-domains/{name}/check", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    yield run
    app.dependency_overrides.pop(routes.resolver, None)


def _of(resolver: RecordedResolver) -> Callable[[], Any]:
    async def give() -> RecordedResolver:
        return resolver

    return give


def statuses(answer: Any) -> dict[str, str]:
    return {each["name"]: each["status"] for each in answer["checks"]}


async def test_a_domain_that_lacks_nothing_is_ready(ask: Ask) -> None:
    answer = await ask({})
    assert (answer["domain"], answer["ready"]) == (DOMAIN, True)
    assert set(statuses(answer).values()) == {"pass"}
    assert list(statuses(answer)) == ["mx", "spf", "dkim", "dmarc", "alignment", "one_click"]


CASES: Final[list[tuple[Records, str, str, str]]] = [
    ({("TXT", DOMAIN): ["x"]}, "spf", "fail", "no SPF record"),
    ({("TXT", DOMAIN): ["v=spf1 -all", "V=SPF1 ~all"]}, "spf", "fail", "more than one"),
    ({("TXT", DOMAIN): ["v=spf1 +all"]}, "spf", "fail", "everybody"),
    ({("TXT", DOMAIN): ["v=spf1 ip4:1.2.3.4"]}, "spf", "warn", "other servers"),
    ({("TXT", DOMAIN): ["v=spf1 " + "include:a.example " * 11 + "-all"]}, "spf", "fail", "look-ups"),
    ({("TXT", DOMAIN): ["v=spf1 redirect=_spf.example.net"]}, "spf", "pass", "named"),
    ({("TXT", DOMAIN): ["v=spf10 -all"]}, "spf", "fail", "no SPF record"),
    ({("TXT", DOMAIN): None}, "spf", "unknown", "answered"),
    ({("TXT", f"s1._domainkey.{DOMAIN}"): []}, "dkim", "fail", "usual selectors"),
    ({("TXT", f"s1._domainkey.{DOMAIN}"): ["v=DKIM1; p="]}, "dkim", "fail", "revoked"),
    ({("TXT", f"s1._domainkey.{DOMAIN}"): ["v=DKIM1; p=AAAA"]}, "dkim", "fail", "cannot be read"),
    ({("TXT", f"s1._domainkey.{DOMAIN}"): [f"p={WEAK}"]}, "dkim", "warn", "1024 bits"),
    ({("TXT", f"s1._domainkey.{DOMAIN}"): [f"t=y; p={STRONG}"]}, "dkim", "warn", "test mode"),
    ({("TXT", f"s1._domainkey.{DOMAIN}"): ["k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="]}, "dkim",
     "pass", "key"),
    ({("TXT", f"_dmarc.{DOMAIN}"): []}, "dmarc", "fail", "no DMARC policy"),
    ({("TXT", f"_dmarc.{DOMAIN}"): ["v=DMARC1; p=none"]}, "dmarc", "warn", "none"),
    ({("TXT", f"_dmarc.{DOMAIN}"): ["v=DMARC1"]}, "dmarc", "fail", "no policy"),
    ({("TXT", f"_dmarc.{DOMAIN}"): ["v=DMARC1; p=none", "v=DMARC1; p=reject"]}, "dmarc", "fail", "more than one"),
    ({("MX", DOMAIN): []}, "mx", "warn", "bounces"),
    ({("MX", DOMAIN): None}, "mx", "unknown", "answered"),
]  # fmt: skip


@pytest.mark.parametrize(("records", "name", "status", "words"), CASES)
async def test_what_is_missing_is_said(ask: Ask, records: Records, name: str, status: str, words: str) -> None:
    answer = await ask(records)
    found = next(each for each in answer["checks"] if each["name"] == name)
    assert found["status"] == status
    assert words in found["detail"]
    assert answer["ready"] is (status in {"pass", "warn"})


async def test_a_named_selector_is_asked_for(ask: Ask) -> None:
    answer = await ask({}, body={"dkim_selectors": ["mine"]})
    found = next(each for each in answer["checks"] if each["name"] == "dkim")
    assert (found["status"], "mine" in found["detail"]) == ("fail", True)
    assert statuses(answer)["one_click"] == "warn"
    await ask({}, body={"dkim_selectors": ["a b"]}, status=422)


async def test_a_subdomain_lives_under_the_policy_above_it(ask: Ask) -> None:
    answer = await ask({("TXT", f"_dmarc.{DOMAIN}"): ["v=DMARC1; p=none; sp=quarantine"]}, f"News.{DOMAIN}.")
    assert answer["domain"] == f"news.{DOMAIN}"
    assert statuses(answer)["dmarc"] == "pass"


async def test_the_sender_has_to_be_of_the_domain(ask: Ask, world: World) -> None:
    answer = await ask({}, "example.org")
    found = next(each for each in answer["checks"] if each["name"] == "alignment")
    assert (found["status"], DOMAIN in found["detail"]) == ("fail", True)
    assert (await world.api.patch("/v1/tenant", json={"sender": {"from_email": None}})).status_code == 200
    assert statuses(await ask({}))["alignment"] == "fail"


@pytest.mark.parametrize("name", ["x", "a..b", "-a.example", "a b.example", "é" * 70 + ".example", "*.example"])
async def test_what_is_no_domain_is_refused(ask: Ask, name: str) -> None:
    assert (await ask({}, name, status=422))["code"] == "domain_invalid"


async def test_one_click_needs_https() -> None:
    facts = domain.Facts(DOMAIN, f"a@{DOMAIN}", "http://talent.example.com", ())
    judged = {each.name: each for each in domain.judge(Answers([], [], {}, {}), facts)}
    assert judged["one_click"].status == "fail"


class NameServer(asyncio.DatagramProtocol):
    """Knows one domain, and says of any other that there is none; a deaf one says nothing."""

    def __init__(self, *, deaf: bool) -> None:
        self.deaf = deaf

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        asked = message.from_wire(data)
        answer = message.make_response(asked)
        name, kind = asked.question[0].name, asked.question[0].rdtype
        known = {"TXT": '"v=spf1 " "-all"', "MX": "10 mx.example.co.jp."}.get(rdatatype.to_text(kind))
        if str(name) == f"{DOMAIN}." and known:
            answer.answer.append(rrset.from_text(name, 60, "IN", kind, known))
        else:
            answer.set_rcode(rcode.NXDOMAIN)
        if not self.deaf:
            self.transport.sendto(answer.to_wire(), addr)


@asynccontextmanager
async def served(*, deaf: bool = False) -> AsyncIterator[DnsResolver]:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: NameServer(deaf=deaf), ("127.0.0.1", 0))
    try:
        yield DnsResolver(("127.0.0.1",), transport.get_extra_info("sockname")[1])
    finally:
        transport.close()


async def test_the_real_resolver_reads_what_a_name_server_says() -> None:
    async with served() as resolver:
        assert await resolver.texts(DOMAIN) == ["v=spf1 -all"]
        assert await resolver.mail_hosts(DOMAIN) == ["mx.example.co.jp"]
        assert await resolver.texts(f"_dmarc.{DOMAIN}") == []


async def test_a_name_server_that_is_away_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns, "LIFETIME_S", 0.2)
    async with served(deaf=True) as resolver:
        with pytest.raises(Unreachable):
            await resolver.texts(DOMAIN)
        answers = await dns.look_up(resolver, DOMAIN, ["s1"])
    assert (answers.texts, answers.mail_hosts, answers.keys["s1"]) == (None, None, None)


@given(
    st.lists(st.text(max_size=40) | st.sampled_from(["v=spf1", "v=DMARC1; p=", "p=", "v=DKIM1; p=;;=", "v=spf1 all"]))
)
def test_any_records_are_judged(records: list[str]) -> None:
    answers = Answers(records, records, {"s1": records}, {DOMAIN: records, "co.jp": None})
    checks = domain.judge(answers, domain.Facts(DOMAIN, f"a@{DOMAIN}", "https://t.example", ()))
    assert [each.name for each in checks] == ["mx", "spf", "dkim", "dmarc", "alignment", "one_click"]
    assert all(each.detail.endswith(".") or each.detail.endswith("`.") for each in checks)
