"""What made-up people's records say: payloads of POST /v1/candidates, with the person that each one is about."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Final, NamedTuple

from app.normalise.romaji import kana_to_romaji
from app.training.names import Name, short_forms
from app.training.people import Person, Population

_FURTHER: Final = 0.27
"""The share of records that are further ones of a person already known."""

_VARIANTS: Final = {
    "高": "髙",
    "崎": "﨑",
    "辺": "邊",
    "斎": "齋",
    "浜": "濱",
    "島": "嶋",
    "沢": "澤",
    "桜": "櫻",
    "広": "廣",
}
_HALF_WIDTH: Final = str.maketrans(
    "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワンャュョッー",
    "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜﾝｬｭｮｯｰ",
)
_KUNREI: Final = (("shi", "si"), ("chi", "ti"), ("tsu", "tu"), ("fu", "hu"), ("sh", "sy"), ("ch", "ty"), ("j", "zy"))


class Record(NamedTuple):
    """One statement and the number of the person who made it or of whom it speaks."""

    payload: dict[str, Any]
    person: int


class _Source(NamedTuple):
    """How often, in 0..1, a kind of source shows what."""

    kanji: float
    kana: float
    email: float
    work_email: float
    mobile: float
    home_phone: float
    birth_date: float
    employer: float
    profile: float


_SOURCES: Final[Mapping[str, tuple[int, _Source]]] = {
    "past_applicant": (35, _Source(1.0, 0.85, 0.9, 0.05, 0.85, 0.4, 0.45, 0.6, 0.1)),
    "spreadsheet": (20, _Source(0.98, 0.3, 0.65, 0.15, 0.55, 0.35, 0.15, 0.6, 0.05)),
    "event": (20, _Source(0.7, 0.2, 0.5, 0.45, 0.25, 0.0, 0.02, 0.8, 0.05)),
    "scout": (10, _Source(0.9, 0.05, 0.2, 0.15, 0.2, 0.02, 0.0, 0.85, 0.15)),
    "social": (15, _Source(0.4, 0.0, 0.1, 0.05, 0.03, 0.0, 0.0, 0.8, 0.9)),
}


@dataclass(slots=True)
class _Writer:
    dice: Random
    known: Population

    def lives_on(self, person: Person) -> None:
        """Let time pass before a further record: other employers, addresses, numbers, names."""
        if self.dice.random() < 0.15:
            person.employer = self.known.employer()
        if self.dice.random() < 0.08:
            person.emails.insert(0, self.known.mailbox(person))
        if self.dice.random() < 0.06:
            person.mobiles.insert(0, self.known.number(person))
        if person.home_phone and self.dice.random() < 0.15:
            person.home_phone = self.known.home_phone()
        if self.dice.random() < 0.04:
            person.profile = self.known.profile(person)
        if person.sex == "f" and person.maiden is None and self.dice.random() < 0.05:
            person.maiden, person.family = person.family, self.known.new_family(person)

    def write(self, person: Person) -> Record:
        weights, sources = zip(*_SOURCES.values(), strict=True)
        source = self.dice.choices(sources, weights)[0]
        payload = self._name(person, source) | self._contacts(person, source)
        if self._happens(source.birth_date):
            payload["birth_date"] = self._birth_date(person)
        if self._happens(source.employer):
            payload["current_company"] = self.known.company(person.employer)
        if self._happens(source.profile):
            payload["links"] = [{"url": person.profile}]
        return Record(payload, person.number)

    def _happens(self, chance: float) -> bool:
        return self.dice.random() < chance

    def _contacts(self, person: Person, source: _Source) -> dict[str, Any]:
        emails, phones = [], []
        if self._happens(source.email):
            emails.append(self._email(person))
        if self._happens(source.work_email):
            emails.append(self.known.work_email(person))
        if self._happens(0.004):
            local = self.dice.choice(("info", "office", "tokyo.branch", "plant2"))
            emails.append(f"{local}@company{person.employer}.co.jp")
        if self._happens(source.mobile):
            phones.append(self._mobile(person))
        if person.home_phone and self._happens(source.home_phone):
            phones.append(person.home_phone)
        if self._happens(0.004):
            phones.append(f"03-5{person.employer % 900 + 100}-0100")
        return {
            "email_addresses": [{"value": value} for value in emails],
            "phone_numbers": [{"value": value} for value in phones],
        }

    def _email(self, person: Person) -> str:
        address = self._recent(person.emails)
        if self._happens(0.012):
            local, _, host = address.partition("@")
            return f"{self._typo(local)}@{host}"
        return address

    def _mobile(self, person: Person) -> str:
        number = self._recent(person.mobiles)
        if self._happens(0.008):
            number = number[:-1] + str(self.dice.randrange(10))
        if number.startswith("0") and self._happens(0.4):
            return f"{number[:3]}-{number[3:7]}-{number[7:]}"
        return number

    def _recent(self, values: list[str]) -> str:
        return values[0] if self._happens(0.85) else self.dice.choice(values)

    def _birth_date(self, person: Person) -> str:
        stated = person.born.isoformat()
        if self._happens(0.985):
            return stated
        if person.born.day <= 12 and self._happens(0.4):
            return f"{person.born.year}-{person.born.day:02}-{person.born.month:02}"
        return person.born.replace(day=self.dice.randrange(1, 29)).isoformat()

    def _name(self, person: Person, source: _Source) -> dict[str, Any]:
        family = person.maiden if person.maiden and self._happens(0.3) else person.family
        if self._happens(0.015):
            part = self.dice.choice((family, person.given))
            return {"full_name": part.kanji if part.kanji and self._happens(0.7) else part.latin.capitalize()}
        if not person.is_japanese:
            return self._western(person, family)
        if self._happens(source.kanji):
            return self._japanese(person, family, source)
        return self._latin(self._romaji(family, person), self._romaji(person.given, person))

    def _japanese(self, person: Person, family: Name, source: _Source) -> dict[str, Any]:
        given = self._other_kanji(person.given) if self._happens(0.006) else person.given
        kanji = [self._variant(family.kanji or ""), given.kanji or ""]
        layout = self.dice.choices(("parts", "spaced", "unsplit"), (50, 30, 20))[0]
        stated = {"parts": {"family_name": kanji[0], "given_name": kanji[1]}}.get(
            layout, {"full_name": ("" if layout == "unsplit" else self.dice.choice(" 　")).join(kanji)}
        )
        if self._happens(source.kana):
            stated |= self._kana(family, person.given, is_split=layout == "parts")
        if self._happens(0.05):
            romaji = self._romaji(family, person), self._romaji(person.given, person)
            stated |= {"family_name_romaji": romaji[0], "given_name_romaji": romaji[1]}
        return dict(stated)

    def _kana(self, family: Name, given: Name, *, is_split: bool) -> dict[str, str]:
        readings = [family.kana or "", given.kana or ""]
        way = self.dice.random()
        if way < 0.2:
            readings = ["".join(chr(ord(kana) - 0x60) if kana != "ー" else kana for kana in each) for each in readings]
        elif way < 0.25:
            readings = [each.translate(_HALF_WIDTH) for each in readings]
        if is_split:
            return {"family_name_kana": readings[0], "given_name_kana": readings[1]}
        return {"full_name_kana": self.dice.choice((" ", " ", "")).join(readings)}

    def _variant(self, kanji: str) -> str:
        return "".join(_VARIANTS.get(each, each) if self._happens(0.1) else each for each in kanji)

    def _other_kanji(self, given: Name) -> Name:
        """Write the last sign wrong, as when a name is taken down on the telephone."""
        signs = given.kanji or ""
        return given._replace(kanji=signs[:-1] + self.dice.choice("子美太也介樹人一平香恵奈"))

    def _romaji(self, name: Name, person: Person) -> str:
        style = person.style if self._happens(0.75) else self.dice.choice(("passport", "typed", "h", "kunrei"))
        latin = kana_to_romaji(name.kana or "")
        if style == "kunrei":
            for hepburn, kunrei in _KUNREI:
                latin = latin.replace(hepburn, kunrei)
        elif style != "typed":
            long_o = "oh" if style == "h" else "o"
            latin = latin.replace("ou", long_o).replace("oo", long_o).replace("uu", "u")
        return (self._typo(latin) if self._happens(0.02) else latin).capitalize()

    def _western(self, person: Person, family: Name) -> dict[str, Any]:
        given, last = person.given.latin, family.latin
        if given in short_forms() and self._happens(0.2):
            given = short_forms()[given]
        elif self._happens(0.02):
            given = f"{given[0]}."
        if self._happens(0.02):
            last = self._typo(last).capitalize()
        if self._happens(0.015):
            given = self._typo(given).capitalize()
        if person.middle and self._happens(0.4):
            given = f"{given} {person.middle if self._happens(0.3) else person.middle[0] + '.'}"
        if person.suffix and self._happens(0.5):
            last = f"{last} {person.suffix}"
        return self._latin(last, given)

    def _latin(self, family: str, given: str) -> dict[str, Any]:
        if self._happens(0.04):
            family, given = given, family
        layout = self.dice.choices(("parts", "plain", "comma", "capitals"), (45, 40, 8, 7))[0]
        if layout == "parts":
            return {"family_name": family, "given_name": given}
        full = {"comma": f"{family}, {given}", "capitals": f"{family.upper()} {given}"}
        return {"full_name": full.get(layout, f"{given} {family}")}

    def _typo(self, text: str) -> str:
        """Exchange two letters, drop one or write another."""
        if len(text) < 3:
            return text
        at, kind = self.dice.randrange(1, len(text) - 1), self.dice.random()
        if kind < 0.4:
            return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
        return text[:at] + ("" if kind < 0.7 else self.dice.choice("aeiounrst")) + text[at + 1 :]


def records(many: int, seed: int) -> Iterator[Record]:
    """Yield so many records, about three of four of somebody new; the same ones for the same seed and number."""
    dice = Random(seed)
    known = Population(dice, many)
    writer = _Writer(dice, known)
    waiting: list[Person] = []
    for _ in range(many):
        if known.people and dice.random() < _FURTHER:
            person = dice.choice(known.people)
            writer.lives_on(person)
        else:
            waiting = waiting or known.settle()
            person = waiting.pop()
        yield writer.write(person)
