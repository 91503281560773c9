"""Evaluation of a file with the truth in it: what our scorer finds, beside what Splink finds with the same weights."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import duckdb

from app.dedup.components import MOST_MEMBERS, Contradicts
from app.dedup.model import read_model
from app.training.corpus import Corpus
from app.training.foreign import Foreign, load
from app.training.measure import BCubed, Figures, Scored, Truth, b_cubed, clusters_of, of_clusters, of_pairs
from app.training.people_file import FIELDS, PeopleFile, payloads
from app.training.recipes import Recipe, recipe_for

THRESHOLDS: Final = (0.5, 0.95, 0.99)
AUTOMATIC: Final = "automatic"

FieldOf = Callable[[str], str | None]
"""Finds the field of a candidate that a column's header names."""


class NoTruth(ValueError):
    """The file has no column of the truth: name it by --truth."""


class Line(NamedTuple):
    """The figures at one threshold: of pairs as they are scored, and of the clusters that they make."""

    threshold: str
    pairs: Figures
    clusters: Figures
    b_cubed: BCubed


@dataclass(frozen=True)
class Evaluated:
    """Scored pairs of a file with its truth; `most` is the largest number of members of a cluster."""

    scored: Sequence[Scored]
    truth: Truth
    most: int
    contradicts: Contradicts[int] | None = None

    def lines(self) -> Iterator[Line]:
        """Yield the figures at each threshold, then those of the automatic rule where the file is of candidates."""
        for threshold in THRESHOLDS:
            least = math.log2(threshold / (1 - threshold))
            yield self._line(f"{threshold:g}", [each for each in self.scored if each.weight >= least])
        if linked := [each for each in self.scored if each.is_automatic]:
            yield self._line(AUTOMATIC, linked)

    def _line(self, threshold: str, found: Sequence[Scored]) -> Line:
        truth = self.truth
        clusters = clusters_of(found, len(truth.people), self.most, self.contradicts)
        return Line(threshold, of_pairs(found, truth), of_clusters(clusters, truth), b_cubed(clusters, truth))


@dataclass(frozen=True)
class Evaluation:
    """What our scorer found and, where it was asked for, what Splink found."""

    name: str
    ours: Evaluated
    splinks: Evaluated | None
    model: Mapping[str, Any]


def evaluate(
    files: Sequence[Path],
    model: Mapping[str, Any],
    field_of: FieldOf,
    *,
    truth: str | None = None,
    own_model: Mapping[str, Any] | None = None,
    with_splink: bool = False,
    seed: int = 1,
) -> Evaluation:
    """Evaluate one file against itself, or two against each other.

    Files of candidates are matched by `model`; files of other columns by `own_model`, or else by one that is trained on
    them here, without looking at the truth. Raises NoTruth.
    """
    with duckdb.connect(config={"threads": 2}) as connection:
        raw = []
        for number, file in enumerate(files):
            raw.append(f"raw_{number}")
            load(connection, file, raw[-1])
        recipe = recipe_for(connection.table(raw[0]).columns)
        if recipe is None or recipe.candidates:
            return _of_people(connection, raw, recipe, model, field_of, truth, with_splink=with_splink)
        return _of_others(connection, raw, recipe, own_model, truth, seed, with_splink=with_splink)


def _of_others(
    connection: duckdb.DuckDBPyConnection,
    raw: Sequence[str],
    recipe: Recipe,
    own_model: Mapping[str, Any] | None,
    truth: str | None,
    seed: int,
    *,
    with_splink: bool,
) -> Evaluation:
    foreign = Foreign.read(connection, raw, recipe, truth)
    stated = own_model or foreign.train(seed)
    known, most = foreign.truth, recipe.most_members
    ours = Evaluated(list(foreign.score(stated)), known, most)
    splinks = Evaluated(list(foreign.score_by_splink(stated)), known, most) if with_splink else None
    return Evaluation(recipe.name, ours, splinks, stated)


def _of_people(
    connection: duckdb.DuckDBPyConnection,
    raw: Sequence[str],
    recipe: Recipe | None,
    stated: Mapping[str, Any],
    field_of: FieldOf,
    truth: str | None,
    *,
    with_splink: bool,
) -> Evaluation:
    column = truth or (recipe.truth if recipe else None)
    if column is None:
        raise NoTruth(NoTruth.__doc__)
    people: list[Any] = []
    files: list[int] = []
    found: list[dict[str, Any]] = []
    for number, table in enumerate(raw):
        names = connection.table(table).columns
        people += [person for (person,) in connection.execute(f'select "{column}" from {table}').fetchall()]
        files += [number] * connection.table(table).shape[0]
        fields = [_field(name, recipe, field_of) for name in names if name != column]
        found += payloads(_rows(connection, table, column), fields)
    file = PeopleFile(Corpus.of_payloads(found), stated)
    known = Truth(people, files)
    ours = Evaluated(_asked(file.score(read_model(stated, "given")), known), known, MOST_MEMBERS, file.contradict)
    if not with_splink:
        return Evaluation("candidates", ours, None, stated)
    splinks = _asked(file.score_by_splink(connection), known)
    return Evaluation("candidates", ours, Evaluated(splinks, known, MOST_MEMBERS), stated)


def _field(name: str, recipe: Recipe | None, field_of: FieldOf) -> str | None:
    field = recipe.candidates.get(name) if recipe else name if name in FIELDS else field_of(name)
    field = "links" if field and field.startswith("links.") else field
    return field if field in FIELDS else None


def _rows(connection: duckdb.DuckDBPyConnection, table: str, truth: str) -> list[tuple[str | None, ...]]:
    return connection.execute(f'select * exclude ("{truth}") from {table}').fetchall()


def _asked(scored: Iterator[Scored], truth: Truth) -> list[Scored]:
    return [each for each in scored if truth.is_asked(each.left, each.right)]
