"""What `talentpool dedup train` and `talentpool dedup evaluate` do."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from app.dedup.model import read_model
from app.kit import json
from app.kit.process import StartError
from app.training.corpus import Corpus
from app.training.evaluate import Evaluated, evaluate
from app.training.files import FieldOf, read_files
from app.training.picture import draw
from app.training.statements import records
from app.training.train import train


def run_train(console: Console, out: Path, many: int, seed: int, data: Sequence[Path], field_of: FieldOf) -> None:
    """Train on made-up people, or on files, and write the model."""
    _quiet()
    if data:
        with read_files(data, field_of, None) as found:
            trained = found.train(seed, console.print)
    else:
        corpus = Corpus.of_payloads(record.payload for record in records(many, seed))
        trained = train(corpus, seed, console.print)
    out.write_text(json.pretty(trained), encoding="utf-8")
    console.print(f"The model is in {out}.")


def run_evaluate(
    console: Console,
    data: Sequence[Path],
    field_of: FieldOf,
    truth: str | None,
    stated: Path | None,
    picture: Path | None,
    *,
    with_splink: bool,
) -> None:
    """Print the figures of one file, or of two against each other, and draw them.

    Raises StartError for a file that cannot be read, and where nothing says which records are one person's.
    """
    _quiet()
    if picture and picture.suffix.lower() != ".svg":
        raise StartError(f"The picture is SVG: name it {picture.with_suffix('.svg').name}.")
    given = _read_model(stated) if stated else None
    with read_files(data, field_of, truth) as source:
        known = source.truth
        if truth is None and not known.pairs:
            raise StartError("No two records are one person's: say with --truth which column says who each is about.")
        console.print(f"{source.name}: {len(known.people):,} records, {known.pairs:,} pairs of one person")
        found = evaluate(source, given, with_splink=with_splink)
        console.print(_table("talentpool", found.ours))
        if found.splinks:
            console.print(_table("Splink", found.splinks))
        if picture:
            picture.write_text(draw(source.name, found.ours.scored, known), encoding="utf-8")


def _read_model(file: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(file.read_bytes())
        read_model(found, file.name)
    except (ValueError, LookupError, TypeError) as error:
        raise StartError(f"{file} is no model of `talentpool dedup train`.") from error
    return found


def _table(title: str, evaluated: Evaluated) -> Table:
    caption = "P precision, R recall; first of pairs, then of clusters"
    table = Table("\np ≥", title=title, caption=caption, box=None, header_style="dim", padding=(0, 1, 0, 0))
    for heading in ("pairs\nright", "\nwrong", "\nP", "\nR", "\nF1", "clusters\nP", "\nR", "\nF1", "\nB³"):
        table.add_column(heading, justify="right", no_wrap=True)
    for line in evaluated.lines():
        figures = [value for of in (line.pairs, line.clusters) for value in (of.precision, of.recall, of.f1)]
        counts = (f"{line.pairs.right:,}", f"{line.pairs.wrong:,}")
        table.add_row(line.threshold, *counts, *(f"{value:.4f}" for value in (*figures, line.b_cubed.f1)))
    return table


def _quiet() -> None:
    """Splink tells every iteration; its warnings are of levels that are bounded here anyway."""
    logging.disable(logging.WARNING)
