"""Made-up people, and what binds them: households, employers, numbers that change hands.

Everything follows from a seed. Some are there to be told apart: twins, parents and children under one telephone,
somebody who was given another's old number.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import accumulate
from random import Random
from typing import Final

from app.training.names import (
    JAPANESE,
    Age,
    Name,
    Sex,
    Shares,
    japanese_families,
    japanese_given,
    western_families,
    western_given,
    words_of,
)

_FIRST_BIRTH: Final = date(1958, 1, 1)
_YOUNGER_FROM: Final = date(1985, 1, 1)
_BIRTH_DAYS: Final = 17_500
_GENERATION: Final = range(9_000, 13_000)
"""Days between a parent and a child."""

_TWINS: Final = 0.01
_PARENT_AND_CHILD: Final = 0.04
_OLD_NUMBER: Final = 0.01
_HAS_HOME_PHONE: Final = 0.35
_SHARES_MAILBOX: Final = 0.15
"""The share of households of two who use one mailbox."""

_MAIL_HOSTS: Final = (
    ("gmail.com", 50), ("yahoo.co.jp", 15), ("icloud.com", 13), ("outlook.jp", 8), ("docomo.ne.jp", 6),
    ("ezweb.ne.jp", 4), ("softbank.ne.jp", 4),
)  # fmt: skip
_COMPANY_FORMS: Final = ("株式会社{}", "{}株式会社", "{} Inc.", "{}, Ltd.", "合同会社{}", "㈱{}", "{}")


@dataclass(slots=True)
class Person:
    """Somebody. `style` is how they write their name in Latin letters; the first contact of a list is in use."""

    number: int
    is_japanese: bool
    sex: Sex
    family: Name
    given: Name
    born: date
    style: str
    employer: int
    emails: list[str]
    mobiles: list[str]
    profile: str
    home_phone: str | None = None
    middle: str | None = None
    suffix: str | None = None
    maiden: Name | None = None


@dataclass(slots=True)
class Population:
    """People as they come to be known, one household after the other; `size` is how many records there will be."""

    dice: Random
    size: int
    people: list[Person] = field(default_factory=list)
    mailboxes: set[str] = field(default_factory=set)

    def settle(self) -> list[Person]:
        """Return a new household: mostly one person, sometimes two."""
        first = self._person()
        self.people.append(first)
        luck = self.dice.random()
        if luck > _TWINS + _PARENT_AND_CHILD:
            return [first]
        days = 0 if luck < _TWINS else self.dice.choice(_GENERATION)
        second = self._person(first, first.born + timedelta(days=days))
        first.home_phone = second.home_phone = first.home_phone or self.home_phone()
        if self.dice.random() < _SHARES_MAILBOX:
            second.emails[0] = first.emails[0]
        self.people.append(second)
        return [first, second]

    def company(self, number: int) -> str:
        """Return one of the ways in which an employer is written."""
        words, trades = (words_of(f"company {part}") for part in ("words", "trades"))
        word, trade = divmod(number, len(trades))
        area, word = divmod(word, len(words))
        name = f"{words[word]} {trades[trade]}"
        return self.dice.choice(_COMPANY_FORMS).format(f"{name} {area}" if area else name)

    def employer(self) -> int:
        """Return an employer: few are large, most are small."""
        many = max(400, self.size // 40)
        return min(int(many ** self.dice.random() * 3) + self.dice.randrange(20), many)

    def work_email(self, person: Person) -> str:
        local = f"{person.given.latin}.{person.family.latin}".lower()
        return f"{_ascii(local)}{person.number % 97 or ''}@company{person.employer}.co.jp"

    def number(self, person: Person) -> str:
        """Return a new mobile number, sometimes one that another person gave up."""
        if self.people and self.dice.random() < _OLD_NUMBER:
            return self.dice.choice(self.people).mobiles[-1]
        if person.is_japanese or self.dice.random() < 0.6:
            return f"{self.dice.choice(('090', '080', '070'))}{self.dice.randrange(10**7, 10**8)}"
        area, exchange = self.dice.choice((212, 415, 503, 617)), self.dice.randrange(200, 999)
        return f"+1 {area} {exchange} {self.dice.randrange(10_000):04}"

    def mailbox(self, person: Person) -> str:
        """Return a new address of the person's own."""
        given, family = (_ascii(name.latin.lower()) for name in (person.given, person.family))
        number = self.dice.randrange(1_000)
        local = self.dice.choice(
            (f"{given}.{family}", f"{family}.{given}", f"{given}{family}{number}", f"{given[:1]}{family}{number}",
             f"{family}_{given}", f"{given}{person.born.year}", f"{family}{person.born:%m%d}")
        )  # fmt: skip
        hosts, weights = zip(*_MAIL_HOSTS, strict=True)
        host = self.dice.choices(hosts, weights)[0]
        while f"{local}@{host}" in self.mailboxes:
            local += str(self.dice.randrange(10))
        self.mailboxes.add(f"{local}@{host}")
        return f"{local}@{host}"

    def profile(self, person: Person) -> str:
        """Return the address of a new profile of the person's."""
        slug = f"{_ascii(person.given.latin)}-{_ascii(person.family.latin)}-{self.dice.randrange(16**6):06x}".lower()
        return f"https://www.linkedin.com/in/{slug}"

    def new_family(self, person: Person) -> Name:
        return self._drawn(japanese_families() if person.is_japanese else western_families())

    def _person(self, kin: Person | None = None, born: date | None = None) -> Person:
        is_japanese = kin.is_japanese if kin else self.dice.random() < JAPANESE
        sex: Sex = "f" if self.dice.random() < 0.5 else "m"
        born = born or _FIRST_BIRTH + timedelta(days=self.dice.randrange(_BIRTH_DAYS))
        age: Age = "younger" if born >= _YOUNGER_FROM else "older"
        families = japanese_families() if is_japanese else western_families()
        person = Person(
            number=len(self.people),
            is_japanese=is_japanese,
            sex=sex,
            family=kin.family if kin else self._drawn(families),
            given=self._drawn(japanese_given(sex, age) if is_japanese else western_given(sex)),
            born=born,
            style=self.dice.choices(("passport", "typed", "h", "kunrei"), (60, 20, 12, 8))[0],
            employer=self.employer(),
            emails=[],
            mobiles=[],
            profile="",
        )
        self._equip(person, kin)
        return person

    def _equip(self, person: Person, kin: Person | None) -> None:
        person.emails.append(self.mailbox(person))
        person.mobiles.append(self.number(person))
        person.profile = self.profile(person)
        if self.dice.random() < _HAS_HOME_PHONE:
            person.home_phone = self.home_phone()
        if not person.is_japanese and self.dice.random() < 0.15:
            person.middle = self._drawn(western_given(person.sex)).latin
        if kin and not person.is_japanese and person.sex == kin.sex == "m" and person.born != kin.born:
            person.given, person.suffix, kin.suffix = kin.given, "Jr.", "Sr."

    def home_phone(self) -> str:
        area = self.dice.choice(("03-3", "06-6", "052-7", "011-7", "092-7", "045-7"))
        return f"{area}{self.dice.randrange(100, 999)}-{self.dice.randrange(10_000):04}"

    def _drawn(self, table: Shares) -> Name:
        return self.dice.choices(table.names, cum_weights=_cumulated(table))[0]


_CUMULATED: dict[int, list[float]] = {}


def _cumulated(table: Shares) -> list[float]:
    return _CUMULATED.setdefault(id(table), list(accumulate(table.shares)))


def _ascii(latin: str) -> str:
    return "".join(letter for letter in latin if letter.isascii() and (letter.isalnum() or letter == "."))
