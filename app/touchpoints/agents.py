"""What kind of program a user agent names, and what kind of network an address belongs to.

Only these classes are kept; the user agent and the address themselves are dropped after the judgement. A list of
names is a weak sign: it misses every scanner that calls itself a browser.
"""

import re
from functools import lru_cache
from ipaddress import ip_address
from typing import Final, Literal

AgentClass = Literal["browser", "mail_program", "scanner", "bare_mozilla", "image_proxy", "other", "empty", "none"]
AddressClass = Literal["public", "private", "none"]
MethodClass = Literal["head", "other", "none"]

_NAMED: Final[tuple[tuple[AgentClass, re.Pattern[str]], ...]] = (
    ("image_proxy", re.compile(r"googleimageproxy|ggpht\.com|yahoomailproxy|yahoo ?mail ?proxy", re.IGNORECASE)),
    ("mail_program", re.compile(r"microsoft outlook|thunderbird|postbox|em client|airmail", re.IGNORECASE)),
    (
        "scanner",
        re.compile(
            r"(?<!cu)bot\b|bot[/_-]|crawler|spider|scanner|preview|headless|phantomjs|ms-office|safelinks"
            r"|proofpoint|mimecast|barracuda|symantec|trend ?micro|fireeye|cloudmark|sophos|forcepoint|fortinet"
            r"|zscaler|virustotal|urlscan|facebookexternalhit"
            r"|^(curl|wget|python|java|go-http-client|okhttp|axios|node|libwww|ruby|php|apache-httpclient)\b",
            re.IGNORECASE,
        ),
    ),
    (
        "mail_program",
        re.compile(
            r"outlook|applemail|yahoo! ?mail|becky!|shuriken|lotus-notes|spark/|k-9|"
            r"^mozilla/5\.0 \((macintosh|iphone|ipad)[^)]*\) applewebkit/[\d.]+ \(khtml, like gecko\)( mobile/\w+)?$",
            re.IGNORECASE,
        ),
    ),
    (
        "browser",
        re.compile(r"^(mozilla/[45]\.0 \(.+(gecko|applewebkit|trident|msie|presto)|opera/)", re.IGNORECASE),
    ),
)


@lru_cache(maxsize=1024)
def agent_class(user_agent: str | None) -> AgentClass:
    """Classify a user agent; `none` is one that was not given, `empty` one that was given as nothing."""
    if user_agent is None:
        return "none"
    name = user_agent.strip()
    if not name:
        return "empty"
    if name == "Mozilla/5.0":
        return "bare_mozilla"
    return next((found for found, pattern in _NAMED if pattern.search(name)), "other")


@lru_cache(maxsize=4096)
def address_class(address: str | None) -> AddressClass:
    """Classify an IP address; what is not one is `none`."""
    if not address:
        return "none"
    try:
        return "public" if ip_address(address).is_global else "private"
    except ValueError:
        return "none"


def method_class(method: str | None) -> MethodClass:
    """Classify an HTTP method."""
    if not method:
        return "none"
    return "head" if method.upper() == "HEAD" else "other"
