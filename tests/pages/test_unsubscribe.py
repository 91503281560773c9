"""The unsubscribe page: a GET shows, a POST acts, whoever sends it and however often."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kit.ids import new_id
from app.sequences import links
from app.sequences.links import Link
from tests.sequences.conftest import World, world

__all__ = ["world"]

FORMS: list[dict[str, Any]] = [
    {"data": {"List-Unsubscribe": "One-Click"}},
    {"files": {"List-Unsubscribe": (None, "One-Click")}},
    {},
    {"content": b"List-Unsubscribe=One-Click", "headers": {"User-Agent": ""}},
]


@pytest.fixture
async def sent(world: World) -> dict[str, Any]:
    """A mail that was sent."""
    sequence = await world.sequence()
    await world.enroll(sequence, await world.candidate(language="ja"))
    await world.send()
    found: dict[str, Any] = await world.message(sequence_id=sequence)
    return found


def path_of(world: World) -> str:
    """Return the path that stands in List-Unsubscribe of the last mail."""
    header = next(
        line for line in world.mailer.recorded[-1].data.split(b"\r\n") if line.startswith(b"List-Unsubscribe:")
    )
    return header.decode().partition("<https://talent.example.com")[2].partition(">")[0]


async def state(world: World, sent: dict[str, Any]) -> tuple[str, list[str]]:
    """Return what the gate says of the person, and their timeline."""
    question = {"candidate_id": sent["candidate_id"], "channel": "email", "purpose": "talent_pool"}
    decision = await world.post("/v1/contact-decisions", question, 200)
    timeline = (await world.get(f"/v1/touchpoints?candidate_id={sent['candidate_id']}"))["data"]
    return decision["decision"], [each["type"] for each in timeline]


@pytest.mark.parametrize("form", FORMS)
async def test_one_click_acts_in_every_form_and_twice(
    world: World, sent: dict[str, Any], client_of: Callable[[str], httpx.AsyncClient], form: dict[str, Any]
) -> None:
    outside, path = client_of(""), path_of(world)
    for _ in range(2):
        answer = await outside.post(path, **form)
        assert answer.status_code == 200
        assert "配信を停止しました" in answer.text
        assert "Set-Cookie" not in answer.headers
    assert await state(world, sent) == ("deny", ["email_unsubscribed", "email_sent"])
    reasons = {
        each["code"]
        for each in (
            await world.post(
                "/v1/contact-decisions",
                {"candidate_id": sent["candidate_id"], "channel": "email", "purpose": "newsletter"},
                200,
            )
        )["reasons"]
    }
    assert "unsubscribed" in reasons
    again = await world.sequence()
    await world.enroll(again, sent["candidate_id"])
    assert await world.send() == 1
    assert (await world.message(sequence_id=again))["state"] == "cancelled"


async def test_get_and_head_change_nothing(
    world: World, sent: dict[str, Any], client_of: Callable[[str], httpx.AsyncClient]
) -> None:
    outside, path = client_of(""), path_of(world)
    before = await world.get("/v1/changes")
    page = await outside.get(f"{path}?utm_source=x", headers={"User-Agent": "scanner"})
    head = await outside.head(path)
    assert (page.status_code, head.status_code, head.content) == (200, 200, b"")
    assert 'lang="ja"' in page.text
    assert '<form method="post">' in page.text
    assert "<script" not in page.text
    assert "株式会社例" in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert await state(world, sent) == ("allow", ["email_sent"])
    assert await world.get("/v1/changes") == before


async def test_the_page_speaks_the_candidates_language(
    world: World, client_of: Callable[[str], httpx.AsyncClient]
) -> None:
    sequence = await world.sequence()
    await world.enroll(sequence, await world.candidate(language="en-GB"))
    await world.send()
    page = await client_of("").get(path_of(world))
    assert 'lang="en"' in page.text
    assert "Unsubscribe" in page.text


async def test_a_forged_link_is_not_found(
    sent: dict[str, Any], world: World, client_of: Callable[[str], httpx.AsyncClient]
) -> None:
    outside, path = client_of(""), path_of(world)
    forged = path[:-1] + ("A" if path[-1] != "A" else "B")
    for method in ("GET", "HEAD", "POST"):
        for bad in (forged, "/u/x", "/u/preview"):
            assert (await outside.request(method, bad)).status_code == 404
    assert await state(world, sent) == ("allow", ["email_sent"])


async def test_a_link_outlives_its_message(world: World, client_of: Callable[[str], httpx.AsyncClient]) -> None:
    token = links.token(Link(new_id(), new_id()))
    known = await world.candidate()
    assert known
    outside = client_of("")
    assert token
    tenant = (await world.get("/v1/me"))["tenant_id"]
    gone = links.token(Link(type(new_id())(tenant), new_id()))
    assert (await outside.post(f"/u/{gone}")).status_code == 200


@given(st.uuids(), st.uuids(), st.integers(0, 63), st.sampled_from("AZaz09-_"))
def test_a_token_is_read_back_and_no_altered_one_is(tenant: Any, message: Any, place: int, other: str) -> None:
    link = Link(tenant, message)
    token = links.token(link)
    assert links.read(token) == link
    altered = token[:place] + other + token[place + 1 :]
    assert altered == token or links.read(altered) is None
    assert len(token) == 64


@given(st.text())
def test_anything_else_is_no_token(text: str) -> None:
    assert links.read(text) is None
