"""A level of any kind of comparison is the same one in SQL and in Python."""

from random import Random

import duckdb
import pytest

from app.training.kinds import KINDS, conditions

_COLUMNS = ("first", "second", "third")
_WORDS = {
    "dated": ["1990-04-05", "1990-05-04", "1990-04-06", "1990-04-29", "1991-01-01", "1996-01-01", "1950-13-01", "1909"],
    "posted": ["tq13 8df", "tq13 8hu", "tq13 8d", "tq1 8df", "n1 1aa", "tq13 9zz"],
}
_NAMES = [
    "martha",
    "marhta",
    "martin",
    "marta",
    "smith",
    "smyth",
    "smythe",
    "jon",
    "john",
    "dixon",
    "dicksonx",
    "ca",
    "abc",
]


def _values(kind: str, dice: Random) -> tuple[str | None, ...]:
    words = _WORDS.get(kind, _NAMES)
    shown = [dice.choice(words) if dice.random() < 0.9 else None for _ in _COLUMNS]
    if kind == "posted" and shown[0]:
        shown[1:] = [shown[0][:-2], shown[0].split()[0]]
    if kind == "named":
        shown[2] = f"{shown[0]} {shown[1]}" if shown[0] and shown[1] else None
    return tuple(shown)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_sql_and_python_find_the_same_level(kind: str) -> None:
    dice = Random(3)
    pairs = [(_values(kind, dice), _values(kind, dice)) for _ in range(1_500)]
    levels = conditions(KINDS[kind], _COLUMNS)
    whens = " ".join(f"when {sql} then '{level}'" for level, sql in levels.items() if sql != "ELSE")
    names = [f"{column}_{side}" for side in "lr" for column in _COLUMNS]
    with duckdb.connect() as connection:
        connection.execute(f"create table pairs ({', '.join(f'{name} varchar' for name in names)})")
        connection.executemany(
            "insert into pairs values (?, ?, ?, ?, ?, ?)", [[*left, *right] for left, right in pairs]
        )
        found = connection.table("pairs").project(f"case {whens} else 'differs' end").fetchall()
    ours = [KINDS[kind].level(left, right) or "missing" for left, right in pairs]
    assert ours == [level for (level,) in found]
    assert set(ours) == set(levels)
