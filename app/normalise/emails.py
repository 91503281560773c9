"""E-mail addresses: what is shown, and what makes two spellings one mailbox. Nothing is looked up in the DNS."""

import re
from dataclasses import dataclass
from functools import lru_cache

from app.normalise.text import clean

_MAX_ADDRESS = 254
_MAX_LOCAL = 64
_MAX_RAW = 500
_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
# Addresses given out by Japanese carriers before 2009 may hold dots in a row, in front and before the @.
_OLD_LOCAL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]+")
_OLD_CARRIERS = ("docomo.ne.jp", "ezweb.ne.jp", "au.com", "softbank.ne.jp", "vodafone.ne.jp", "pdx.ne.jp")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_WRAPPED = re.compile(r"(?:[^<>]*<\s*)?(?:mailto:)?([^<>]*?)\s*>?")
_GMAIL = frozenset(("gmail.com", "googlemail.com"))
_APPLE = frozenset(("icloud.com", "me.com", "mac.com"))
_PLUS_HOSTS = """
outlook.com outlook.jp hotmail.com hotmail.co.jp live.com live.jp msn.com
proton.me protonmail.com pm.me fastmail.com fastmail.fm
"""
_PLUS = frozenset(_PLUS_HOSTS.split()) | _APPLE | _GMAIL
_ROLE_WORDS = """
info information office contact contacts inquiry inquiries enquiry support help helpdesk sales marketing press pr
job jobs recruit recruiter recruiting recruitment saiyo saiyou jinji hr career careers admin administrator root
webmaster postmaster hostmaster abuse noreply donotreply mailerdaemon service customerservice cs team hello staff
general reception billing newsletter news events notifications privacy security
soumu somu keiri eigyo koho uketsuke toiawase otoiawase shinsotsu
"""
_ROLES = frozenset(_ROLE_WORDS.split())


@dataclass(frozen=True, slots=True)
class Email:
    """`value` is shown and written to; `key` is equal for spellings of one mailbox; a role mailbox is nobody's own."""

    value: str
    key: str
    is_role: bool


@lru_cache(maxsize=4_096)
def parse_email(raw: str) -> Email | None:
    """Read an address as written (full width, `mailto:`, `Name <…>`); None when it is not one.

    Carriers' rules: https://www.docomo.ne.jp/service/docomo_mail/rfc_add/ for `..` and `.@`.
    """
    wrapped = _WRAPPED.fullmatch(clean(raw[:_MAX_RAW]).lower())
    if wrapped is None or len(raw) > _MAX_RAW:
        return None
    local, at, domain = wrapped[1].rpartition("@")
    ascii_domain = _ascii_domain(domain) if len(domain) < _MAX_ADDRESS else None
    if not at or ascii_domain is None:
        return None
    local = local[1:-1] if len(local) > 2 and local[0] == local[-1] == '"' else local
    value = f"{local}@{ascii_domain}"
    if not _is_local(local, ascii_domain) or len(value) > _MAX_ADDRESS:
        return None
    return Email(value, _match_key(local, ascii_domain), is_role_mailbox(local))


def is_role_mailbox(local: str) -> bool:
    """Say whether the part before the @ names a function (`recruit`, `no-reply`), not a person."""
    return re.sub("[._-]", "", local.lower().partition("+")[0]) in _ROLES


def _is_local(local: str, domain: str) -> bool:
    if not 1 <= len(local) <= _MAX_LOCAL:
        return False
    if _LOCAL.fullmatch(local):
        return True
    is_old = any(domain == carrier or domain.endswith(f".{carrier}") for carrier in _OLD_CARRIERS)
    return is_old and _OLD_LOCAL.fullmatch(local) is not None


def _ascii_domain(domain: str) -> str | None:
    try:
        name = domain if domain.isascii() else domain.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    labels = name.split(".")
    if len(labels) < 2 or labels[-1].isdigit() or not all(map(_LABEL.fullmatch, labels)):
        return None
    return name


def _match_key(local: str, domain: str) -> str:
    if domain in _PLUS:
        local = local.partition("+")[0] or local
    if domain in _GMAIL:
        return f"{local.replace('.', '')}@gmail.com"
    return f"{local}@icloud.com" if domain in _APPLE else f"{local}@{domain}"
