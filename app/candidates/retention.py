"""How long a person is kept: days after the last contact that they made themselves, by the basis they are kept on."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

DEFAULT_BASIS: Final = "existing_dealings"
"""Nobody is on file without a reason: who came without a stated one had dealings with the company."""

DEFAULT_DAYS: Final = 1095
DAYS: Final[Mapping[str, int]] = {
    # Three years: the usual promise of Japanese privacy notices for pools of former applicants. The law (APPI art. 22)
    # names no figure: data that is no longer needed is to be deleted without delay, so each tenant needs some figure.
    "consent": DEFAULT_DAYS,
    "existing_dealings": DEFAULT_DAYS,
    "written_notice": DEFAULT_DAYS,
    # One year: nobody asked these people. GDPR art. 14(3) wants them informed within a month, and what was not answered
    # within a year is not needed any more (art. 5(1)(e)).
    "published_address": 365,
    "legitimate_interest": 365,
}


def expires_on(last_contact: date, basis: str) -> date:
    """Return the last day on which a person may be kept whose last own contact was on `last_contact`."""
    return last_contact + timedelta(days=DAYS.get(basis, DEFAULT_DAYS))
