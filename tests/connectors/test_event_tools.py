"""Zoom, Calendly, Luma, Eventbrite and connpass, each as pure functions: held to captures, vectors and any bytes."""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.connectors import calendly, connpass, eventbrite, luma, zoom
from app.connectors.reading import ID_MAX
from app.connectors.signals import Parsed, Request, Verdict
from app.kit import json
from tests.connectors.golden import FIXTURES, captures, expected, meaning
from tests.scale import scaled

EXAMPLES = scaled(100, 2_000)
SETTINGS = {"topics": ["search"]}
NOW = datetime(2026, 6, 1, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
VECTORS: list[dict[str, Any]] = json.loads((FIXTURES / "zoom" / "signature_vectors.json").read_bytes())
SECRETS = {"zoom": "4fv1RkqGQUq5sWbEz6hA5A", "calendly": "signing-key", "luma": "whsec_bHVtYS1zZWNyZXQ="}
HOOKS: dict[str, ModuleType] = {"zoom": zoom, "calendly": calendly, "luma": luma}
ASKED = {connpass.NICKNAME_HEADER: "hanako_s", connpass.ASKED_AT_HEADER: "2026-06-01T00:00:00Z"}


def mac(key: str | bytes, message: bytes) -> str:
    return hmac.new(key.encode() if isinstance(key, str) else key, message, hashlib.sha256).hexdigest()


def headers_of(provider: str, raw: bytes, stamp: str = STAMP) -> dict[str, str]:
    key = SECRETS[provider]
    if provider == "zoom":
        signature = f"v0={mac(key, f'v0:{stamp}:'.encode() + raw)}"
        return {zoom.SIGNATURE_HEADER: signature, zoom.TIMESTAMP_HEADER: stamp}
    return {HOOKS[provider].SIGNATURE_HEADER: f"t={stamp},v1={mac(key, f'{stamp}.'.encode() + raw)}"}


def verdict(provider: str, raw: bytes, headers: dict[str, str], *secrets: str, at: datetime = NOW) -> Verdict:
    request = Request("POST", "https://talent.example.com/v1/hooks/1", headers, raw)
    found: Verdict = HOOKS[provider].verify(request, secrets or (SECRETS[provider],), at, {}, {})
    return found


@pytest.mark.parametrize("provider", HOOKS)
@pytest.mark.parametrize("position", range(9))
def test_captures_mean_what_the_golden_file_states(provider: str, position: int) -> None:
    for path in captures(provider)[position::9]:
        assert meaning(HOOKS[provider].parse({}, path.read_bytes(), SETTINGS)) == expected(provider)[path.name]


@pytest.mark.parametrize("path", captures("eventbrite"), ids=lambda path: path.stem)
def test_objects_of_eventbrite_mean_what_the_golden_file_states(path: Path) -> None:
    capture = json.loads(path.read_bytes())
    notification, found = json.dumpb(capture["notification"]), json.dumpb(capture["object"])
    assert meaning(eventbrite.read(notification, found, SETTINGS)) == expected("eventbrite")[path.name]
    asked = eventbrite.parse({}, notification, {}).fetch
    assert asked
    assert asked.startswith(("/v3/events/77/attendees/501/?expand=", "/v3/orders/9/?expand="))


@pytest.mark.parametrize("path", captures("connpass"), ids=lambda path: path.stem)
def test_pages_of_connpass_mean_what_the_golden_file_states(path: Path) -> None:
    assert meaning(connpass.parse(ASKED, path.read_bytes(), SETTINGS)) == expected("connpass")[path.name]


@pytest.mark.parametrize("provider", [*HOOKS, "eventbrite", "connpass"])
def test_every_capture_has_its_meaning(provider: str) -> None:
    assert {path.name for path in captures(provider)} == set(expected(provider))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_zooms_own_vectors_verify_and_no_changed_one_does(vector: dict[str, Any]) -> None:
    raw, secret, stamp = vector["raw_body"].encode(), vector["secret_token"], vector["timestamp"]
    at = datetime.fromtimestamp(int(stamp), UTC)
    good = {zoom.SIGNATURE_HEADER: vector["signature"], zoom.TIMESTAMP_HEADER: stamp}
    assert verdict("zoom", raw, good, secret, at=at).ok is vector["valid"]
    assert verdict("zoom", raw, good, "another", secret, at=at).ok
    digest = vector["signature"].removeprefix("v0=")
    for signature in (f"v0={digest.upper()}", digest, f"v1={digest}", "v0=", "", "v0=invalid", f"v0={digest[:-1]}é"):
        assert not verdict("zoom", raw, good | {zoom.SIGNATURE_HEADER: signature}, secret, at=at).ok
    assert not verdict("zoom", raw + b" ", good, secret, at=at).ok
    assert not verdict("zoom", raw, good, "wrongSecretToken", at=at).ok
    assert not verdict("zoom", raw, good, secret, at=at + timedelta(minutes=6)).ok
    for other in ("9999999999", "99999999999999999999", "0", "", "x"):
        assert not verdict("zoom", raw, good | {zoom.TIMESTAMP_HEADER: other}, secret, at=at).ok


def test_zoom_gets_the_token_that_it_asks_for_and_200_for_all_else() -> None:
    raw = (FIXTURES / "zoom" / "endpoint.url_validation.json").read_bytes()
    plain = "qgg8vlvZRS6UYooatFL8Aw"
    answer = verdict("zoom", raw, headers_of("zoom", raw)).answer
    assert answer
    assert answer.status == 200
    assert json.loads(answer.body) == {"plainToken": plain, "encryptedToken": mac(SECRETS["zoom"], plain.encode())}
    other = b'{"event": "webinar.started"}'
    usual = verdict("zoom", other, headers_of("zoom", other)).answer
    assert usual
    assert (usual.status, usual.body) == (200, b"")


@pytest.mark.parametrize("provider", HOOKS)
def test_only_the_signed_bytes_at_the_signed_time_are_believed(provider: str) -> None:
    raw = '{"a": "髙﨑 ’"}\r\n'.encode()
    good = headers_of(provider, raw)
    assert verdict(provider, raw, good).ok
    assert verdict(provider, raw, good, "the-new-one", SECRETS[provider]).ok
    assert verdict(provider, raw, {}).reason == "missing_signature"
    assert verdict(provider, raw.strip(), good).reason == "bad_signature"
    assert verdict(provider, raw, good, "the-new-one").reason == "bad_signature"
    name = HOOKS[provider].SIGNATURE_HEADER
    assert not verdict(provider, raw, good | {name: good[name][:-1]}).ok
    assert not verdict(provider, raw, good | {name: good[name][:-8] + good[name][-8:].upper() + "A"}).ok
    assert not verdict(provider, raw, good | {name: "t=1,v1=é"}).ok
    for minutes, ok in ((4, True), (-4, True), (6, False), (-6, False)):
        assert verdict(provider, raw, good, at=NOW + timedelta(minutes=minutes)).ok is ok


def test_a_header_may_hold_several_signatures_but_not_any_number() -> None:
    raw = b"{}"
    good = headers_of("luma", raw)[luma.SIGNATURE_HEADER]
    stamp, _, signature = good.partition(",")
    assert verdict("luma", raw, {luma.SIGNATURE_HEADER: f"{stamp}, v0=old, v1={'0' * 64}, {signature}"}).ok
    many = ",".join([stamp, *["v1=0"] * 10, signature])
    assert not verdict("luma", raw, {luma.SIGNATURE_HEADER: many}).ok


def test_lumas_key_is_its_text_or_the_bytes_that_it_spells() -> None:
    raw = b"{}"
    signed = f"t={STAMP},v1={mac(b'luma-secret', f'{STAMP}.'.encode() + raw)}"
    assert SECRETS["luma"] == f"whsec_{b64encode(b'luma-secret').decode()}"
    assert verdict("luma", raw, {luma.SIGNATURE_HEADER: signed}).ok
    digest = hmac.digest(b"luma-secret", f"msg_1.{STAMP}.".encode() + raw, hashlib.sha256)
    standard = {
        "webhook-id": "msg_1",
        "webhook-timestamp": STAMP,
        luma.SIGNATURE_HEADER: f"v1,{b64encode(digest).decode()}",
    }
    assert verdict("luma", raw, standard) == Verdict(ok=True, call_id="msg_1")
    assert not verdict("luma", raw, standard | {"webhook-id": "msg_2"}).ok
    assert not luma.accepts_secret("luma-secret")
    assert not luma.accepts_secret("whsec_")


@pytest.mark.parametrize(
    "address",
    [
        "http://www.eventbriteapi.com/v3/orders/1/",
        "https://www.eventbriteapi.com.evil.example/v3/orders/1/",
        "https://evil.example/v3/orders/1/",
        "https://www.eventbriteapi.com@evil.example/v3/orders/1/",
        "https://user@www.eventbriteapi.com/v3/orders/1/",
        "https://www.eventbriteapi.com:8443/v3/orders/1/",
        "https://www.eventbriteapi.com/v3/../admin/1/",
        "https://www.eventbriteapi.com/v3/orders/..%2f1/",
        "https://www.eventbriteapi.com/v3/orders/1\\@evil.example/",
        "https://www.eventbriteapi.com/{api-endpoint-to-fetch-object-details}/",
        "https://[::1/v3/orders/1/",
        "file:///etc/passwd",
        "",
        None,
        7,
        ["https://www.eventbriteapi.com/v3/orders/1/"],
    ],
)
def test_nothing_but_an_object_at_eventbrites_own_host_is_asked_for(address: Any) -> None:
    notification = json.dumpb({"api_url": address, "config": {"action": "order.placed"}})
    assert meaning(eventbrite.parse({}, notification, {})) == {"unreadable": 1}


def test_eventbrites_test_and_other_actions_are_ignored() -> None:
    for action in ("test", "order.refunded", "invented.later"):
        told = {"api_url": "https://www.eventbriteapi.com/{x}/", "config": {"action": action}}
        assert meaning(eventbrite.parse({}, json.dumpb(told), {})) == {"ignored": 1}


def test_pages_of_connpass_follow_until_the_last() -> None:
    page = {"results_returned": 100, "results_available": 230}
    assert [connpass.next_start(json.dumpb(page), start) for start in (1, 101, 201)] == [101, 201, None]
    assert connpass.next_start(b"{}", 1) is None
    assert connpass.next_start(json.dumpb(page | {"results_returned": 0}), 1) is None
    assert connpass.page_path("a/../b?c", 1) == "/users/a%2F..%2Fb%3Fc/attended_events/?count=100&start=1"


def test_a_connection_takes_only_events_of_its_groups() -> None:
    raw = captures("connpass")[0].read_bytes()
    assert len(connpass.parse(ASKED, raw, {"groups": ["mirai"]}).signals) == 2
    assert meaning(connpass.parse(ASKED, raw, {"groups": ["others"]})) == {"ignored": 4}


def test_answers_are_kept_as_far_as_there_is_room() -> None:
    told = json.loads((FIXTURES / "calendly" / "own__invitee.created_again.json").read_bytes())
    told["payload"]["questions_and_answers"] = [{"question": "問" * 500, "answer": "答" * 2_000}] * 40
    [signal] = calendly.parse({}, json.dumpb(told), {}).signals
    assert 0 < len(json.dumpb(signal.data["answers"])) < 8_200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
READERS: dict[str, Callable[[bytes], list[Parsed]]] = {
    "zoom": lambda raw: [zoom.parse({}, raw, SETTINGS)],
    "calendly": lambda raw: [calendly.parse({}, raw, SETTINGS)],
    "luma": lambda raw: [luma.parse({}, raw, SETTINGS)],
    "eventbrite": lambda raw: [eventbrite.parse({}, raw, {}), eventbrite.read(raw, raw, SETTINGS)],
    "connpass": lambda raw: [connpass.parse(ASKED, raw, SETTINGS)],
}


def changed(draw: st.DrawFn, value: Any) -> Any:
    """Return the value with some member, at any depth, replaced by any JSON or left out."""
    if not isinstance(value, dict | list) or not value or draw(st.integers(0, 3)) == 0:
        return draw(JSON)
    place = draw(st.sampled_from(sorted(value) if isinstance(value, dict) else range(len(value))))
    if isinstance(value, dict) and draw(st.integers(0, 9)) == 0:
        return {name: item for name, item in value.items() if name != place}
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[place] = changed(draw, value[place])
    return copy


@st.composite
def broken(draw: st.DrawFn, provider: str) -> bytes:
    capture = json.loads(draw(st.sampled_from(captures(provider))).read_bytes())
    if provider == "eventbrite":
        capture = capture[draw(st.sampled_from(["notification", "object"]))]
    for _ in range(draw(st.integers(1, 3))):
        capture = changed(draw, capture)
    return json.dumpb(capture)


@pytest.mark.parametrize("provider", READERS)
@pytest.mark.more
@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_no_bytes_make_a_reader_fail_or_tell_what_cannot_be_stored(provider: str, data: st.DataObject) -> None:
    raw = data.draw(st.binary(max_size=200) | JSON.map(json.dumpb) | broken(provider))
    for parsed in READERS[provider](raw):
        for signal in parsed.signals:
            assert signal.occurred_at.tzinfo is not None
            assert 0 < len(signal.external_id) <= ID_MAX
            assert b"\\u0000" not in json.dumpb([signal.external_id, signal.email, signal.phone, signal.topics])


@pytest.mark.more
@settings(max_examples=EXAMPLES, deadline=None)
@given(raw=st.binary(max_size=200) | JSON.map(json.dumpb) | broken("connpass"), start=st.integers(1, 10_000))
def test_a_poll_goes_on_forwards_or_not_at_all(raw: bytes, start: int) -> None:
    following = connpass.next_start(raw, start)
    assert following is None or following > start


@pytest.mark.parametrize("provider", HOOKS)
@pytest.mark.more
@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data(), raw=st.binary(max_size=100))
def test_no_header_makes_a_signature_fail_or_pass(provider: str, data: st.DataObject, raw: bytes) -> None:
    known = headers_of(provider, raw)
    assert verdict(provider, raw, known).ok
    latin = st.text(st.characters(max_codepoint=255), max_size=90) | st.just(f"t={STAMP},v1=" + "0" * 64)
    forged = {name: data.draw(latin) for name in known}
    assert not verdict(provider, raw, forged).ok
