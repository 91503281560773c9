"""What a person does with a link: a browser without scripts, and the mail with their code."""

import re
from collections.abc import Callable
from email.header import decode_header, make_header
from html import unescape
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pytest

from app.pages.letters import Letters
from app.sequences.mailer import Envelope
from tests.sequences.conftest import World, world

__all__ = ["world"]

_HIDDEN: Final = re.compile(r'name="pass" value="([^"]+)"')
_CHECKED: Final = re.compile(r'name="keep" value="([^"]+)" checked')


class Person:
    """Somebody with a link to a page of their own."""

    def __init__(self, world: World, outside: httpx.AsyncClient, candidate: str) -> None:
        self.world, self.outside, self.id = world, outside, candidate
        self.path = ""
        self.page = ""

    async def link(self, kind: str) -> str:
        """Have a link made; return its path."""
        made = await self.world.post(f"/v1/candidates/{self.id}/page-links", {"kind": kind}, 201)
        self.path = urlsplit(made["url"]).path
        return self.path

    async def look(self, status: int = 200, language: str = "") -> str:
        answer = await self.outside.get(self.path, headers={"Accept-Language": language})
        assert answer.status_code == status, answer.text
        self.page = unescape(answer.text)
        return self.page

    async def press(self, action: str, status: int = 200, **fields: Any) -> httpx.Response:
        """Press a button of the page that is open, with its hidden pass."""
        earned = _HIDDEN.search(self.page)
        form = {"action": action, **({"pass": earned[1]} if earned else {}), **fields}
        answer = await self.outside.post(self.path, data=form)
        assert answer.status_code == status, answer.text
        if answer.headers["Content-Type"].startswith("text/html"):
            self.page = unescape(answer.text)
        return answer

    async def mails(self) -> list[Envelope]:
        """Let the worker mail what is asked for; return everything that was mailed."""
        await Letters(self.world.database, self.world.mailer).once()
        return list(self.world.mailer.recorded)

    async def code(self) -> str:
        """Ask for a code, and read it from the mail."""
        await self.press("code")
        subject = re.search(rb"Subject: (.*)\r\n", (await self.mails())[-1].data)
        assert subject is not None
        return re.sub(r"\D", "", _decoded(subject[1]))[-6:]

    async def enter(self, kind: str) -> str:
        """Come in with a code."""
        await self.link(kind)
        await self.look()
        await self.press("open", code=await self.code())
        return self.page

    def checked(self) -> set[str]:
        """Return which topics are ticked on the page that is open."""
        return set(_CHECKED.findall(self.page))


def _decoded(header: bytes) -> str:
    return str(make_header(decode_header(header.decode())))


@pytest.fixture
async def person(world: World, client_of: Callable[[str], httpx.AsyncClient]) -> Person:
    """Somebody who may be written to about jobs of the talent pool."""
    fields: dict[str, Any] = {
        "full_name_kana": "ヤマダ タロウ",
        "current_company": "株式会社山",
        "interests": ["Python"],
        "language": "ja",
    }
    return Person(world, client_of(""), await world.candidate(**fields))
