"""Files to train on and to evaluate: of candidates, or of other columns for which there is a recipe."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import duckdb

from app.kit.process import StartError
from app.training.corpus import Corpus
from app.training.foreign import Foreign
from app.training.measure import Scored, Truth
from app.training.people_file import FIELDS, PeopleFile, payloads
from app.training.recipes import Recipe, recipe_for
from app.training.tables import load, quoted, require_column

FieldOf = Callable[[str], str | None]
"""Finds the field of a candidate that a column's header names."""

Stated = Mapping[str, Any]
"""A model as JSON for Splink."""


class Source(Protocol):
    """Records of one file, or of two that are matched against each other; `most` is the largest cluster."""

    @property
    def name(self) -> str: ...

    @property
    def truth(self) -> Truth: ...

    @property
    def most(self) -> int: ...

    def train(self, seed: int, say: Callable[[str], None]) -> Stated:
        """Return a model trained on the records, the truth unseen."""
        ...

    def shipped(self) -> Stated | None:
        """Return the model that fits such records without training, if there is one."""
        ...

    def score(self, stated: Stated) -> Iterator[Scored]:
        """Yield the weights of all pairs under a key, by our own scorer."""
        ...

    def score_by_splink(self, stated: Stated) -> Iterator[Scored]:
        """Yield the weights of the same pairs by Splink."""
        ...

    def contradict(self, left: Sequence[int], right: Sequence[int]) -> bool:
        """Whether any record of one component excludes one of the other."""
        ...


@contextmanager
def read_files(files: Sequence[Path], field_of: FieldOf, truth: str | None) -> Iterator[Source]:
    """Read files for as long as the context lasts; `truth` is the column that says who a record is about.

    Raises StartError for a file that cannot be read or has no such column, and where no column says anything of people.
    """
    with duckdb.connect(config={"threads": 2}) as connection:
        tables = []
        for number, file in enumerate(files):
            tables.append(f"raw_{number}")
            load(connection, file, tables[-1])
            if truth is not None:
                require_column(connection, file, tables[-1], truth)
        recipe = recipe_for(connection.table(tables[0]).columns)
        if recipe is None or recipe.candidates:
            yield _people(connection, tables, recipe, field_of, truth)
        else:
            yield Foreign.read(connection, tables, recipe, truth)


def _people(
    connection: duckdb.DuckDBPyConnection,
    tables: Sequence[str],
    recipe: Recipe | None,
    field_of: FieldOf,
    truth: str | None,
) -> PeopleFile:
    """Read tables of candidates; without a truth every record is somebody else."""
    column = truth or (recipe.truth if recipe else None)
    people: list[Any] = []
    files: list[int] = []
    found: list[dict[str, Any]] = []
    for number, table in enumerate(tables):
        fields = [
            None if name == column else _field(name, recipe, field_of) for name in connection.table(table).columns
        ]
        if not any(fields):
            raise StartError(f"No column says anything of a person; known are: {', '.join(sorted(FIELDS))}.")
        rows = connection.execute(f"from {table}").fetchall()
        found += payloads(rows, fields)
        files += [number] * len(rows)
        if column:
            people += [person for (person,) in connection.execute(f"select {quoted(column)} from {table}").fetchall()]
    known = Truth(people or list(range(len(found))), files)
    return PeopleFile(connection, Corpus.of_payloads(found), known)


def _field(name: str, recipe: Recipe | None, field_of: FieldOf) -> str | None:
    field = recipe.candidates.get(name) if recipe else name if name in FIELDS else field_of(name)
    field = "links" if field and field.startswith("links.") else field
    return field if field in FIELDS else None
