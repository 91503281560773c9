"""What a link leads to says what the person was interested in."""

from typing import Any

import httpx
import pytest

from app.contents.address import bare

CONTENT: dict[str, Any] = {
    "key": "aws",
    "kind": "article",
    "title": "AWS",
    "url": "https://example.com/read?id=3",
    "topics": ["クラウド", "AWS"],
}


async def topics_of(api: httpx.AsyncClient, type_: str, url: object, topics: list[str]) -> list[str]:
    body = {
        "email": "hanako@example.com",
        "type": type_,
        "occurred_at": "2026-11-01T00:00:00Z",
        "source": "s",
        "topics": topics,
        "data": {"url": url},
    }
    answer = await api.post("/v1/touchpoints", json=body)
    assert answer.status_code == 201, answer.text
    found: list[str] = answer.json()["topics"]
    return found


async def test_a_click_on_the_link_of_a_content_carries_its_topics(api: httpx.AsyncClient) -> None:
    assert (await api.post("/v1/contents", json=CONTENT)).status_code == 201
    campaign = "https://example.com/read?id=3&utm_source=mail#top"
    assert await topics_of(api, "email_clicked", CONTENT["url"], ["AWS", "x"]) == ["AWS", "x", "クラウド"]
    assert await topics_of(api, "page_viewed", campaign, []) == ["クラウド", "AWS"]
    assert await topics_of(api, "email_clicked", "https://example.com/read?id=4", ["x"]) == ["x"]
    assert await topics_of(api, "email_clicked", 7, ["x"]) == ["x"]
    assert await topics_of(api, "email_replied", CONTENT["url"], ["x"]) == ["x"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.jp/x?utm_source=m&b=1&utm_id=2#f", "https://a.jp/x?b=1"),
        ("https://a.jp/x", "https://a.jp/x"),
        ("http://[broken", "http://[broken"),
        ("", ""),
    ],
)
def test_marks_of_a_campaign_are_no_part_of_an_address(url: str, expected: str) -> None:
    assert bare(url) == expected
