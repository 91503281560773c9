"""Asking the DNS: one Protocol, the real resolver behind it, and a twin that answers what was recorded."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from dns.asyncresolver import Resolver as Asking
from dns.exception import DNSException
from dns.resolver import NXDOMAIN, NoAnswer

LIFETIME_S: Final = 4.0
MOST_LEVELS: Final = 5
"""How far up the tree a policy is looked for; the walk of DMARC takes at most eight queries."""


class Unreachable(Exception):
    """No name server gave an answer."""


class Resolver(Protocol):
    """Answers with texts; a name that does not exist has none. Raises Unreachable."""

    async def texts(self, name: str) -> list[str]: ...

    async def mail_hosts(self, name: str) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class DnsResolver:
    """Asks these name servers, without any those of the machine."""

    servers: Sequence[str] = ()
    port: int = 53

    async def texts(self, name: str) -> list[str]:
        return [b"".join(record.strings).decode("utf-8", "replace") for record in await self._ask(name, "TXT")]

    async def mail_hosts(self, name: str) -> list[str]:
        return [str(record.exchange).rstrip(".") for record in await self._ask(name, "MX")]

    async def _ask(self, name: str, kind: str) -> Sequence[Any]:
        try:
            asking = Asking(configure=not self.servers)
            if self.servers:
                asking.nameservers, asking.port = list(self.servers), self.port
            return list(await asking.resolve(name, kind, lifetime=LIFETIME_S))
        except (NXDOMAIN, NoAnswer):
            return []
        except (DNSException, OSError) as error:
            raise Unreachable from error


@dataclass(frozen=True, slots=True)
class RecordedResolver:
    """Answers what was recorded: (kind, name) → records; None is a name server that does not answer."""

    records: Mapping[tuple[str, str], Sequence[str] | None]

    async def texts(self, name: str) -> list[str]:
        return self._recorded("TXT", name)

    async def mail_hosts(self, name: str) -> list[str]:
        return self._recorded("MX", name)

    def _recorded(self, kind: str, name: str) -> list[str]:
        found = self.records.get((kind, name), ())
        if found is None:
            raise Unreachable
        return list(found)


@dataclass(frozen=True, slots=True)
class Answers:
    """What the DNS says of a domain; None where it did not answer. Of DKIM by selector, of DMARC by domain."""

    mail_hosts: Sequence[str] | None
    texts: Sequence[str] | None
    keys: Mapping[str, Sequence[str] | None]
    policies: Mapping[str, Sequence[str] | None]


async def look_up(resolver: Resolver, domain: str, selectors: Sequence[str]) -> Answers:
    """Ask everything that is asked of a domain, side by side."""
    labels = domain.split(".")
    above = [".".join(labels[place:]) for place in range(min(len(labels) - 1, MOST_LEVELS))]
    names = [domain, *(f"{each}._domainkey.{domain}" for each in selectors), *(f"_dmarc.{each}" for each in above)]
    hosts, texts, *rest = await asyncio.gather(
        _known(resolver.mail_hosts(domain)), *(_known(resolver.texts(name)) for name in names)
    )
    keys = dict(zip(selectors, rest[: len(selectors)], strict=True))
    return Answers(hosts, texts, keys, dict(zip(above, rest[len(selectors) :], strict=True)))


async def _known(asked: Awaitable[list[str]]) -> list[str] | None:
    try:
        return await asked
    except Unreachable:
        return None
