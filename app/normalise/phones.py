"""Phone numbers: E.164 where the number can exist, what line it is, and whether somebody just filled in a field."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberType

from app.normalise.text import clean

LineKind = Literal["mobile", "fixed", "other"]

_MAX_LENGTH = 64
_DASH = re.compile("[‐‑‒–—―−ーｰ─━~〜]")
# A spreadsheet that took a number for a number: 9012345678.0.
_FLOAT = re.compile(r"(\d+)\.0+")
_SUBSCRIBER = 8
_DIGITS = "01234567890123456789"
# Where mobile and fixed numbers cannot be told apart (North America), personal numbers are by far the more frequent.
_KINDS: dict[int, LineKind] = {
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "mobile",
    PhoneNumberType.PERSONAL_NUMBER: "mobile",
    PhoneNumberType.FIXED_LINE: "fixed",
}


@dataclass(frozen=True, slots=True)
class Phone:
    """`e164` starts with +; a dummy (090-0000-0000, 03-1234-5678) looks like a number and says nothing of a person."""

    e164: str
    kind: LineKind
    is_dummy: bool


@lru_cache(maxsize=4_096)
def parse_phone(raw: str, region: str = "JP") -> Phone | None:
    """Read a number as written; `region` (ISO 3166) is where it is dialled without a country code.

    None unless the number is valid in its country's plan, or a dummy of a line that is. A national number whose leading
    zero a spreadsheet dropped (9012345678) is read as if it were there.
    """
    text = _DASH.sub("-", clean(raw[: 2 * _MAX_LENGTH]))
    bare = _FLOAT.fullmatch(text)
    if len(text) > _MAX_LENGTH:
        return None
    try:
        number = phonenumbers.parse(bare[1] if bare else text, region)
    except phonenumbers.NumberParseException:
        return None
    is_dummy = _is_dummy(number)
    line = _neighbour(number) if is_dummy and not phonenumbers.is_valid_number(number) else number
    if not phonenumbers.is_valid_number(line):
        return None
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return Phone(e164, _KINDS.get(phonenumbers.number_type(line), "other"), is_dummy)


def _neighbour(number: PhoneNumber) -> PhoneNumber:
    """Return the number whose last eight digits count up: of a dummy that no plan assigns, it tells the line."""
    prefix = phonenumbers.national_significant_number(number)[:-_SUBSCRIBER]
    return PhoneNumber(country_code=number.country_code, national_number=int(prefix + _DIGITS[1 : 1 + _SUBSCRIBER]))


def _is_dummy(number: PhoneNumber) -> bool:
    """Whether the last eight digits are one digit repeated, or count up or down."""
    last = phonenumbers.national_significant_number(number)[-_SUBSCRIBER:]
    return len(set(last)) == 1 or last in _DIGITS or last[::-1] in _DIGITS
