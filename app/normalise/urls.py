"""Profile URLs: whose page it is, in one spelling."""

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qs, unquote, urlsplit

from app.normalise.text import clean

_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_MIRROR = re.compile(r"^(?:www|m|mobile|[a-z]{2}(?:-[a-z]{2})?)\.")
_MAX_URL = 2_048


@dataclass(frozen=True, slots=True)
class ProfileUrl:
    """`type` as in a candidate's links; `key` is equal for every spelling of the address of one profile."""

    type: str
    key: str


@dataclass(frozen=True, slots=True)
class _Site:
    type: str
    host: str
    path: re.Pattern[str]


_ONE = "(?P<id>[^/]+)"
_SITES = {
    host: _Site(kind, canonical, re.compile(path))
    for kind, canonical, path, hosts in (
        ("linkedin", "linkedin.com/in", f"(?:in|pub)/{_ONE}(?:/.*)?", "linkedin.com"),
        ("github", "github.com", _ONE, "github.com"),
        ("gitlab", "gitlab.com", _ONE, "gitlab.com"),
        ("facebook", "facebook.com", rf"(?:people/[^/]+/(?P<number>\d+)|{_ONE})", "facebook.com fb.com"),
        ("x", "x.com", _ONE, "x.com twitter.com"),
        ("instagram", "instagram.com", _ONE, "instagram.com"),
        ("wantedly", "wantedly.com", "(?P<id>(?:id|users)/[^/]+)", "wantedly.com"),
        ("qiita", "qiita.com", _ONE, "qiita.com"),
        ("zenn", "zenn.dev", _ONE, "zenn.dev"),
        ("note", "note.com", _ONE, "note.com"),
        ("medium", "medium.com", "(?P<id>@[^/]+)", "medium.com"),
        ("youtrust", "youtrust.jp/users", f"users/{_ONE}", "youtrust.jp"),
        ("lapras", "lapras.com/public", f"public/{_ONE}", "lapras.com"),
        ("connpass", "connpass.com/user", f"user/{_ONE}(?:/.*)?", "connpass.com"),
        ("speakerdeck", "speakerdeck.com", _ONE, "speakerdeck.com"),
        ("kaggle", "kaggle.com", _ONE, "kaggle.com"),
        ("atcoder", "atcoder.jp/users", f"users/{_ONE}", "atcoder.jp"),
        ("stackoverflow", "stackoverflow.com/users", r"users/(?P<id>\d+)(?:/[^/]*)?", "stackoverflow.com"),
        ("orcid", "orcid.org", r"(?P<id>(?:\d{4}-){3}\d{3}[\dx])", "orcid.org"),
        ("researchmap", "researchmap.jp", _ONE, "researchmap.jp"),
        ("xing", "xing.com/profile", f"profile/{_ONE}", "xing.com"),
    )
    for host in hosts.split()
}
# First path words of these sites that are pages of the site, not of a person.
_SITE_PAGES = """
about account api blog careers company contact events explore features feed groups hashtag help home i intent jobs
join legal login logout marketplace messages new notifications organizations orgs pages people posts pricing privacy
profile.php public search security settings share sharer.php signup tags terms topics users watch
"""
_NOT_PEOPLE = frozenset(_SITE_PAGES.split())


@lru_cache(maxsize=4_096)
def parse_profile_url(raw: str) -> ProfileUrl | None:
    """Read the type and key of a personal profile's address; None for websites, companies' pages and posts.

    Scheme, `www.`, country and mobile hosts, query, fragment and final slash are ignored.
    """
    text = clean(raw)
    if not text or len(text) > _MAX_URL or " " in text:
        return None
    try:
        parts = urlsplit(text if _SCHEME.match(text) else f"https://{text}")
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return None
    site = _site(host)
    if site is None or parts.scheme not in ("http", "https"):
        return None
    name = _profile_name(site, clean(unquote(parts.path)).lower().strip("/"), parts.query)
    return ProfileUrl(site.type, f"{site.host}/{name}") if name else None


def _site(host: str) -> _Site | None:
    return _SITES.get(_MIRROR.sub("", host.lower()))


def _profile_name(site: _Site, path: str, query: str) -> str | None:
    if site.type == "facebook" and path == "profile.php":
        number = parse_qs(query).get("id", [""])[0]
        return number if number.isdecimal() else None
    found = site.path.fullmatch(path)
    if found is None:
        return None
    groups = found.groupdict()
    name = groups.get("number") or groups["id"]
    return None if name in _NOT_PEOPLE else name if site.type == "medium" else name.removeprefix("@")
