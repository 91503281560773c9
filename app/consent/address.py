"""Addresses as suppressions know them: how a value is read, what stands for it, which of a person's count."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from app.normalise.emails import parse_email
from app.normalise.phones import parse_phone
from app.normalise.urls import parse_profile_url

Kind = Literal["email", "phone", "url", "text", "external_id"]

KIND_OF: Final[Mapping[str, Kind]] = {"email": "email", "phone": "phone", "sms": "phone", "sns": "url", "post": "text"}
"""Channel → what its addresses are."""
REACHED_BY: Final[Mapping[str, Kind]] = {"email": "email", "phone": "phone", "sms": "phone"}
"""Channels that cannot be used without an address known here; for the others it may be known elsewhere."""
OF_THE_PERSON: Final = frozenset({"unsubscribed", "complaint", "erased"})
"""What a person asked for holds for all their addresses; what is wrong with an address holds for that one."""


@dataclass(frozen=True, slots=True)
class Address:
    """One address of a person by its match key."""

    kind: Kind
    key: str
    is_bounced: bool = False


def key_of(kind: str, value: str, country_code: str = "JP") -> str | None:
    """Return the match key of an address in any spelling, None when it is none; `country_code` reads national numbers.

    A match key is its own match key. What is no profile's URL (a handle, a postal address) is only folded. External ids
    are `candidates.service.external_key`, taken as they are.
    """
    if kind == "email":
        email = parse_email(value)
        return email.key if email else None
    if kind == "phone":
        phone = parse_phone(value, country_code)
        return phone.e164 if phone else None
    if kind == "external_id":
        return value
    url = parse_profile_url(value) if kind == "url" else None
    return url.key if url else _folded(value) or None


def hint_of(kind: str, key: str) -> str:
    """Return as much of an address as lets its owner be recognised by who knows them: `a…@e…`, `+81…78`."""
    if kind == "email":
        local, _, domain = key.partition("@")
        return f"{local[:1]}…@{domain[:1]}…"
    if kind == "phone":
        return f"{key[:3]}…{key[-2:]}"
    return f"{key[:1]}…"


def of_person(
    emails: Sequence[str],
    phones: Sequence[str],
    urls: Sequence[str],
    bounced: frozenset[str],
    country_code: str = "JP",
) -> tuple[Address, ...]:
    """Return a person's addresses, the primary of each kind first; `bounced` holds match keys of e-mail addresses."""
    values: dict[Kind, Sequence[str]] = {"email": emails, "phone": phones, "url": urls}
    return tuple(
        Address(kind, key, is_bounced=kind == "email" and key in bounced)
        for kind, given in values.items()
        for key in dict.fromkeys(key_of(kind, value, country_code) for value in given)
        if key is not None
    )


def target(addresses: Sequence[Address], kind: Kind) -> Address | None:
    """Return where a contact would go: the primary, another only when the primary bounces."""
    own = [each for each in addresses if each.kind == kind]
    return next((each for each in own if not each.is_bounced), own[0] if own else None)


def meets(addresses: Sequence[Address], kind: Kind) -> Iterator[tuple[Address, frozenset[str]]]:
    """Yield each address of `kind` with the reasons for which a suppression of it holds.

    What is asked for by hand holds for the primary even when it bounces, so that another is not used instead.
    """
    own = [each for each in addresses if each.kind == kind]
    aim = target(addresses, kind)
    for place, each in enumerate(own):
        of_address = {"manual", "hard_bounce"} if each == aim else {"manual"} if place == 0 else set()
        yield each, OF_THE_PERSON | of_address


def _folded(value: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", value).casefold().split())
