"""The address of a content as it comes back in a click."""

from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

CAMPAIGN: Final = "utm_"


def bare(url: str) -> str:
    """Return an address without its fragment and the marks that mail programs add; what is no address stays."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if not pair[0].startswith(CAMPAIGN)]
    return urlunsplit(parts._replace(query=urlencode(query), fragment=""))
