"""Links and a picture in a mail by which it is known that somebody looked, where the tenant wants to know.

A link leads to an address of ours that names a stored URL and never carries it. What a mail has to hold by law (the way
to unsubscribe) is never led through it, nor what is no web address.
"""

import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.kit.db import Session
from app.sequences import links
from app.sequences.links import Click, Link

_ANCHOR: Final = re.compile(r"""(<a\b[^>]*?\bhref=)(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_BODY_END: Final = re.compile(r"</body\s*>", re.IGNORECASE)
_WEB: Final = re.compile(r"https?://[^\s\x00-\x1f\x7f]+", re.IGNORECASE)
_LONGEST: Final = 8192


@dataclass(frozen=True, slots=True)
class Tracker:
    """What of one mail is to be known: whether it was opened, which links were followed."""

    link: Link
    base_url: str
    opens: bool
    clicks: bool

    def track(self, page: str) -> tuple[str, Sequence[str]]:
        """Return a mail's HTML with links and a picture led through us, and the URLs of those links by their number."""
        if not (self.opens or self.clicks):
            return page, ()
        return tracked(page, self.link, self.base_url, opens=self.opens, clicks=self.clicks)


def tracked(page: str, link: Link, base_url: str, *, opens: bool, clicks: bool) -> tuple[str, Sequence[str]]:
    """Do as `Tracker.track` says."""
    urls: dict[str, int] = {}

    def number(url: str) -> str | None:
        if not _WEB.fullmatch(url) or len(url) > _LONGEST or url.startswith(f"{base_url}/"):
            return None
        if url not in urls and len(urls) > links.MOST_LINKS:
            return None
        n = urls.setdefault(url, len(urls))
        return f"{base_url}/r/{links.click_token(Click(link, n))}"

    led = _led(page, number) if clicks else page
    return (_pictured(led, f"{base_url}/o/{links.open_token(link)}.gif") if opens else led), list(urls)


def _led(page: str, number: Callable[[str], str | None]) -> str:
    def replace(found: re.Match[str]) -> str:
        led = number(html.unescape(found[2] if found[2] is not None else found[3]).strip())
        return found[0] if led is None else f'{found[1]}"{led}"'

    return _ANCHOR.sub(replace, page)


def _pictured(page: str, url: str) -> str:
    picture = f'<img src="{url}" width="1" height="1" alt="" style="display:block;width:1px;height:1px;border:0">'
    ends = list(_BODY_END.finditer(page))
    place = ends[-1].start() if ends else len(page)
    return page[:place] + picture + page[place:]


async def keep(session: Session, urls: Mapping[UUID, Sequence[str]]) -> None:
    """Store where the links of messages lead, anew for each attempt."""
    rows = [(message, n, url) for message, each in urls.items() for n, url in enumerate(each)]
    if not rows:
        return
    messages, numbers, leads = map(list, zip(*rows, strict=True))
    await session.run(
        """insert into message_links (message_id, n, url)
           select * from unnest(cast(:messages as uuid[]), cast(:numbers as bigint[]), cast(:urls as text[]))
           on conflict (tenant_id, message_id, n) do update set url = excluded.url""",
        messages=messages,
        numbers=numbers,
        urls=leads,
    )


async def forget(session: Session, candidate_id: UUID) -> None:
    """Forget where links in a person's mails led."""
    await session.run(
        "delete from message_links where message_id in (select id from messages where candidate_id = :candidate_id)",
        candidate_id=candidate_id,
    )
