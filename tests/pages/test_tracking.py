"""Links and pictures of mails: told only where the tenant wants it, followed only to where the mail led, judged."""

import re
from collections.abc import Callable
from email import message_from_bytes
from email.policy import default
from html import unescape
from typing import Any, Final

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kit.ids import new_id
from app.sequences import links, tracking
from app.sequences.links import Click, Link
from tests.scale import scaled
from tests.sequences.conftest import World, world

__all__ = ["world"]

pytestmark = pytest.mark.more
SCANS: Final = scaled(200, 5_000)
BROWSER: Final = {"User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126 Safari/537.36"}
TARGET: Final = "https://example.co.jp/jobs?a=1&b=二"
BODY: Final = (
    '<html><body><p>{{ candidate.full_name }}</p><a href="https://example.co.jp/jobs?a=1&amp;b=二">jobs</a>'
    '<a href="mailto:x@example.com">mail</a><a href="{{ unsubscribe_url }}">stop</a>{{ legal_footer }}</body></html>'
)
PARTS: Final = (
    '<a href="https://a.example/1">',
    "<a class=x href='http://b.example/'>",
    '<a href="javascript:alert(1)">',
    '<a href="https://t.example/u/1">',
    '<A HREF="https://a.example/1">',
    "</a>",
    "</body>",
    "x",
)
LINK: Final = Link(new_id(), new_id())


async def sent(world: World, **tracked: bool) -> tuple[Any, str]:
    """Send a mail; return its message and its HTML."""
    assert (await world.api.patch("/v1/tenant", json={"tracking": tracked})).status_code == 200
    template = await world.template(body=BODY)
    sequence = await world.sequence({"key": "first", "type": "send", "template_id": template})
    await world.enroll(sequence, await world.candidate())
    assert await world.send() == 1
    mail = message_from_bytes(world.mailer.recorded[-1].data, policy=default)
    body = mail.get_body(("html",))
    assert body is not None
    return await world.message(sequence_id=sequence), str(body.get_content())


def paths(page: str, kind: str) -> list[str]:
    return re.findall(rf'https://talent\.example\.com(/{kind}/[^"]+)"', unescape(page))


async def timeline(world: World, message: Any) -> list[Any]:
    listed: list[Any] = (await world.get(f"/v1/touchpoints?candidate_id={message['candidate_id']}"))["data"]
    return [each for each in listed if each["type"] != "email_sent"]


async def test_without_tracking_links_are_as_they_were_written(world: World) -> None:
    _, page = await sent(world)
    assert TARGET in unescape(page)
    assert paths(page, "r") == paths(page, "o") == []


async def test_a_click_leads_where_the_mail_said_and_is_told(
    world: World, client_of: Callable[[str], httpx.AsyncClient]
) -> None:
    message, page = await sent(world, links=True)
    [path] = paths(page, "r")
    assert paths(page, "o") == []
    assert "mailto:x@example.com" in page
    assert len(paths(page, "u")) == 2
    outside = client_of("")
    head = await outside.head(path, headers=BROWSER)
    assert (head.status_code, head.headers["Location"]) == (302, "https://example.co.jp/jobs?a=1&b=%E4%BA%8C")
    assert await timeline(world, message) == []
    clicked = await outside.get(path, headers=BROWSER)
    assert (clicked.status_code, clicked.headers["Location"]) == (302, head.headers["Location"])
    assert "no-store" in clicked.headers["Cache-Control"]
    await outside.get(path, headers={"User-Agent": ""})
    machine, human = await timeline(world, message)
    assert (human["type"], human["actor"], machine["actor"]) == ("email_clicked", "human", "machine")
    assert human["data"] == {"message_id": message["message_id_header"], "url": TARGET}


async def test_a_fetched_picture_is_told(world: World, client_of: Callable[[str], httpx.AsyncClient]) -> None:
    message, page = await sent(world, opens=True)
    [path] = paths(page, "o")
    assert TARGET in unescape(page)
    assert page.index(path) < page.index("</body>")
    outside = client_of("")
    assert (await outside.head(path)).status_code == 200
    picture = await outside.get(path, headers={"User-Agent": "Mozilla/5.0 (compatible; GoogleImageProxy)"})
    assert (picture.status_code, picture.headers["Content-Type"], picture.content[:6]) == (200, "image/gif", b"GIF89a")
    [opened] = await timeline(world, message)
    assert (opened["type"], opened["data"]) == ("email_opened", {"message_id": message["message_id_header"]})
    assert opened["actor"] != "human"


