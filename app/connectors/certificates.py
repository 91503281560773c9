"""The certificates that signatures of calls are checked with, kept under the addresses that they were fetched from."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

KEPT_MOST: Final = 64


class Certificates:
    """A few certificates; the oldest makes room. Whether one is still valid is for who uses it to say."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def known(self) -> Mapping[str, bytes]:
        """Return what is kept, by address."""
        return MappingProxyType(self._kept)

    def keep(self, url: str, certificate: bytes) -> None:
        """Keep one."""
        self._kept.pop(url, None)
        self._kept[url] = certificate
        while len(self._kept) > KEPT_MOST:
            del self._kept[next(iter(self._kept))]
