"""Spreadsheets as Japanese companies have them, with a known number of duplicates and of broken rows."""

import csv
import io
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from app.demo.people import Person, people
from app.kit import clock

HEADER: Final = (
    "氏名", "フリガナ", "メールアドレス", "電話番号", "会社名", "経験年数", "スキル", "応募日", "選考結果", "同意日",
)  # fmt: skip


@dataclass(frozen=True)
class Spreadsheet:
    """A file, and what is to be found in it."""

    rows: list[list[str]]
    people: list[Person]
    duplicates: int
    broken: int

    def text(self) -> str:
        out = io.StringIO()
        csv.writer(out, lineterminator="\r\n").writerows([HEADER, *self.rows])
        return out.getvalue()

    def cp932(self) -> bytes:
        return self.text().encode("cp932")

    def utf8(self) -> bytes:
        return self.text().encode("utf-8-sig")


def spreadsheet(rows: int, *, duplicates: int, broken: int, seed: int = 1) -> Spreadsheet:
    """Make a file of `rows` rows: so many tell of a person of the file again, and so many cannot be read."""
    draw = random.Random(seed)
    distinct = people(rows - duplicates - broken, seed=seed, today=clock.today("Asia/Tokyo"))
    again = [_again(person, draw) for person in draw.sample(distinct, duplicates)]
    lines = [_row(person) for person in [*distinct, *again]] + [_broken(number) for number in range(broken)]
    draw.shuffle(lines)
    return Spreadsheet(lines, distinct, duplicates, broken)


def _again(person: Person, draw: random.Random) -> Person:
    """Tell of the same person as another clerk would: other width, other case, a new employer."""
    wide = person.phone.translate({ord("0") + digit: ord("０") + digit for digit in range(10)} | {ord("-"): "－"})
    return replace(
        person,
        email=person.email.upper() if draw.random() < 0.5 else person.email,
        phone=wide,
        full_name=person.full_name.replace("髙", "高")
        .replace("渡邉", "渡辺")
        .replace("山﨑", "山崎")
        .replace(" ", "　"),
        company="株式会社転職先",
    )


def _row(person: Person) -> list[str]:
    consent = person.consent_on.strftime("%Y/%m/%d") if person.consent_on else ""
    return [
        person.full_name.replace("髙", "高").replace("﨑", "崎") if not _fits(person.full_name) else person.full_name,
        person.kana,
        person.email,
        person.phone,
        person.company,
        str(person.years),
        "、".join(person.skills),
        f"{person.met_on.year}年{person.met_on.month}月{person.met_on.day}日",
        person.result,
        consent,
    ]


def _fits(text: str) -> bool:
    try:
        text.encode("cp932")
    except UnicodeEncodeError:
        return False
    return True


def _broken(number: int) -> list[str]:
    """Return a row that names nobody, or holds what cannot be: one kind after the other."""
    kinds: Sequence[list[str]] = (
        ["", "", "", "", "株式会社不明", "3", "Python", "", "", ""],
        ["山田 壊", "ヤマダ コワレ", f"broken{number}@example.com", "", "", "3", "", "2024/02/31", "", ""],
        ["", "", "not-an-address", "12", "", "", "", "", "", ""],
        ["山田 年", "ヤマダ ネン", f"years{number}@example.com", "", "", "たくさん", "", "", "", ""],
    )
    return kinds[number % len(kinds)]