async def test_forged_links_lead_nowhere(world: World, client_of: Callable[[str], httpx.AsyncClient]) -> None:
    message, page = await sent(world, opens=True, links=True)
    outside = client_of("")
    [click], [picture] = paths(page, "r"), paths(page, "o")
    click_token, open_token = click[3:], picture[3:-4]
    unknown = links.click_token(Click(links.read_click(click_token).link, 7))  # type: ignore[union-attr] # it is ours
    forged = [
        f"/r/{click_token[:-1]}{'A' if click_token[-1] != 'A' else 'B'}",
        f"/r/{open_token}",
        f"/r/{unknown}",
        f"/o/{click_token}.gif",
        f"/u/{open_token}",
        "/r/https://evil.example",
        "/r/x?url=https://evil.example",
        "/o/x.gif",
    ]
    for path in forged:
        for method in ("GET", "HEAD"):
            answer = await outside.request(method, path)
            assert answer.status_code == 404, path
            assert "Location" not in answer.headers
    assert await timeline(world, message) == []


async def test_an_erased_persons_links_lead_nowhere_and_their_way_out_stays(
    world: World, client_of: Callable[[str], httpx.AsyncClient]
) -> None:
    message, page = await sent(world, opens=True, links=True)
    await world.post(f"/v1/candidates/{message['candidate_id']}/erase", {}, 200)
    outside = client_of("")
    [click], [picture], [stop, *_] = paths(page, "r"), paths(page, "o"), paths(page, "u")
    assert (await outside.get(click)).status_code == 404
    assert (await outside.get(picture)).status_code == 200
    for _ in range(2):
        assert (await outside.post(stop)).status_code == 200
    assert (await outside.get(stop)).status_code == 200


async def test_scanners_change_nothing(world: World, client_of: Callable[[str], httpx.AsyncClient]) -> None:
    message, page = await sent(world, opens=True, links=True)
    person = message["candidate_id"]
    own = (await world.post(f"/v1/candidates/{person}/page-links", {"kind": "privacy"}, 201))["url"]
    await world.drain()
    since = (await world.get("/v1/changes?since=now"))["next_cursor"]
    read = [f"/v1/candidates/{person}", f"/v1/candidates/{person}/consents", "/v1/suppressions",
            f"/v1/enrollments/{message['enrollment_id']}"]  # fmt: skip
    before = [await world.get(path) for path in read]
    outside = client_of("")
    targets = [*paths(page, "u"), *paths(page, "r"), *paths(page, "o"), own.removeprefix("https://talent.example.com")]
    for scan in range(SCANS):
        method = ("GET", "HEAD")[scan % 2]
        agent = ("", "Mozilla/5.0", "Barracuda Sentinel", "curl/8")[scan // 2 % 4]
        answer = await outside.request(method, targets[scan % len(targets)], headers={"User-Agent": agent})
        assert answer.status_code in {200, 302}
    await world.drain()
    assert [await world.get(path) for path in read] == before
    changed = {each["type"] for each in (await world.get(f"/v1/changes?since={since}"))["data"]}
    assert changed <= {"touchpoint.created", "touchpoint.updated"}
    assert {each["actor"] for each in await timeline(world, message)} <= {"machine", "unknown"}


@pytest.mark.parametrize(
    "form", [{"data": {"List-Unsubscribe": "One-Click"}}, {"files": {"List-Unsubscribe": (None, "One-Click")}}]
)
async def test_by_topic_only_what_was_chosen_stays(
    world: World, client_of: Callable[[str], httpx.AsyncClient], form: dict[str, Any]
) -> None:
    message, page = await sent(world)
    [stop, *_] = paths(page, "u")
    outside = client_of("")
    shown = (await outside.get(stop)).text
    assert 'value="talent_pool" checked' in shown
    chosen = await outside.post(stop, data={"action": "choose", "keep": ["events"]})
    assert "イベントのご案内" in chosen.text
    question = {"candidate_id": message["candidate_id"], "channel": "email", "purpose": "events"}
    assert (await world.post("/v1/contact-decisions", question, 200))["decision"] == "allow"
    assert (await outside.post(stop, **form)).status_code == 200
    assert (await world.post("/v1/contact-decisions", question, 200))["decision"] == "deny"


@given(st.lists(st.sampled_from(PARTS)))
def test_only_web_addresses_of_others_are_led_and_each_once(parts: list[str]) -> None:
    page = "".join(parts)
    led, urls = tracking.tracked(page, LINK, "https://t.example", opens=True, clicks=True)
    assert len(urls) == len(set(urls))
    assert set(urls) <= {"https://a.example/1", "http://b.example/"}
    assert led.count("/o/") == 1
    for n, url in enumerate(urls):
        token = links.click_token(Click(LINK, n))
        assert f'"https://t.example/r/{token}"' in led
        assert f'"{url}"' not in led


@given(st.uuids(), st.uuids(), st.integers(0, links.MOST_LINKS), st.integers(0, 66), st.sampled_from("AZaz09-_"))
def test_a_click_is_read_back_and_no_altered_one_is(tenant: Any, message: Any, n: int, place: int, other: str) -> None:
    click = Click(Link(tenant, message), n)
    token = links.click_token(click)
    assert links.read_click(token) == click
    altered = token[:place] + other + token[place + 1 :]
    assert altered == token or links.read_click(altered) is None
    assert links.read(token) is links.read_open(token) is None
