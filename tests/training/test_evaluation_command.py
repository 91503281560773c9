"""`talentpool dedup evaluate` as it is read in a terminal."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from app.kit.process import StartError
from app.training.command import run_evaluate, run_train

_FILE = """family_name,given_name,email_addresses,person
佐藤,健,ken@example.com,one
佐藤,健,ken@example.com,one
鈴木,花子,hanako@example.com,two
"""


def _name(header: str) -> str:
    return header


@pytest.mark.parametrize("width", [80, 120])
def test_every_figure_is_whole_at_the_width_of_a_terminal(tmp_path: Path, width: int) -> None:
    file, told = tmp_path / "people.csv", StringIO()
    file.write_text(_FILE, encoding="utf-8")
    picture = tmp_path / "picture.svg"
    run_evaluate(Console(file=told, width=width), [file], _name, "person", None, picture, with_splink=False)
    rows = [line.split() for line in told.getvalue().splitlines()]
    assert ["automatic", "1", "0", *["1.0000"] * 7] in rows
    assert picture.read_text(encoding="utf-8").startswith("<svg")


def test_what_is_asked_wrongly_is_told_in_a_sentence(tmp_path: Path) -> None:
    file, model = tmp_path / "people.csv", tmp_path / "model.json"
    file.write_text(_FILE, encoding="utf-8")
    model.write_text("[1]", encoding="utf-8")

    def run(truth: str | None = "person", stated: Path | None = None, picture: Path | None = None) -> None:
        run_evaluate(Console(file=StringIO()), [file], _name, truth, stated, picture, with_splink=False)

    with pytest.raises(StartError, match="--truth"):
        run(truth=None)
    with pytest.raises(StartError, match="is no model"):
        run(stated=model)
    with pytest.raises(StartError, match=r"name it people\.svg"):
        run(picture=tmp_path / "people.png")


def test_what_is_not_in_a_file_is_not_learnt_from_it(tmp_path: Path) -> None:
    file, out, told = tmp_path / "people.csv", tmp_path / "model.json", Console(file=StringIO())
    people = [f"佐藤{number},{name},p{number}@example.com" for number in range(40) for name in ("健", "健", "誠")]
    file.write_text("\n".join(["family_name,given_name,email_addresses", *people]), encoding="utf-8")
    run_train(told, out, 0, 1, [file], _name)
    run_evaluate(told, [file], _name, "email_addresses", out, None, with_splink=False)
    file.write_text("family_name,given_name,email_addresses\n佐藤,健,ken@example.com\n", encoding="utf-8")
    with pytest.raises(StartError, match="nothing to learn from"):
        run_train(told, out, 0, 1, [file], _name)
