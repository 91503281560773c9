"""Invented people, the same for the same seed."""

import random
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from app.demo.names import COMPANIES, GIVEN_NAMES, SKILLS, SURNAMES, WESTERN, triples

WESTERN_SHARE: Final = 0.1
SOURCES: Final = ("past_applicant", "event_participant", "offer_declined", "referral", "alumni", "sns", "career_site")
RESULTS: Final = ("不採用", "辞退", "内定辞退", "選考中止", "採用見送り")


@dataclass(frozen=True, slots=True)
class Person:
    """One invented person, as a spreadsheet row would tell of them."""

    number: int
    full_name: str
    kana: str
    email: str
    phone: str
    company: str
    birth_date: date
    years: int
    skills: tuple[str, ...]
    source: str
    met_on: date
    result: str
    consent_on: date | None
    external_id: str
    imported: bool = False


def people(count: int, *, seed: int, today: date) -> list[Person]:
    """Return `count` different people; e-mail addresses and phones are unique among them."""
    draw = random.Random(seed)  # noqa: S311 (invented people, not secrets)
    surnames, given_names, western = triples(SURNAMES), triples(GIVEN_NAMES), WESTERN.split("|")
    found = []
    for number in range(count):
        if draw.random() < WESTERN_SHARE:
            first, last = draw.choice(western).split(" ", 1)
            full_name, kana, local = f"{first} {last}", "", f"{first}.{last}".replace("'", "")
        else:
            family, given = draw.choice(surnames), draw.choice(given_names)
            full_name, kana = f"{family[0]} {given[0]}", f"{family[1]} {given[1]}"
            local = f"{given[2]}.{family[2]}"
        met_on = today - timedelta(days=draw.randint(10, 900))
        found.append(
            Person(
                number=number,
                full_name=full_name,
                kana=kana,
                email=f"{local.lower()}{number}@example.{draw.choice(('com', 'jp', 'co.jp'))}",
                phone=_phone(number),
                company=draw.choice(COMPANIES),
                birth_date=date(1965, 1, 1) + timedelta(days=draw.randint(0, 13_500)),
                years=draw.randint(0, 25),
                skills=tuple(draw.sample(SKILLS, draw.randint(1, 4))),
                source=draw.choice(SOURCES),
                met_on=met_on,
                result=draw.choice(RESULTS),
                consent_on=met_on if draw.random() < 0.85 else None,  # noqa: PLR2004 (a share)
                external_id=f"A-{number:05d}",
            )
        )
    return found


def _phone(number: int) -> str:
    """Return a mobile number that no other person of the same run has."""
    return f"090-{2000 + number // 8000:04d}-{(number * 7919 + 1237) % 8000 + 1000:04d}"
