"""The codes with which the gate explains itself, and a sentence for each."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

DETAILS: Final = {
    "consent_missing": "Nothing on record permits this purpose on this channel.",
    "consent_withdrawn": "The person withdrew this purpose on this channel.",
    "consent_expired": "What permitted this purpose on this channel has expired.",
    "unsubscribed": "The person unsubscribed from this channel.",
    "suppressed": "The address is on the suppression list.",
    "address_bounced": "Mail to the address bounces.",
    "complained": "The person reported a mail as spam.",
    "no_address": "No usable address for this channel is known.",
    "erased": "The person is erased, or was taken out of the pool.",
    "retention_expired": "The time for which the person's data may be kept is over.",
    "live_selection": "A selection of the person is going on.",
    "frequency_cap": "The person has had as many contacts on this channel as the cap allows.",
    "outside_window": "This is outside the hours in which contacts may leave, where the person is.",
    "public_holiday": "This is a public holiday where the person is.",
    "cooling_off": "The person was rejected a short time ago.",
    "leased": "Somebody else holds the lease on the person.",
    "fatigue": "The person gave no human sign to the last contacts.",
    "consent": "The person consented.",
    "existing_dealings": "There are existing dealings with the person.",
    "written_notice": "The person gave the address in writing.",
    "published_address": "The person published the address.",
    "legitimate_interest": "There is a legitimate interest.",
}
"""One sentence for each code: eleven that deny, six that delay, and the five bases that allow."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A code for programs and a sentence for people."""

    code: str
    detail: str


def explain(codes: Iterable[str]) -> tuple[Reason, ...]:
    """Return the codes with their sentences; raises KeyError for a code that the gate does not have."""
    return tuple(Reason(code, DETAILS[code]) for code in codes)
