"""One statement about a person, normalised: what of it can point at somebody, and what can be compared."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Final, Literal

from app.normalise.companies import company_key
from app.normalise.emails import parse_email
from app.normalise.names import NameFeatures, NameStatement, dump_name, load_name, parse_name
from app.normalise.phones import parse_phone
from app.normalise.urls import parse_profile_url

Payload = Mapping[str, Any]
Kind = Literal["email", "phone", "url"]

FIELD_OF: Final[Mapping[str, str]] = {"email": "email_addresses", "phone": "phone_numbers", "url": "links"}
_NAMES: Final = (
    "full_name",
    "family_name",
    "given_name",
    "full_name_kana",
    "family_name_kana",
    "given_name_kana",
    "family_name_romaji",
    "given_name_romaji",
)


@dataclass(frozen=True, slots=True)
class Contact:
    """An e-mail, a phone or a link as one record states it.

    `key` is the match key, None when the value could not be read (or the link is no personal profile); `shown` is the
    value as answered; `line` is the kind of a phone; `is_nobodys` marks role mailboxes and dummy numbers.
    """

    kind: Kind
    key: str | None
    shown: str | None
    raw: str
    type: str | None = None
    line: str | None = None
    is_primary: bool = False
    is_nobodys: bool = False


@dataclass(frozen=True)
class Features:
    """What one record says of who somebody is. `removed` are shown or raw contact values that a patch takes away."""

    name: NameFeatures | None = None
    contacts: tuple[Contact, ...] = ()
    external_ids: tuple[tuple[str, str], ...] = ()
    employer: str | None = None
    birth_date: str | None = None
    removed: frozenset[str] = frozenset()

    def keys(self, kind: Kind, line: str | None = None) -> tuple[str, ...]:
        """Return the match keys that can identify somebody."""
        return tuple(each.key for each in self._own if each.key and each.kind == kind and line in (None, each.line))

    @cached_property
    def identifiers(self) -> frozenset[tuple[Kind, str]]:
        """Kind and match key of all that can identify somebody."""
        return frozenset((each.kind, each.key) for each in self._own if each.key)

    @cached_property
    def _own(self) -> tuple[Contact, ...]:
        return tuple(each for each in self.contacts if each.key and not each.is_nobodys)

    @property
    def identifies(self) -> bool:
        """Whether the statement is about somebody: a name, a valid e-mail or phone, an external id."""
        contacts = any(each.shown for each in self.contacts if each.kind != "url")
        return bool(self.name or contacts or self.external_ids)


def said(payload: Payload, field: str) -> tuple[list[Any], list[Any]]:
    """Return what a statement adds to a list, and what it removes (patches only)."""
    value = payload.get(field) or []
    return (value.get("add") or [], value.get("remove") or []) if isinstance(value, dict) else (value, [])


def read_features(payload: Payload, region: str) -> Features:
    """Normalise one statement; `region` (ISO 3166) is where phones are dialled without a country code."""
    return Features(
        name=_name(payload),
        contacts=tuple({(each.kind, each.shown or each.raw): each for each in _contacts(payload, region)}.values()),
        external_ids=tuple(dict.fromkeys((each["source"], each["id"]) for each in said(payload, "external_ids")[0])),
        employer=company_key(payload["current_company"]) if payload.get("current_company") else None,
        birth_date=payload.get("birth_date"),
        removed=frozenset(_removed(payload, region)),
    )


def _name(payload: Payload) -> NameFeatures | None:
    stated = {name: payload[name] for name in _NAMES if payload.get(name)}
    return parse_name(NameStatement(**stated, other_names=tuple(said(payload, "other_names")[0]))) if stated else None


def _contacts(payload: Payload, region: str) -> Iterator[Contact]:
    for item in said(payload, "email_addresses")[0]:
        if raw := item.get("value") or item.get("raw"):
            yield _email(raw, item)
    for item in said(payload, "phone_numbers")[0]:
        if raw := item.get("value") or item.get("raw"):
            yield _phone(raw, item, region)
    for item in said(payload, "links")[0]:
        url = parse_profile_url(item["url"])
        kind = item.get("type") or (url.type if url else "website")
        yield Contact("url", url.key if url else None, item["url"], item["url"], kind)


def _email(raw: str, item: Payload) -> Contact:
    email, primary = parse_email(raw), bool(item.get("is_primary"))
    if email is None:
        return Contact("email", None, None, raw, item.get("type"))
    kept = item.get("raw") if item.get("value") == email.value else None
    return Contact(
        "email", email.key, email.value, kept or raw, item.get("type"), is_primary=primary, is_nobodys=email.is_role
    )


def _phone(raw: str, item: Payload, region: str) -> Contact:
    phone = parse_phone(raw, region)
    if phone is None:
        return Contact("phone", None, None, raw, item.get("type"))
    kept = item.get("raw") if item.get("value") == phone.e164 else None
    return Contact(
        "phone",
        phone.e164,
        phone.e164,
        kept or raw,
        item.get("type"),
        line=phone.kind,
        is_nobodys=phone.is_dummy,
    )


def _removed(payload: Payload, region: str) -> Iterator[str]:
    for field in ("email_addresses", "phone_numbers"):
        for item in said(payload, field)[1]:
            raw = (item.get("value") or item.get("raw") or "") if isinstance(item, dict) else str(item)
            email, phone = parse_email(raw), parse_phone(raw, region)
            yield raw
            if field == "email_addresses" and email:
                yield email.value
            if field == "phone_numbers" and phone:
                yield phone.e164


def dump_features(features: Features) -> dict[str, Any]:
    """Write features as a JSON object."""
    return {
        "name": dump_name(features.name) if features.name else None,
        "contacts": [asdict(each) for each in features.contacts],
        "external_ids": [list(each) for each in features.external_ids],
        "employer": features.employer,
        "birth_date": features.birth_date,
        "removed": sorted(features.removed),
    }


def load_features(stored: Mapping[str, Any]) -> Features:
    """Read the features that `dump_features` wrote, also after they went through JSON."""
    return Features(
        name=load_name(stored["name"]) if stored.get("name") else None,
        contacts=tuple(Contact(**each) for each in stored["contacts"]),
        external_ids=tuple((source, id_) for source, id_ in stored["external_ids"]),
        employer=stored["employer"],
        birth_date=stored["birth_date"],
        removed=frozenset(stored["removed"]),
    )
